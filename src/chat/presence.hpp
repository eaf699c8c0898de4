// Presence: who is online, from connections. A user is online while any connection is; the rooms in
// which that was shown are remembered, so that going offline is shown in the same ones.
//
// Threading: the user's home core. Owner: service::Rooms. Bound: one entry for each user with a
// connection, and one room id for each room that such a user listened to.
#pragma once

#include "model/ids.hpp"

#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace parley::chat {

class Presence {
public:
    // Answers how many connections the user has now.
    std::size_t connected(model::UserId user) { return ++x_users[user].connections; }

    // True when the user was not shown in this room yet: tell the room.
    bool entered(model::UserId user, model::RoomId room) {
        const auto found = x_users.find(user);
        return found != x_users.end() && found->second.rooms.insert(room).second;
    }

    // The rooms to tell that the user is offline, when that was the last connection.
    struct Gone {
        bool offline = false;
        std::vector<model::RoomId> rooms;
    };
    Gone disconnected(model::UserId user) {
        const auto found = x_users.find(user);
        if (found == x_users.end() || --found->second.connections > 0) return {};
        Gone gone{true, {found->second.rooms.begin(), found->second.rooms.end()}};
        x_users.erase(found);
        return gone;
    }

    bool online(model::UserId user) const { return x_users.contains(user); }
    std::size_t size() const { return x_users.size(); }

private:
    struct Entry {
        std::size_t connections = 0;
        std::unordered_set<model::RoomId> rooms;
    };
    std::unordered_map<model::UserId, Entry> x_users;
};

} // namespace parley::chat
