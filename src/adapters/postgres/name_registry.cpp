#include "adapters/postgres/name_registry.hpp"

#include "base/cluster_limits.hpp"

#include <algorithm>

namespace parley::postgres {
namespace {

Error busy() { return {Errc::unavailable, "the claim changed hands too often; try again"}; }

// The same room again: it uses the name from now on.
Result<ports::NameRegistry::Claim> claim(Connection& database, const std::string& key,
                                         model::RoomId room, model::Time now) {
    for (std::size_t attempt = 0; attempt < limits::kClaimAttempts; ++attempt) {
        const Rows mine = database.query(
            "INSERT INTO name_claims (key, room_id, claimed_at) VALUES ($1, $2, $3) "
            "ON CONFLICT (key) DO UPDATE SET claimed_at = greatest(name_claims.claimed_at, $3) "
            "WHERE name_claims.room_id = $2 RETURNING claimed_at",
            Params(key, room, now));
        if (!mine.empty()) return ports::NameRegistry::Claim{room, mine.front().time(0)};
        const Rows holder = database.query(
            "SELECT room_id, claimed_at FROM name_claims WHERE key = $1", Params(key));
        if (!holder.empty())
            return ports::NameRegistry::Claim{holder.front().id<model::RoomId>(0),
                                              holder.front().time(1)};
        // Given back in between.
    }
    return busy();
}

Result<model::RoomId> claim_pair(Connection& database, model::UserId low, model::UserId high,
                                 model::RoomId room) {
    for (std::size_t attempt = 0; attempt < limits::kClaimAttempts; ++attempt) {
        const Rows mine = database.query("INSERT INTO dm_claims (low, high, room_id) VALUES ($1, "
                                         "$2, $3) ON CONFLICT DO NOTHING",
                                         Params(low, high, room));
        if (mine.changes() != 0) return room;
        const Rows holder = database.query(
            "SELECT room_id FROM dm_claims WHERE low = $1 AND high = $2", Params(low, high));
        if (!holder.empty()) return holder.front().id<model::RoomId>(0);
    }
    return busy();
}

} // namespace

Task<Result<ports::NameRegistry::Claim>> Names::claim_name(std::string key, model::RoomId room,
                                                           model::Time now) {
    return x_pool.run([key = std::move(key), room, now](Connection& database) {
        return claim(database, key, room, now);
    });
}

Task<Result<bool>> Names::take_name(std::string key, model::RoomId from, model::RoomId to,
                                    model::Time now) {
    return x_pool.run([key = std::move(key), from, to, now](Connection& database) -> Result<bool> {
        const Rows taken = database.query(
            "UPDATE name_claims SET room_id = $3, claimed_at = $4 WHERE key = $1 AND room_id = $2",
            Params(key, from, to, now));
        return taken.changes() != 0;
    });
}

Task<Result<void>> Names::release_names(model::RoomId room, std::optional<std::string> keep) {
    return x_pool.run([room, keep = std::move(keep)](Connection& database) -> Result<void> {
        database.query("DELETE FROM name_claims WHERE room_id = $1 AND "
                       "($2::text IS NULL OR key <> $2)",
                       Params(room, keep));
        return {};
    });
}

Task<Result<model::RoomId>> Names::claim_dm(model::UserId a, model::UserId b, model::RoomId room) {
    const auto [low, high] = std::minmax(a, b);
    return x_pool.run([low = low, high = high, room](Connection& database) {
        return claim_pair(database, low, high, room);
    });
}

Task<Result<void>> Names::release_dm(model::RoomId room) {
    return x_pool.run([room](Connection& database) -> Result<void> {
        database.query("DELETE FROM dm_claims WHERE room_id = $1", Params(room));
        return {};
    });
}

} // namespace parley::postgres
