#include "cluster/board_presence.hpp"

#include "base/cluster_limits.hpp"

#include <algorithm>

namespace parley::cluster {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds kStep = 100ms, kBeat = 1000ms;

} // namespace

Task<void> BoardPresence::came(model::UserId user) {
    {
        std::lock_guard lock(x_mutex);
        x_here.insert(user);
    }
    std::vector<model::UserId> one(1, user);
    static_cast<void>(co_await put(std::move(one)));
}

// What could not be put on is the next step's.
Task<bool> BoardPresence::put(std::vector<model::UserId> some) {
    const std::vector<model::UserId> again = some;
    const auto put = co_await x_board.put(x_node, std::move(some));
    if (put) co_return true;
    std::lock_guard lock(x_mutex);
    for (const model::UserId user : again)
        if (x_here.contains(user)) x_new.insert(user);
    co_return false;
}

Task<bool> BoardPresence::gone(model::UserId user) {
    {
        std::lock_guard lock(x_mutex);
        x_here.erase(user);
        x_new.erase(user);
    }
    std::vector<model::UserId> one(1, user);
    auto nowhere = co_await x_board.take_off(x_node, std::move(one));
    {
        // Came back while the board was told.
        std::lock_guard lock(x_mutex);
        if (x_here.contains(user)) {
            x_new.insert(user);
            co_return false;
        }
    }
    co_return !nowhere || !nowhere->empty();
}

Task<std::vector<bool>> BoardPresence::online(std::vector<model::UserId> users) {
    const std::size_t count = users.size();
    auto answer = co_await x_board.online(std::move(users));
    if (answer && answer->size() == count) co_return std::move(*answer);
    co_return std::vector<bool>(count);
}

std::vector<model::UserId> BoardPresence::take_new(std::size_t limit) {
    std::lock_guard lock(x_mutex);
    std::vector<model::UserId> some;
    while (!x_new.empty() && some.size() < limit) {
        some.push_back(*x_new.begin());
        x_new.erase(x_new.begin());
    }
    return some;
}

Task<std::chrono::milliseconds> BoardPresence::step() {
    x_since_beat += kStep;
    if (x_since_beat >= kBeat) {
        x_since_beat = {};
        const auto known = co_await x_board.beat(x_node, limits::kPresenceLease);
        if (known && !*known) {
            std::lock_guard lock(x_mutex);
            x_new = x_here;
        }
    }
    for (;;) {
        std::vector<model::UserId> some = take_new(limits::kPresenceStep);
        if (some.empty()) break;
        const bool done = co_await put(std::move(some));
        if (!done) break;
    }
    co_return kStep;
}

Task<void> BoardPresence::leave() {
    for (;;) {
        std::vector<model::UserId> some;
        {
            std::lock_guard lock(x_mutex);
            x_new.clear();
            while (!x_here.empty() && some.size() < limits::kPresenceStep) {
                some.push_back(*x_here.begin());
                x_here.erase(x_here.begin());
            }
        }
        if (some.empty()) break;
        const auto off = co_await x_board.take_off(x_node, std::move(some));
        if (!off) co_return; // the sweep takes them off
    }
    static_cast<void>(co_await x_board.removed(x_node));
}

} // namespace parley::cluster
