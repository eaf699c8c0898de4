// account_counts(): of each of some users, in their order, how many rooms they are in, over all
// shards, and how many of their sessions are neither ended nor expired. For lists of operators.
//
// Threading: any core. Errors: overloaded, unavailable.
#pragma once

#include "adapters/postgres/shard_map.hpp"
#include "base/task.hpp"
#include "model/time.hpp"

#include <vector>

namespace parley::postgres {

struct AccountCounts {
    std::int64_t rooms = 0, sessions = 0;
};

Task<Result<std::vector<AccountCounts>>> account_counts(Pool& directory, const ShardMap& shards,
                                                        std::vector<model::UserId> users,
                                                        model::Time now);

} // namespace parley::postgres
