// Held: HeldStore over the shards: a message waits in its room's shard.
//
// Threading: any core. Owner: app/wiring. The gauge is what this process saw last, of each shard in
// which it has changed something.
#pragma once

#include "adapters/postgres/id_source.hpp"
#include "adapters/postgres/shard_map.hpp"
#include "ports/held_store.hpp"

#include <string>
#include <vector>

namespace parley::postgres {

class Held final : public ports::HeldStore {
public:
    Held(const ShardMap& shards, IdSource& ids, Metrics& metrics);

    Task<Result<ports::HeldState>> hold(ports::HeldMessage held) override;
    Task<Result<std::vector<ports::HeldMessage>>> waiting(model::RoomId room, model::HeldId after,
                                                          std::size_t limit) override;
    Task<Result<ports::HeldMessage>> find_waiting(model::RoomId room, model::HeldId held) override;
    Task<Result<void>> decide(model::RoomId room, model::HeldId held, bool approved,
                              model::Time now) override;

private:
    const ShardMap& x_shards;
    IdSource& x_ids;
    std::vector<Gauge*> x_waiting; // of each shard
};

} // namespace parley::postgres
