// Retention over the shards: rooms are walked by id, all shards together. What is too old is found
// by id, since an id holds the time at which it was given: one range of one index. Bytes that were
// freed are overwritten when VACUUM has given them to new rows.
//
// Threading: any core; several processes may run it at once. Owner: app/wiring.
#pragma once

#include "adapters/postgres/shard_map.hpp"
#include "ports/retention_store.hpp"

namespace parley::postgres {

class Retention final : public ports::RetentionStore {
public:
    explicit Retention(const ShardMap& shards) : x_shards(shards) {}

    Task<Result<ports::RetentionStep>> remove_old(model::RoomId room, std::uint32_t server_days,
                                                  model::Time now) override;

private:
    const ShardMap& x_shards;
};

} // namespace parley::postgres
