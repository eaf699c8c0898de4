// Snowflake: ids that are unique over all nodes and never go back, even if the clock does.
//
//   id := 0 | 41 bits milliseconds since 2024-01-01T00:00:00Z | 10 bits node | 12 bits sequence
//
// next(now) gives max(now at sequence 0, last + 1): a burst of more than 4,096 in a millisecond, or
// a clock that was set back, runs ahead of the clock instead of repeating. `resume_after` is the
// greatest id of the log at start. Source: Twitter's Snowflake (2010), without its clock trap.
//
// Threading: one thread. Pure.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>

namespace parley::chat {

inline constexpr std::int64_t kEpochMs = 1'704'067'200'000; // 2024-01-01T00:00:00Z
inline constexpr int kNodeBits = 10, kSequenceBits = 12;

class Snowflake {
public:
    // node: 0 .. 1023.
    Snowflake(std::uint16_t node, model::EventId resume_after);
    model::EventId next(model::Time now);
    model::EventId last() const { return x_last; }

private:
    const std::int64_t x_node;
    model::EventId x_last;
};

// Milliseconds since 1970 that are in an id.
model::Time time_of(model::EventId id);

} // namespace parley::chat
