// Room: what a room's home core knows of it: who is in it with which role, and the newest event.
// Derived from the log: built from a snapshot, then moved on by each event in order.
//
// Threading: home core. Owner: service::Rooms. Bound: limits::kMembersPerRoom entries of 16 bytes.
#pragma once

#include "chat/authoriser.hpp"
#include "model/message.hpp"
#include "ports/room_directory.hpp"

#include <optional>
#include <unordered_map>

namespace parley::chat {

class Room {
public:
    explicit Room(ports::RoomSnapshot snapshot);

    const model::Room& info() const { return x_info; }
    model::EventId last_id() const { return x_last_id; }
    std::optional<model::Role> role_of(model::UserId user) const;
    std::size_t member_count() const { return x_members.size(); }
    Standing standing_of(model::UserId user) const;
    // Applies an event of this room; one at or below last_id() was applied already: false.
    bool apply(const model::Event& event);

private:
    model::Room x_info;
    model::EventId x_last_id;
    std::unordered_map<model::UserId, model::Role> x_members;
    std::size_t x_owners = 0;
};

} // namespace parley::chat
