// IdSource: ids of users, sessions and held messages. The same layout as an event's id (41 bits of
// milliseconds since 2024-01-01T00:00:00Z, 10 bits of node, 12 bits of sequence) and the same
// promise: they never go back, even if the clock does. The node's number is leased, so no two
// processes give out the same id; it is unused for limits::kNodeLease before another has it, which
// is what a restart relies on.
//
// Threading: any thread.
#pragma once

#include "model/time.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace parley::postgres {

class IdSource {
public:
    explicit IdSource(std::uint16_t node) : x_node(node) {}

    std::int64_t next(model::Time now) {
        constexpr std::int64_t kEpochMs = 1'704'067'200'000;
        const std::int64_t ms = std::max<std::int64_t>(now.ms - kEpochMs, 0);
        const std::int64_t first = ms << 22 | x_node << 12;
        std::int64_t last = x_last.load(std::memory_order_relaxed);
        std::int64_t next = 0;
        do next = std::max(first, last + 1);
        while (!x_last.compare_exchange_weak(last, next, std::memory_order_relaxed));
        return next;
    }

private:
    const std::int64_t x_node;
    std::atomic<std::int64_t> x_last{0};
};

} // namespace parley::postgres
