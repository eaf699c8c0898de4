// Membership: a user in a room, as the key of what the event store remembers of the two. Value.
#pragma once

#include "model/ids.hpp"

namespace parley::sqlite {

struct Membership {
    model::RoomId room;
    model::UserId user;
    friend bool operator==(Membership, Membership) = default;
};

struct MembershipHash {
    std::size_t operator()(Membership m) const noexcept {
        return std::hash<model::RoomId>()(m.room) * 31 + std::hash<model::UserId>()(m.user);
    }
};

} // namespace parley::sqlite
