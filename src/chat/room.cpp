#include "chat/room.hpp"

#include "base/assert.hpp"

#include <utility>

namespace parley::chat {

using model::Role;

Room::Room(ports::RoomSnapshot snapshot)
    : x_info(std::move(snapshot.room)), x_last_id(snapshot.last_id) {
    x_members.reserve(snapshot.members.size());
    for (const ports::RoomMember& member : snapshot.members) {
        x_members.emplace(member.user_id, member.role);
        x_owners += member.role == Role::owner;
    }
    x_info.member_count = x_members.size();
}

std::optional<Role> Room::role_of(model::UserId user) const {
    const auto found = x_members.find(user);
    if (found == x_members.end()) return std::nullopt;
    return found->second;
}

Standing Room::standing_of(model::UserId user) const {
    return {.room_exists = !x_info.deleted,
            .kind = x_info.kind,
            .visibility = x_info.visibility,
            .role = role_of(user),
            .owners = x_owners};
}

bool Room::apply(const model::Event& event) {
    PARLEY_ASSERT(event.room_id == x_info.id);
    if (event.id <= x_last_id) return false;
    x_last_id = event.id;
    if (const auto* change = std::get_if<model::MemberChanged>(&event.body)) {
        const auto found = x_members.find(change->user_id);
        if (found != x_members.end()) {
            x_owners -= found->second == Role::owner;
            x_members.erase(found);
        }
        if (change->action == model::MemberAction::joined ||
            change->action == model::MemberAction::role) {
            x_members.emplace(change->user_id, change->role);
            x_owners += change->role == Role::owner;
        }
        x_info.member_count = x_members.size();
    } else if (const auto* room = std::get_if<model::RoomChanged>(&event.body)) {
        x_info = room->room;
        x_info.member_count = x_members.size();
    }
    return true;
}

} // namespace parley::chat
