// Time of the day as milliseconds since 1970-01-01T00:00:00Z. For display and expiry only: order in
// a room is the order of ids.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace parley::model {

struct Time {
    std::int64_t ms = 0;
    friend constexpr auto operator<=>(Time, Time) = default;
};

// RFC 3339 in UTC with milliseconds: 2026-01-02T03:04:05.678Z (24 characters for years 0..9999).
std::string to_rfc3339(Time time);
// Writes the same 24 characters to `out`, without a terminator.
void write_rfc3339(Time time, char* out);

} // namespace parley::model
