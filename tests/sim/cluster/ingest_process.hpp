// A process that sequences, made of the real ingest::ShardWorker, one for each shard, whose steps
// the simulation takes in place of its threads. And the group, in place of Kafka's: who has which
// partition. A member that stands still loses its partitions and learns of it when it wakes.
//
// Owner: the cluster. After die() nothing is left of a process but the object.
#pragma once

#include "ingest/shard_worker.hpp"
#include "tests/sim/cluster/bus.hpp"
#include "tests/sim/cluster/draft_log.hpp"
#include "tests/sim/cluster/shard.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace parley::sim {

struct ClusterParts {
    Weather& weather;
    DraftLog& log;
    BusServer& bus;
    Shards& shards;
    const Layout& layout;
};

class IngestProcess final : public Process, public ports::DraftConsumer {
public:
    explicit IngestProcess(ClusterParts parts);
    ~IngestProcess();
    void die();
    // The group says; in time.
    void assign(ports::Partition partition);
    void revoke(ports::Partition partition);
    // Something was appended.
    void look_at(ports::Partition partition);
    // Each few milliseconds.
    void step();
    BusClient& bus() { return x_bus; }

    void start(ports::Partition partition, std::int64_t offset) override;
    void pause(ports::Partition partition) override { x_readers[partition].paused = true; }
    void resume(ports::Partition partition) override;
    void note_stored(ports::Partition, std::int64_t) override {}

private:
    struct OfShard {
        std::unique_ptr<ShardCalls> reads, writes, takes;
        std::unique_ptr<ingest::ShardWorker> worker;
        std::int64_t store_at_ms = 0, take_at_ms = 0;
    };
    struct Reader {
        std::optional<std::int64_t> next; // none: nobody has said from where
        bool paused = false, reading = false;
    };
    void hear(std::function<void()> what);
    void read(ports::Partition partition);
    void step(OfShard& shard);
    void store(OfShard& shard);

    const ClusterParts x_parts;
    BusClient x_bus;
    SilentLogger x_logger;
    Metrics x_metrics;
    VirtualClock x_clock;
    Pipe x_group;
    std::map<ports::Partition, Reader> x_readers;
    std::vector<std::unique_ptr<OfShard>> x_shards;
};

class Group {
public:
    explicit Group(ClusterParts parts) : x_parts(parts) {}
    void join(IngestProcess& member);
    // It has said nothing for its session.
    void lose(IngestProcess& member);
    void rebalance();
    bool has(const IngestProcess& member) const;
    void look_at(ports::Partition partition);

private:
    const ClusterParts x_parts;
    std::vector<IngestProcess*> x_members;
    std::map<ports::Partition, IngestProcess*> x_owners;
};

} // namespace parley::sim
