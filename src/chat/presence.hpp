// Presence: who is online, from connections. A user is online while any connection is, and for a
// grace after the last one dropped: who comes back within it was never gone. A connection that says
// good-bye ends at once. The rooms in which somebody was shown online are remembered, so that going
// offline is shown in the same ones.
//
// What the store is to know (who is online, who was last seen when) collects here, newest state
// only, and is taken in batches.
//
// Threading: the user's home core. Owner: service::Rooms. Bound: one entry for each user with a
// connection or in grace, and one room id for each room that such a user listened to;
// limits::kPresenceUnstored changes for the store, later ones are then not stored. No clock of its
// own: time comes with each call.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"
#include "ports/user_store.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace parley::chat {

enum class Parting : std::uint8_t { dropped, said_goodbye };

class Presence {
public:
    using Instant = std::chrono::steady_clock::time_point;

    explicit Presence(std::chrono::milliseconds grace) : x_grace(grace) {}

    // Answers how many connections the user has now.
    std::size_t connected(model::UserId user);
    // True when the user was not shown in this room yet: tell the room.
    bool entered(model::UserId user, model::RoomId room);
    // Is no member any more. True when the user was shown there.
    bool left(model::UserId user, model::RoomId room);

    // Who is offline now, and the rooms to tell.
    struct Gone {
        model::UserId user;
        model::Time last_seen_at;
        std::vector<model::RoomId> rooms;
    };
    std::optional<Gone> disconnected(model::UserId user, Parting how, model::Time at, Instant now);
    std::vector<Gone> expire(Instant now);

    bool online(model::UserId user) const { return x_users.contains(user); }
    std::size_t size() const { return x_users.size(); }
    std::size_t in_grace() const { return x_deadlines.size(); }

    // At most `most` changes since the last call, for the store. The caller puts back what could
    // not be stored; what has changed since then counts for more.
    ports::PresenceNote take_changes(std::size_t most);
    void put_back(const ports::PresenceNote& note);
    // The process ends: everybody goes offline in the store, and nobody is told.
    void end(model::Time now);

private:
    struct Entry {
        std::size_t connections = 0;
        std::unordered_set<model::RoomId> rooms;
        model::Time dropped_at; // of the last connection that ended
        Instant grace_until{};  // of the last one that dropped
    };
    Gone take(std::unordered_map<model::UserId, Entry>::iterator at);
    void store(model::UserId user, std::optional<model::Time> last_seen_at);

    const std::chrono::milliseconds x_grace;
    std::unordered_map<model::UserId, Entry> x_users;
    std::set<std::pair<Instant, model::UserId>> x_deadlines; // of users without a connection
    std::unordered_map<model::UserId, std::optional<model::Time>> x_unstored; // none: online
};

} // namespace parley::chat
