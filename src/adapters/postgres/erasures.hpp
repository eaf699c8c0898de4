// Erasures: ErasureStore of the cluster. The job stands in the directory, what is erased in all
// shards; a call asks one shard after the other. What must happen in both happens in the shards
// first: after a failure the call is made again, and does no harm twice.
//
// Messages are walked through in one order of ids over all shards: each looks at a slice of its
// own, and a call goes as far as the slice that ends first.
//
// The rows are those of acknowledged changes only when the shards have stored what the log has:
// whoever calls has waited for that since the job was asked for. Old versions of rows are removed
// by PostgreSQL's own cleaning (autovacuum), and the bytes of its write-ahead log by its retention.
//
// Threading: any core. Owner: the directory. The pools must live longer.
#pragma once

#include "adapters/postgres/erasure_rows.hpp"
#include "adapters/postgres/pool.hpp"
#include "ports/erasure_store.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace parley::postgres {

class Erasures final : public ports::ErasureStore {
public:
    using ShardOf = std::function<std::size_t(model::RoomId)>; // an index of `shards`
    Erasures(Pool& directory, std::vector<Pool*> shards, ShardOf shard_of)
        : x_pool(directory), x_shards(std::move(shards)), x_shard_of(std::move(shard_of)) {}

    Task<Result<ports::Erasure>> request_erasure(model::UserId user, model::Time now) override;
    Task<Result<ports::Erasure>> find_erasure(model::UserId user) override;
    Task<Result<std::optional<ports::Erasure>>> next_erasure() override;
    Task<Result<std::vector<ports::ErasedMembership>>> memberships_of(model::UserId user,
                                                                      std::size_t limit) override;
    Task<Result<ports::ErasedMessages>> messages_of(model::UserId user, model::MessageId after,
                                                    std::size_t limit) override;
    Task<Result<std::vector<ports::ErasedReaction>>> reactions_of(model::UserId user,
                                                                  std::size_t limit) override;
    Task<Result<void>> blank_messages(model::UserId user, std::vector<model::MessageId> messages,
                                      model::MessageId scanned) override;
    Task<Result<void>> blank_room(model::UserId user, model::RoomId room) override;
    Task<Result<void>> count_left_room(model::UserId user) override;
    Task<Result<bool>> blank_reactions(model::UserId user,
                                       std::vector<ports::ErasedReaction> reactions) override;
    Task<Result<ports::Erasure>> finish_erasure(model::UserId user, model::Time now) override;

private:
    Task<Result<std::vector<ports::ErasedMembership>>>
    with_successors(std::vector<ShardMembership> all);

    Pool& x_pool;
    const std::vector<Pool*> x_shards;
    const ShardOf x_shard_of;
};

} // namespace parley::postgres
