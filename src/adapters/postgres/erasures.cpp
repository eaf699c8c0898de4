#include "adapters/postgres/erasures.hpp"

#include "adapters/postgres/account_rows.hpp"
#include "adapters/postgres/locks.hpp"

#include <algorithm>
#include <unordered_map>

namespace parley::postgres {
namespace {

#define PARLEY_ERASURE_COLUMNS                                                                     \
    "user_id, requested_at, done_at, messages, reactions, rooms, sessions, held, scanned"

ports::Erasure read_erasure(const Row& row) {
    const auto count = [&](int column) { return static_cast<std::uint64_t>(row.integer(column)); };
    ports::Erasure erasure;
    erasure.user_id = row.id<model::UserId>(0);
    erasure.requested_at = row.time(1);
    erasure.done_at = row.optional_time(2);
    erasure.messages = count(3);
    erasure.reactions = count(4);
    erasure.rooms = count(5);
    erasure.sessions = count(6);
    erasure.held = count(7);
    erasure.scanned = row.id<model::MessageId>(8);
    return erasure;
}

Result<ports::Erasure> erasure_of(Connection& database, model::UserId user) {
    const Rows rows = database.query(
        "SELECT " PARLEY_ERASURE_COLUMNS " FROM erasures WHERE user_id = $1", Params(user));
    if (rows.empty()) return Error(Errc::unknown_user, "no erasure of this user was asked for");
    return read_erasure(rows.front());
}

Result<ports::Erasure> write_request(Connection& database, model::UserId user, model::Time now) {
    Transaction transaction(database);
    lock(database, Lock::admins); // of two at once the second one finds the first one's job
    if (auto known = erasure_of(database, user)) return known;
    const Rows sessions = database.query(
        "SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL", Params(user));
    const ports::StandingChange change{.role = {}, .disabled = true};
    PARLEY_CHECK(write_standing(database, user, change, now));
    database.query("INSERT INTO erasures (user_id, requested_at, sessions) VALUES ($1, $2, $3)",
                   Params(user, now, sessions.front().integer(0)));
    PARLEY_TRY(ports::Erasure asked, erasure_of(database, user));
    transaction.commit();
    return asked;
}

// The account stays, without a name.
Result<ports::Erasure> write_end(Connection& database, model::UserId user, model::Time now,
                                 std::int64_t held) {
    Transaction transaction(database);
    // The rows of ended sessions stay until they expire: their tokens are refused by them.
    end_sessions_of(database, user, now);
    database.query("UPDATE sessions SET refresh_hash = '', user_agent = '', address = '' "
                   "WHERE user_id = $1",
                   Params(user));
    // Longer than a username may be, and no address: nobody can take it.
    database.query("UPDATE users SET username = 'deleted-' || id, username_key = 'deleted-' || id, "
                   "email = '', email_key = 'deleted-' || id, password_hash = '', "
                   "display_name = '', avatar_media_id = NULL, last_seen_at = NULL, role = 1, "
                   "disabled = 1 WHERE id = $1",
                   Params(user));
    database.query("UPDATE erasures SET done_at = $2, held = held + $3 WHERE user_id = $1",
                   Params(user, now, held));
    PARLEY_TRY(ports::Erasure done, erasure_of(database, user));
    transaction.commit();
    return done;
}

Result<void> write(Connection& database, const char* sql, const Params& params) {
    database.query(sql, params);
    return {};
}

// Who of them may follow: there is such a user. True: and it is not disabled.
std::unordered_map<model::UserId, bool> standing_of(Connection& database,
                                                    const std::vector<model::UserId>& users) {
    std::unordered_map<model::UserId, bool> standing;
    const Rows rows =
        database.query("SELECT id, disabled FROM users WHERE id = ANY($1)", Params(users));
    for (const Row row : rows) standing[row.id<model::UserId>(0)] = row.integer(1) == 0;
    return standing;
}

// The best who is not disabled, or else the best.
std::optional<model::UserId>
successor_of(const ShardMembership& membership,
             const std::unordered_map<model::UserId, bool>& standing) {
    std::optional<model::UserId> best;
    for (const model::UserId user : membership.successors) {
        const auto known = standing.find(user);
        if (known == standing.end()) continue;
        if (known->second) return user;
        if (!best) best = user;
    }
    return best;
}

} // namespace

Task<Result<ports::Erasure>> Erasures::request_erasure(model::UserId user, model::Time now) {
    return x_pool.run(
        [user, now](Connection& database) { return write_request(database, user, now); });
}

Task<Result<ports::Erasure>> Erasures::find_erasure(model::UserId user) {
    return x_pool.run([user](Connection& database) { return erasure_of(database, user); });
}

Task<Result<std::optional<ports::Erasure>>> Erasures::next_erasure() {
    using Next = std::optional<ports::Erasure>;
    return x_pool.run([](Connection& database) -> Result<Next> {
        const Rows rows = database.query("SELECT " PARLEY_ERASURE_COLUMNS " FROM erasures WHERE "
                                         "done_at IS NULL ORDER BY requested_at LIMIT 1");
        if (rows.empty()) return Next{};
        return Next(read_erasure(rows.front()));
    });
}

Task<Result<std::vector<ports::ErasedMembership>>> Erasures::memberships_of(model::UserId user,
                                                                            std::size_t limit) {
    using Found = std::vector<ShardMembership>;
    Found all;
    for (Pool* shard : x_shards) {
        auto asking = shard->run([user, limit](Connection& database) -> Result<Found> {
            return shard_memberships(database, user, limit);
        });
        PARLEY_CO_TRY(Found some, co_await std::move(asking));
        std::ranges::move(some, std::back_inserter(all));
    }
    std::ranges::sort(all, {}, &ShardMembership::room_id);
    if (all.size() > limit) all.resize(limit);
    auto naming = with_successors(std::move(all));
    co_return co_await std::move(naming);
}

Task<Result<std::vector<ports::ErasedMembership>>>
Erasures::with_successors(std::vector<ShardMembership> all) {
    using Memberships = std::vector<ports::ErasedMembership>;
    return x_pool.run([all = std::move(all)](Connection& database) -> Result<Memberships> {
        Memberships memberships;
        for (const ShardMembership& one : all) {
            memberships.push_back({one.room_id, one.alone, {}});
            if (!one.successors.empty())
                memberships.back().successor =
                    successor_of(one, standing_of(database, one.successors));
        }
        return memberships;
    });
}

Task<Result<ports::ErasedMessages>>
Erasures::messages_of(model::UserId user, model::MessageId after, std::size_t limit) {
    std::vector<ShardSlice> slices;
    for (Pool* shard : x_shards) {
        auto asking = shard->run([=](Connection& database) -> Result<ShardSlice> {
            return shard_slice(database, user, after, limit);
        });
        PARLEY_CO_TRY(ShardSlice slice, co_await std::move(asking));
        slices.push_back(std::move(slice));
    }
    co_return merge_slices(slices, after, limit);
}

Task<Result<std::vector<ports::ErasedReaction>>> Erasures::reactions_of(model::UserId user,
                                                                        std::size_t limit) {
    using Found = std::vector<ports::ErasedReaction>;
    Found all;
    for (Pool* shard : x_shards) {
        const std::size_t left = limit - all.size();
        if (left == 0) break;
        auto asking = shard->run([user, left](Connection& database) -> Result<Found> {
            return shard_reactions(database, user, left);
        });
        PARLEY_CO_TRY(Found some, co_await std::move(asking));
        std::ranges::move(some, std::back_inserter(all));
    }
    co_return all;
}

// In every shard: an id does not say in which one its message is.
Task<Result<void>> Erasures::blank_messages(model::UserId user,
                                            std::vector<model::MessageId> messages,
                                            model::MessageId scanned) {
    const std::size_t count = messages.size();
    for (Pool* shard : x_shards) {
        if (messages.empty()) break;
        auto blanking = shard->run([user, messages](Connection& database) -> Result<void> {
            postgres::blank_messages(database, user, messages);
            return {};
        });
        PARLEY_CO_CHECK(co_await std::move(blanking));
    }
    auto counting = x_pool.run([user, count, scanned](Connection& database) {
        return write(database,
                     "UPDATE erasures SET messages = messages + $2, "
                     "scanned = greatest(scanned, $3) WHERE user_id = $1",
                     Params(user, count, scanned));
    });
    co_return co_await std::move(counting);
}

Task<Result<void>> Erasures::blank_room(model::UserId user, model::RoomId room) {
    auto blanking = x_shards[x_shard_of(room)]->run([room](Connection& database) -> Result<bool> {
        Transaction transaction(database);
        const bool blanked = postgres::blank_room(database, room);
        transaction.commit();
        return blanked;
    });
    PARLEY_CO_TRY(const bool blanked, co_await std::move(blanking));
    if (!blanked) co_return Result<void>{};
    // Its name is also a claim.
    auto counting = x_pool.run([user, room](Connection& database) -> Result<void> {
        Transaction transaction(database);
        database.query("DELETE FROM name_claims WHERE room_id = $1", Params(room));
        database.query("DELETE FROM dm_claims WHERE room_id = $1", Params(room));
        database.query("UPDATE erasures SET rooms = rooms + 1 WHERE user_id = $1", Params(user));
        transaction.commit();
        return {};
    });
    co_return co_await std::move(counting);
}

Task<Result<void>> Erasures::count_left_room(model::UserId user) {
    return x_pool.run([user](Connection& database) {
        return write(database, "UPDATE erasures SET rooms = rooms + 1 WHERE user_id = $1",
                     Params(user));
    });
}

Task<Result<bool>> Erasures::blank_reactions(model::UserId user,
                                             std::vector<ports::ErasedReaction> reactions) {
    std::vector<std::vector<ports::ErasedReaction>> by_shard(x_shards.size());
    for (const ports::ErasedReaction& one : reactions)
        by_shard[x_shard_of(one.room_id)].push_back(one);
    bool done = reactions.empty();
    for (std::size_t i = 0; i < x_shards.size(); ++i) {
        auto blanking = x_shards[i]->run(
            [user, some = std::move(by_shard[i])](Connection& database) -> Result<bool> {
                Transaction transaction(database);
                if (!some.empty()) remove_reactions(database, user, some);
                const bool all = blank_emoji(database, user);
                transaction.commit();
                return all;
            });
        PARLEY_CO_TRY(const bool all, co_await std::move(blanking));
        done = done && all;
    }
    const std::size_t count = reactions.size();
    if (count == 0) co_return done;
    auto counting = x_pool.run([user, count](Connection& database) {
        return write(database,
                     "UPDATE erasures SET reactions = reactions + $2 WHERE user_id = $1",
                     Params(user, count));
    });
    PARLEY_CO_CHECK(co_await std::move(counting));
    co_return done;
}

Task<Result<ports::Erasure>> Erasures::finish_erasure(model::UserId user, model::Time now) {
    std::int64_t held = 0;
    for (Pool* shard : x_shards) {
        auto blanking = shard->run([user](Connection& database) -> Result<std::int64_t> {
            Transaction transaction(database);
            const std::int64_t some = blank_rest(database, user);
            transaction.commit();
            return some;
        });
        PARLEY_CO_TRY(const std::int64_t some, co_await std::move(blanking));
        held += some;
    }
    auto ending = x_pool.run([user, now, held](Connection& database) {
        return write_end(database, user, now, held);
    });
    co_return co_await std::move(ending);
}

} // namespace parley::postgres
