// A shard, in place of PostgreSQL: rows in memory and, in the same transaction, how far each
// partition is; fenced by generation. It may be down, refuse, hang, or do what it was asked and not
// say so.
//
// ShardCalls is a worker's connection, ShardReads what a front node reads through all of them.
// Owner: the cluster; of the connections: their process.
#pragma once

#include "adapters/memory/store.hpp"
#include "cluster/caught_up.hpp"
#include "ports/shard_store.hpp"
#include "tests/sim/cluster/weather.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace parley::sim {

class Shard {
public:
    explicit Shard(Weather& weather) : x_weather(weather), disk(weather.world.clock) {}

    bool answers() const { return up && !x_weather.happens(x_weather.faults.call_fails); }
    Result<ports::PartitionPosition> take_over(ports::Partition partition);
    Result<bool> write(const ports::ShardBatch& batch);
    // Of one partition, in the order of the commits.
    const std::map<ports::Partition, std::vector<model::EventId>>& committed() const {
        return x_committed;
    }

private:
    void put_rows(const ports::ShardBatch& batch, model::EventId above);
    bool may_put(const model::Event& event);
    Weather& x_weather;

public:
    memory::Store disk;
    bool up = true;
    bool hangs = false; // while it is down, calls wait
    std::map<ports::Partition, ports::PartitionPosition> positions;
    std::string newest_nonce;

private:
    std::map<ports::Partition, std::vector<model::EventId>> x_committed;
};

class ShardCalls final : public ports::ShardStore {
public:
    // `meanwhile`: what another thread of the process may do during a call.
    ShardCalls(Shard& shard, std::function<void()> meanwhile)
        : x_shard(shard), x_meanwhile(std::move(meanwhile)) {}
    Result<ports::PartitionPosition> take_over(ports::Partition partition) override {
        return x_shard.take_over(partition);
    }
    Result<bool> owns(ports::Partition partition, std::uint64_t generation) override;
    Result<bool> write(const ports::ShardBatch& batch) override { return x_shard.write(batch); }
    Result<std::vector<ports::ShardRoom>> rooms(std::span<const model::RoomId> rooms) override;
    Result<std::vector<std::optional<ports::StoredNonce>>>
    nonces(std::span<const ports::NonceKey> keys) override;
    Result<std::string> newest_nonce() override;
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override;
    Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) override;
    Result<std::vector<Reaction>> reactions(model::RoomId room, model::MessageId message) override;

private:
    Result<void> begin();
    Shard& x_shard;
    std::function<void()> x_meanwhile;
};

struct Layout {
    ports::Partition partitions = 1;
    std::size_t shards = 1;
    ports::Partition partition_of(model::RoomId room) const;
    std::size_t shard_of(ports::Partition partition) const { return partition % shards; }
    std::size_t shard_of(model::RoomId room) const { return shard_of(partition_of(room)); }
};

using Shards = std::vector<std::unique_ptr<Shard>>;

class ShardReads final : public ports::History, public ports::RoomDirectory {
public:
    static constexpr std::size_t kPage = 8; // small, so that resumes have several

    ShardReads(Weather& weather, Shards& shards, const Layout& layout, Process& process)
        : x_weather(weather), x_shards(shards), x_layout(layout), x_process(process) {}

    Task<Result<std::vector<cluster::StoredPosition>>> positions(std::size_t shard);
    Task<Result<std::vector<model::EventId>>> heads(std::vector<model::RoomId> rooms);

    Task<Result<ports::MessagePage>> messages_before(model::RoomId room, model::MessageId before,
                                                     std::size_t limit) override;
    Task<Result<ports::MessagePage>> messages_after(model::RoomId, model::MessageId,
                                                    std::size_t) override;
    Task<Result<ports::EventPage>> events_after(model::RoomId room, model::EventId since,
                                                std::size_t limit) override;
    Task<Result<ports::RoomSnapshot>> load_room(model::RoomId room) override;
    Task<Result<std::vector<ports::RoomListItem>>> rooms_of(model::UserId, model::RoomId,
                                                            std::size_t) override;
    Task<Result<std::vector<model::Room>>> search(ports::Groups, std::string, model::RoomId,
                                                  std::size_t) override;
    Task<Result<std::vector<model::Member>>> members(model::RoomId, model::UserId,
                                                     std::size_t) override;
    Task<Result<bool>> share_room(model::UserId, model::UserId) override;
    Task<Result<ports::Readers>> readers(model::RoomId, model::MessageId, std::size_t) override;
    Task<Result<std::vector<ports::MarkOutcome>>>
    set_read(std::vector<ports::ReadMark> marks) override;

private:
    // On the way there; then, if the shard answers, comes the read; then back().
    Task<Result<void>> reach(std::size_t shard);
    Task<void> back();

    Weather& x_weather;
    Shards& x_shards;
    const Layout& x_layout;
    Process& x_process;
};

// A wait in virtual time on whatever core runs it.
Task<void> pause(std::int64_t ms);

} // namespace parley::sim
