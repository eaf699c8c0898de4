#include "tests/sim/cluster/ingest_process.hpp"

#include <algorithm>

namespace parley::sim {

IngestProcess::IngestProcess(ClusterParts parts)
    : x_parts(parts),
      x_bus(parts.weather, parts.bus, *this),
      x_clock(parts.weather.world.scheduler) {
    for (std::size_t i = 0; i < parts.shards.size(); ++i) {
        OfShard& one = *x_shards.emplace_back(std::make_unique<OfShard>());
        Shard& shard = *parts.shards[i];
        // While the sequencer waits for an answer, the storer may be at it.
        one.reads = std::make_unique<ShardCalls>(shard, [this, &one] {
            if (x_parts.weather.happens(100)) store(one);
        });
        one.writes = std::make_unique<ShardCalls>(shard, [] {});
        one.takes = std::make_unique<ShardCalls>(shard, [] {});
        one.worker = std::make_unique<ingest::ShardWorker>(ingest::ShardWorkerParts{
            .shard = i,
            .reads = *one.reads,
            .writes = *one.writes,
            .takes = *one.takes,
            .bus = x_bus,
            .consumer = *this,
            .clock = x_clock,
            .bury =
                [this](ingest::DeadLetter letter) {
                    ++x_parts.weather.stats.dead_letters;
                    if (!letter.value.starts_with("poison"))
                        x_parts.weather.world.violated("I1", "a draft was taken for a dead letter");
                },
            .log = x_logger,
            .metrics = x_metrics});
    }
}

IngestProcess::~IngestProcess() = default;

void IngestProcess::die() {
    Process::die();
    x_readers.clear();
    x_shards.clear();
}

// In its order, and some time after it could have known.
void IngestProcess::hear(std::function<void()> what) {
    run([this, what = std::move(what)] {
        Weather& weather = x_parts.weather;
        const std::int64_t slow_ms =
            weather.happens(300) ? weather.world.random.between(0, 150) : 0;
        weather.world.scheduler.at(x_group.arrival_ms(weather, slow_ms),
                                   [this, what] { run(what); });
    });
}

void IngestProcess::assign(ports::Partition partition) {
    hear([this, partition] {
        x_readers[partition] = {};
        x_shards[x_parts.layout.shard_of(partition)]->worker->assign(partition);
    });
}

void IngestProcess::revoke(ports::Partition partition) {
    hear([this, partition] {
        x_readers.erase(partition);
        x_shards[x_parts.layout.shard_of(partition)]->worker->revoke(partition);
    });
}

void IngestProcess::start(ports::Partition partition, std::int64_t offset) {
    const auto reader = x_readers.find(partition);
    if (reader == x_readers.end()) return; // taken away meanwhile
    reader->second.next = offset;
    reader->second.paused = false;
    look_at(partition);
}

void IngestProcess::resume(ports::Partition partition) {
    x_readers[partition].paused = false;
    look_at(partition);
}

void IngestProcess::look_at(ports::Partition partition) {
    const auto reader = x_readers.find(partition);
    if (dead() || reader == x_readers.end() || !reader->second.next || reader->second.paused ||
        reader->second.reading || *reader->second.next >= x_parts.log.end(partition))
        return;
    reader->second.reading = true;
    x_parts.weather.world.scheduler.after(x_parts.weather.delay_ms(), [this, partition] {
        run([this, partition] { read(partition); });
    });
}

void IngestProcess::read(ports::Partition partition) {
    const auto found = x_readers.find(partition);
    if (found == x_readers.end()) return;
    Reader& reader = found->second;
    reader.reading = false;
    if (!reader.next || reader.paused) return;
    if (!x_parts.log.up()) { // comes again
        x_parts.weather.world.scheduler.after(20, [this, partition] { look_at(partition); });
        return;
    }
    Weather& weather = x_parts.weather;
    std::int64_t from = *reader.next;
    if (weather.happens(weather.faults.redelivered))
        from = std::max<std::int64_t>(0, from - weather.world.random.between(1, 5));
    if (weather.happens(weather.faults.skipped)) from += weather.world.random.between(1, 3);
    auto records = x_parts.log.read(partition, from, 1 + weather.world.random.below(30));
    if (records.empty()) return;
    reader.next = std::max(*reader.next, records.back().offset + 1);
    if (weather.world.bug == Bug::time_of_reading)
        for (ports::DraftRecord& record : records) record.at = x_clock.now();
    OfShard& shard = *x_shards[x_parts.layout.shard_of(partition)];
    shard.worker->add(partition, std::move(records));
    weather.world.scheduler.after(weather.world.random.between(0, 3), [this, &shard] {
        if (!dead()) run([this, &shard] { step(shard); });
    });
    look_at(partition);
}

void IngestProcess::step() {
    if (!runs()) return;
    for (const auto& shard : x_shards) {
        step(*shard);
        if (dead()) return;
    }
}

void IngestProcess::store(OfShard& shard) {
    const std::int64_t now_ms = x_parts.weather.now_ms();
    if (now_ms < shard.store_at_ms) return;
    const auto pause = shard.worker->store_step();
    shard.store_at_ms = now_ms + (pause ? std::max<std::int64_t>(0, pause->count()) : 0);
}

void IngestProcess::step(OfShard& shard) {
    const std::int64_t now_ms = x_parts.weather.now_ms();
    if (x_parts.weather.happens(500)) store(shard);
    if (now_ms >= shard.take_at_ms) {
        const auto pause = shard.worker->take_step();
        shard.take_at_ms = now_ms + (pause ? std::max<std::int64_t>(0, pause->count()) : 0);
    }
    shard.worker->sequence_step();
    if (x_parts.weather.happens(500)) store(shard);
}

// --- the group

bool Group::has(const IngestProcess& member) const {
    return std::ranges::find(x_members, &member) != x_members.end();
}

void Group::join(IngestProcess& member) {
    x_members.push_back(&member);
    rebalance();
}

void Group::lose(IngestProcess& member) {
    if (std::erase(x_members, &member) == 0) return;
    for (auto& [partition, owner] : x_owners) {
        if (owner != &member) continue;
        member.revoke(partition);
        owner = nullptr;
    }
    rebalance();
}

void Group::rebalance() {
    if (x_members.empty()) return;
    const std::size_t turn = x_parts.weather.world.random.below(x_members.size());
    for (ports::Partition p = 0; p < x_parts.layout.partitions; ++p) {
        IngestProcess*& owner = x_owners[p];
        IngestProcess* const next = x_members[(p + turn) % x_members.size()];
        if (owner == next) continue;
        if (owner) owner->revoke(p);
        owner = next;
        next->assign(p);
    }
}

void Group::look_at(ports::Partition partition) {
    for (IngestProcess* member : x_members) member->look_at(partition);
}

} // namespace parley::sim
