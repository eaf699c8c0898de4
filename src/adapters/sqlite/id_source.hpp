// IdSource: ids of users and sessions. The same layout as an event's id (41 bits of milliseconds
// since 2024-01-01T00:00:00Z, 10 bits of node, 12 bits of sequence) and the same promise: they
// never go back, even if the clock does. Events have a source of their own, which the log's rules
// own.
//
// Threading: the writer's thread. Kept over a restart by the rows themselves: it is made with the
// greatest id that the tables hold.
#pragma once

#include "model/time.hpp"

#include <algorithm>
#include <cstdint>

namespace parley::sqlite {

class IdSource {
public:
    IdSource(std::uint16_t node, std::int64_t last) : x_node(node), x_last(last) {}

    std::int64_t next(model::Time now) {
        constexpr std::int64_t kEpochMs = 1'704'067'200'000;
        const std::int64_t ms = std::max<std::int64_t>(now.ms - kEpochMs, 0);
        x_last = std::max(ms << 22 | x_node << 12, x_last + 1);
        return x_last;
    }

private:
    std::int64_t x_node;
    std::int64_t x_last;
};

} // namespace parley::sqlite
