#include "adapters/postgres/account_counts.hpp"

#include "adapters/postgres/event_rows.hpp"

#include <unordered_map>

namespace parley::postgres {
namespace {

using Counts = std::unordered_map<model::UserId, std::int64_t>;

Result<Counts> read_counts(const Rows& rows) {
    Counts counts;
    for (const Row row : rows) counts[row.id<model::UserId>(0)] += row.integer(1);
    return counts;
}

} // namespace

Task<Result<std::vector<AccountCounts>>> account_counts(Pool& directory, const ShardMap& shards,
                                                        std::vector<model::UserId> users,
                                                        model::Time now) {
    auto sessions = directory.run([users, now](Connection& connection) {
        return read_counts(connection.query(
            "SELECT user_id, count(*) FROM sessions WHERE user_id = ANY($1) AND "
            "revoked_at IS NULL AND expires_at > $2 GROUP BY user_id",
            Params(users, now)));
    });
    PARLEY_CO_TRY(Counts open, co_await std::move(sessions));
    auto rooms = shards.ask_all([users](Connection& connection) {
        return read_counts(connection.query("SELECT user_id, count(*) FROM members b "
                                            "WHERE user_id = ANY($1) AND "
                                            PARLEY_IS_HERE("b.room_id") " GROUP BY user_id",
                                            Params(users)));
    });
    PARLEY_CO_TRY(std::vector<Counts> by_shard, co_await std::move(rooms));
    std::vector<AccountCounts> answer(users.size());
    for (std::size_t i = 0; i < users.size(); ++i) {
        answer[i].sessions = open[users[i]];
        for (Counts& counts : by_shard) answer[i].rooms += counts[users[i]];
    }
    co_return answer;
}

} // namespace parley::postgres
