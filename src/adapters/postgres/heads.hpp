// heads(): the newest stored event of each room (0: none, or its shard does not answer), also of
// deleted rooms. One statement for each shard; asked every second for rooms that people listen to.
//
// Threading: any core.
#pragma once

#include "adapters/postgres/shard_map.hpp"
#include "base/task.hpp"

#include <vector>

namespace parley::postgres {

Task<std::vector<model::EventId>> heads(const ShardMap& shards, std::vector<model::RoomId> rooms);

} // namespace parley::postgres
