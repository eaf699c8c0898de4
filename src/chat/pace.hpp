// Pace: at most one value of each group in an interval; of each item of a group only the newest
// waits, and items have their turn in the order in which they began to wait. So a flood costs a
// steady trickle, a quiet group has no delay at all, and the last state of each item is always
// given out.
//
// Threading: one core. Owner: service::Rooms (read receipts: the users of a room, the rooms of a
// user). Bound: `most` items in all; an item that does not fit is dropped, and offer() counts it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace parley::chat {

template <class Group, class Item, class Value>
class Pace {
public:
    using Instant = std::chrono::steady_clock::time_point;

    Pace(std::chrono::milliseconds interval, std::size_t most)
        : x_interval(interval), x_most(most) {}

    // The value itself when it may go out now; nothing when it waits (or took the place of an
    // earlier one that does).
    std::optional<Value> offer(Group group, Item item, Value value, Instant now) {
        Line& line = x_lines[group];
        if (line.order.empty() && line.next <= now) {
            line.next = now + x_interval;
            return value;
        }
        const auto waiting = line.newest.find(item);
        if (waiting != line.newest.end()) {
            waiting->second = std::move(value);
            ++x_folded;
        } else if (x_waiting >= x_most) {
            ++x_dropped;
        } else {
            line.newest.emplace(item, std::move(value));
            line.order.push_back(item);
            ++x_waiting;
        }
        return std::nullopt;
    }

    // What may go out at `now`: at most one value of each group.
    std::vector<Value> due(Instant now) {
        std::vector<Value> values;
        for (auto at = x_lines.begin(); at != x_lines.end();) {
            Line& line = at->second;
            if (line.next > now) {
                ++at;
            } else if (line.order.empty()) {
                at = x_lines.erase(at);
            } else {
                const auto first = line.newest.find(line.order.front());
                values.push_back(std::move(first->second));
                line.newest.erase(first);
                line.order.pop_front();
                line.next = now + x_interval;
                --x_waiting;
                ++at;
            }
        }
        return values;
    }

    std::size_t waiting() const { return x_waiting; }
    std::size_t groups() const { return x_lines.size(); }
    std::uint64_t take_folded() { return std::exchange(x_folded, 0); }
    std::uint64_t take_dropped() { return std::exchange(x_dropped, 0); }

private:
    struct Line {
        Instant next{};
        std::deque<Item> order;
        std::unordered_map<Item, Value> newest;
    };
    const std::chrono::milliseconds x_interval;
    const std::size_t x_most;
    std::unordered_map<Group, Line> x_lines;
    std::size_t x_waiting = 0;
    std::uint64_t x_folded = 0, x_dropped = 0;
};

} // namespace parley::chat
