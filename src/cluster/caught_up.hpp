// CaughtUp: the read barrier of a cluster. What was acknowledged was in the log before it was
// acknowledged; so a read asks the log for its end, and waits until the store's position in that
// partition is there. While nothing is sent both are known to be equal and nothing waits.
//
// When the log cannot be asked, nothing new can be sent either; what it had already may still be
// acknowledged. The read waits for the greatest end that was known, and is counted as uncertain.
//
// Threading: one core. Owner: app, one for each core. Bound: calls under way share one question to
// the log, and one to each shard.
#pragma once

#include "base/core.hpp"
#include "base/gate.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/draft_log.hpp"
#include "ports/read_barrier.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace parley::cluster {

struct StoredPosition {
    ports::Partition partition = 0;
    std::int64_t next_offset = 0;
};

struct CaughtUpParts {
    Core& core;
    ports::DraftLogEnds& ends;
    std::function<ports::Partition(model::RoomId)> partition_of;
    std::size_t partitions = 0;
    // Of now: a partition may move to another shard, also while a read waits.
    std::function<std::size_t(ports::Partition)> shard_of;
    // Of all partitions of a shard.
    std::function<Task<Result<std::vector<StoredPosition>>>(std::size_t shard)> positions;
    const ports::Clock& clock;
    Metrics& metrics;
};

class CaughtUp final : public ports::ReadBarrier {
public:
    explicit CaughtUp(CaughtUpParts parts);
    Task<Result<void>> room(model::RoomId room) override;
    Task<Result<void>> rooms(std::vector<model::RoomId> rooms) override;
    Task<Result<void>> all() override;

private:
    Task<void> learn_ends();
    Task<Result<void>> wait_for(std::vector<ports::Partition> partitions);
    Task<Result<void>> learn_positions(std::size_t shard);
    bool reached(ports::Partition partition, std::int64_t end) const {
        return x_stored[partition] >= end;
    }

    const CaughtUpParts x_parts;
    std::vector<std::int64_t> x_ends, x_stored; // by partition: the greatest known
    Counter& x_waits;
    Counter& x_uncertain;
    Counter& x_timeouts;
};

} // namespace parley::cluster
