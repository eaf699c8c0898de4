// Strong ids. All of them are 63-bit Snowflake values (chat/snowflake.hpp): 0 is "none" and never
// given out. On the v1 wire they are decimal strings, on the classic wire numbers.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace parley::model {

template <class Tag>
struct Id {
    std::int64_t value = 0;

    constexpr explicit operator bool() const { return value != 0; }
    friend constexpr auto operator<=>(Id, Id) = default;
    std::string to_string() const { return std::to_string(value); }

    // Exactly the decimal digits of 1 .. 2^63-1, without sign, space, or leading zero.
    static std::optional<Id> parse(std::string_view text) {
        if (text.empty() || text.size() > 19 || text[0] < '1' || text[0] > '9') return std::nullopt;
        // 19 digits fit 64 unsigned bits, so one check at the end is enough.
        std::uint64_t value = 0;
        for (const char c : text) {
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + static_cast<std::uint64_t>(c - '0');
        }
        if (value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
        return Id{static_cast<std::int64_t>(value)};
    }
};

using UserId = Id<struct UserTag>;
using RoomId = Id<struct RoomTag>;
using SessionId = Id<struct SessionTag>;
using MediaId = Id<struct MediaTag>;
using HeldId = Id<struct HeldTag>; // a message that waits for a moderator
// The id of an event; a message has the id of the event that made it.
using EventId = Id<struct EventTag>;
using MessageId = EventId;

} // namespace parley::model

template <class Tag>
struct std::hash<parley::model::Id<Tag>> {
    std::size_t operator()(parley::model::Id<Tag> id) const noexcept {
        // Snowflake ids differ mostly in low and middle bits; one multiplication spreads them.
        const auto x = static_cast<std::uint64_t>(id.value) * 0x9E3779B97F4A7C15ull;
        return static_cast<std::size_t>(x ^ (x >> 32));
    }
};
