#include "chat/snowflake.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace parley::chat {

namespace {
constexpr int kTimeShift = kNodeBits + kSequenceBits;
constexpr std::int64_t kSequenceMask = (std::int64_t{1} << kSequenceBits) - 1;
constexpr std::int64_t kLastMs = (std::int64_t{1} << (63 - kTimeShift)) - 1;
} // namespace

Snowflake::Snowflake(std::uint16_t node, model::EventId resume_after)
    : x_node(node), x_last(resume_after) {
    PARLEY_ASSERT(node < (1 << kNodeBits));
    PARLEY_ASSERT(resume_after.value >= 0);
}

model::EventId Snowflake::next(model::Time now) {
    const std::int64_t clock_ms = std::clamp<std::int64_t>(now.ms - kEpochMs, 0, kLastMs);
    const std::int64_t last_ms = x_last.value >> kTimeShift;
    const std::int64_t node = x_node << kSequenceBits;
    std::int64_t ms = clock_ms, sequence = 0;
    if (clock_ms <= last_ms) {
        // "last + 1" in this node's own lane: the last id may be another node's (a data folder that
        // was started with a new node number), and then the lane's id may lie below it.
        ms = last_ms;
        sequence = (x_last.value & kSequenceMask) + 1;
        if ((x_last.value >> kSequenceBits & ((1 << kNodeBits) - 1)) != x_node) sequence = 0;
        if (sequence > kSequenceMask || ((ms << kTimeShift) | node | sequence) <= x_last.value)
            ++ms, sequence = 0;
    }
    PARLEY_ASSERT(ms <= kLastMs);
    const model::EventId id{(ms << kTimeShift) | node | sequence};
    // The very first millisecond of node 0 would give 0, which means "none".
    x_last = id ? id : model::EventId{1};
    return x_last;
}

model::Time time_of(model::EventId id) { return {(id.value >> kTimeShift) + kEpochMs}; }

} // namespace parley::chat
