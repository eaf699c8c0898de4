// ShardStore: one PostgreSQL shard as the worker of its partitions uses it; ports/shard_store.hpp
// is the contract.
//
// Whatever the position's last id covers is in the rows, since ids of a partition grow with its log
// and both move in one transaction. So a batch that comes twice, whole or in part, is told by its
// ids, and nothing of it is counted twice. A message whose id or nonce the rows have for another
// message is an error (internal), never left out in silence.
//
// Threading: one thread at a time, on a connection of its own; a worker that reads and writes at
// once has two. Owner: app/wiring. Shutdown: the destructor closes.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/pool.hpp"
#include "ports/shard_store.hpp"

namespace parley::postgres {

class ShardStore final : public ports::ShardStore {
public:
    explicit ShardStore(std::string target) : x_connection(std::move(target)) {}

    Result<ports::PartitionPosition> take_over(ports::Partition partition) override;
    Result<bool> owns(ports::Partition partition, std::uint64_t generation) override;
    Result<bool> write(const ports::ShardBatch& batch) override;

    Result<std::vector<ports::ShardRoom>> rooms(std::span<const model::RoomId> rooms) override;
    Result<std::vector<std::optional<ports::StoredNonce>>>
    nonces(std::span<const ports::NonceKey> keys) override;
    Result<std::string> newest_nonce() override;
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override;
    Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) override;
    Result<std::vector<Reaction>> reactions(model::RoomId room, model::MessageId message) override;

private:
    Connection x_connection;
};

// How far the rows of a shard are, of each partition that was ever written in it.
struct StoredOffset {
    ports::Partition partition = 0;
    std::int64_t next_offset = 0;
};
Task<Result<std::vector<StoredOffset>>> positions(Pool& shard);

} // namespace parley::postgres
