// IdSource: ids of users, sessions and held messages. The same layout as an event's id (41 bits of
// milliseconds since 2024-01-01T00:00:00Z, 10 bits of node, 12 bits of sequence) and the same
// promise: they never go back, even if the clock does. The node's number is leased, so no two
// processes give out the same id; `floor` is at least the last one that earlier holders of the
// number gave. When `may` says that the number is lost there are no more: unavailable.
//
// Threading: any thread.
#pragma once

#include "base/result.hpp"
#include "model/time.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>

namespace parley::postgres {

class IdSource {
public:
    explicit IdSource(std::uint16_t node, std::int64_t floor = 0, std::function<bool()> may = {})
        : x_node(node), x_may(std::move(may)), x_last(floor) {}

    Result<std::int64_t> next(model::Time now) {
        if (x_may && !x_may())
            return Error(Errc::unavailable, "this process has lost its number");
        constexpr std::int64_t kEpochMs = 1'704'067'200'000;
        const std::int64_t ms = std::max<std::int64_t>(now.ms - kEpochMs, 0);
        std::int64_t last = x_last.load(std::memory_order_relaxed);
        std::int64_t next = 0;
        do next = std::max(first_of(ms), after(last));
        while (!x_last.compare_exchange_weak(last, next, std::memory_order_relaxed));
        return next;
    }

    // None above it was given out.
    std::int64_t last() const { return x_last.load(std::memory_order_relaxed); }

private:
    std::int64_t first_of(std::int64_t ms) const { return ms << 22 | x_node << 12; }
    // At a full sequence, or after another node's id: in the next millisecond.
    std::int64_t after(std::int64_t last) const {
        const std::int64_t next = last + 1;
        return (next >> 12 & 1023) == x_node ? next : first_of((next >> 22) + 1);
    }

    const std::int64_t x_node;
    const std::function<bool()> x_may;
    std::atomic<std::int64_t> x_last{0};
};

} // namespace parley::postgres
