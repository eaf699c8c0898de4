// A room as its log makes it: the rules of the product written a second time, for the checker and
// without the product's code. A device's view, the store and the log itself are held against it.
#pragma once

#include "model/room.hpp"
#include "tests/sim/wire.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>

namespace parley::sim {

struct RoomModel {
    struct Message {
        model::UserId author;
        std::uint64_t content = 0;
        bool edited = false, deleted = false;
        bool operator==(const Message&) const = default;
    };
    std::map<model::UserId, model::Role> roles;
    std::map<model::MessageId, Message> messages;
    std::set<std::pair<model::MessageId, model::UserId>> reactions;
    bool open = false;
    std::uint64_t name = 0;
    std::uint32_t pause_s = 0; // slow mode: between two messages of a plain member

    // "" or why nobody could have made this event now. It is applied all the same.
    std::string apply(const WireEvent& event);

private:
    std::string apply_post(const WireEvent& event);
    std::string apply_to_message(const WireEvent& event);
    std::string apply_member(const WireEvent& event);
    bool has(model::UserId user, model::Role at_least) const;

    std::map<model::UserId, std::int64_t> x_paced_ms; // whose last message slow mode counted
};

} // namespace parley::sim
