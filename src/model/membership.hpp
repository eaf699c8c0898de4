// Membership: a user in a room, as the key of what is remembered of the two. Value.
#pragma once

#include "model/ids.hpp"

namespace parley::model {

struct Membership {
    RoomId room;
    UserId user;
    friend bool operator==(Membership, Membership) = default;
};

struct MembershipHash {
    std::size_t operator()(Membership m) const noexcept {
        return std::hash<RoomId>()(m.room) * 31 + std::hash<UserId>()(m.user);
    }
};

} // namespace parley::model
