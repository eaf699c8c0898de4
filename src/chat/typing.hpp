// Typing: whether a user may say once more in a room that they are typing.
//
// Threading: the room's home core. Owner: service::Rooms. Bound: limits::kTypingRemembered pairs of
// the last limits::kTypingEvery; while they are that many, nobody else may. Nothing is stored.
#pragma once

#include "base/limits.hpp"
#include "model/ids.hpp"

#include <chrono>
#include <deque>
#include <set>
#include <utility>

namespace parley::chat {

class Typing {
public:
    using Instant = std::chrono::steady_clock::time_point;

    bool may(model::RoomId room, model::UserId user, Instant now) {
        while (!x_by_time.empty() && x_by_time.front().first <= now - limits::kTypingEvery) {
            x_recent.erase(x_by_time.front().second);
            x_by_time.pop_front();
        }
        if (x_recent.size() >= limits::kTypingRemembered) return false;
        if (!x_recent.insert({room, user}).second) return false;
        x_by_time.emplace_back(now, std::pair{room, user});
        return true;
    }

private:
    using Who = std::pair<model::RoomId, model::UserId>;
    std::set<Who> x_recent;
    std::deque<std::pair<Instant, Who>> x_by_time;
};

} // namespace parley::chat
