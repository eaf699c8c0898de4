// RoomFacts: what the event store has read about rooms and roles, so that a message in a room that
// is in use costs no look-up of either. Nobody else writes them, so they stay true until the event
// store itself changes them or undoes a change.
//
// Threading: the writer's thread. Owner: the event store. Bounds: limits::kStoreRoomsCached rooms
// and four times as many roles; a full one is emptied and fills again with what is in use.
#pragma once

#include "model/membership.hpp"
#include "base/limits.hpp"
#include "ports/event_store.hpp"

#include <unordered_map>

namespace parley::sqlite {

class RoomFacts {
public:
    const ports::StoredRoom* room(model::RoomId room) const {
        const auto found = x_rooms.find(room);
        return found == x_rooms.end() ? nullptr : &found->second;
    }
    void remember(const ports::StoredRoom& stored) {
        if (x_rooms.size() >= limits::kStoreRoomsCached) x_rooms.clear();
        x_rooms.insert_or_assign(stored.room.id, stored);
    }
    const model::Role* role(model::RoomId room, model::UserId user) const {
        const auto found = x_roles.find({room, user});
        return found == x_roles.end() ? nullptr : &found->second;
    }
    void remember(model::RoomId room, model::UserId user, model::Role role) {
        if (x_roles.size() >= 4 * limits::kStoreRoomsCached) x_roles.clear();
        x_roles.insert_or_assign({room, user}, role);
    }

    // After an event was written.
    void apply(const model::Event& event) {
        if (const auto* member = std::get_if<model::MemberChanged>(&event.body)) {
            x_roles.erase({event.room_id, member->user_id});
            x_rooms.erase(event.room_id);
        } else if (const auto* change = std::get_if<model::RoomChanged>(&event.body)) {
            if (change->room.deleted) x_roles.clear();
            x_rooms.erase(event.room_id);
        } else if (const auto found = x_rooms.find(event.room_id); found != x_rooms.end()) {
            found->second.last_id = event.id;
        }
    }
    void forget() {
        x_rooms.clear();
        x_roles.clear();
    }

private:
    std::unordered_map<model::RoomId, ports::StoredRoom> x_rooms;
    std::unordered_map<model::Membership, model::Role, model::MembershipHash> x_roles;
};

} // namespace parley::sqlite
