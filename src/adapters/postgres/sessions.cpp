#include "adapters/postgres/sessions.hpp"

#include "adapters/postgres/account_rows.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace parley::postgres {
namespace {

// The password was checked a while ago, outside any transaction. The row is held: who disables the
// user or sets a password waits, and then sees the session.
Result<void> check_user(Connection& database, const ports::NewSession& fresh) {
    const Rows rows =
        database.query("SELECT disabled, password_hash FROM users WHERE id = $1 FOR SHARE",
                       Params(fresh.user_id));
    if (rows.empty()) return {};
    if (rows.front().integer(0) != 0) return Errc::invalid_credentials;
    if (!fresh.password_hash.empty() && rows.front().text(1) != fresh.password_hash)
        return Errc::invalid_credentials;
    return {};
}

Result<model::Session> insert_session(Connection& database, const ports::NewSession& fresh,
                                      model::SessionId id) {
    Transaction transaction(database);
    PARLEY_CHECK(check_user(database, fresh));
    database.query("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE "
                   "expires_at < $1 ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED)",
                   Params(fresh.created_at));
    model::Session session;
    session.id = id;
    session.user_id = fresh.user_id;
    session.refresh_hash = fresh.refresh_hash;
    session.created_at = fresh.created_at;
    session.expires_at = fresh.expires_at;
    session.last_used_at = fresh.created_at;
    session.device = fresh.device;
    database.query("INSERT INTO sessions (id, user_id, refresh_hash, created_at, expires_at, "
                   "last_used_at, user_agent, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                   Params(session.id, session.user_id, Blob{session.refresh_hash},
                          session.created_at, session.expires_at, session.last_used_at,
                          session.device.user_agent, session.device.address));
    transaction.commit();
    return session;
}

void revoke(Connection& database, model::SessionId session, model::Time now) {
    database.query("UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
                   Params(session, now));
}

// In an open transaction, which holds the session's row.
Result<model::Session> locked_session(Connection& database, model::SessionId id) {
    const Rows rows =
        database.query("SELECT user_id, refresh_hash, created_at, expires_at, revoked_at "
                       "FROM sessions WHERE id = $1 FOR UPDATE",
                       Params(id));
    if (rows.empty()) return Error(Errc::unauthorized, "there is no such session");
    const Row row = rows.front();
    model::Session session;
    session.id = id;
    session.user_id = row.id<model::UserId>(0);
    session.refresh_hash = row.bytes(1);
    session.created_at = row.time(2);
    session.expires_at = row.time(3);
    session.revoked_at = row.optional_time(4);
    return session;
}

struct Exchange {
    model::SessionId session;
    std::string presented_hash, next_hash;
    model::Time now, expires_at;
};

Result<model::Session> rotate(Connection& database, const Exchange& exchange) {
    Transaction transaction(database);
    PARLEY_TRY(model::Session session, locked_session(database, exchange.session));
    if (session.revoked_at) return Error(Errc::session_revoked, "this session was ended");
    if (session.expires_at <= exchange.now)
        return Error(Errc::unauthorized, "this session has expired");
    // Hashes of secrets: how long a comparison takes tells nothing about the secret.
    if (session.refresh_hash != exchange.presented_hash) {
        revoke(database, exchange.session, exchange.now);
        transaction.commit();
        return Error(Errc::token_reused, "this refresh token was used before: log in again");
    }
    session.refresh_hash = exchange.next_hash;
    session.expires_at = exchange.expires_at;
    session.last_used_at = exchange.now;
    database.query("UPDATE sessions SET refresh_hash = $2, expires_at = $3, last_used_at = $4 "
                   "WHERE id = $1",
                   Params(session.id, Blob{session.refresh_hash}, session.expires_at,
                          session.last_used_at));
    transaction.commit();
    return session;
}

} // namespace

Task<Result<model::Session>> Sessions::create_session(ports::NewSession session) {
    return x_pool.run(
        [this, session = std::move(session)](Connection& database) -> Result<model::Session> {
            PARLEY_TRY(const std::int64_t id, x_ids.next(session.created_at));
            return insert_session(database, session, {id});
        });
}

Task<Result<model::Session>> Sessions::rotate_session(model::SessionId session,
                                                      std::string presented_hash,
                                                      std::string next_hash, model::Time now,
                                                      model::Time expires_at) {
    Exchange exchange{session, std::move(presented_hash), std::move(next_hash), now, expires_at};
    return x_pool.run([exchange = std::move(exchange)](Connection& database) {
        return rotate(database, exchange);
    });
}

Task<Result<void>> Sessions::revoke_session(model::SessionId session, model::Time now) {
    return x_pool.run([session, now](Connection& database) -> Result<void> {
        revoke(database, session, now);
        return {};
    });
}

Task<Result<void>> Sessions::revoke_session_of(model::UserId user, model::SessionId session,
                                               model::Time now) {
    return x_pool.run([user, session, now](Connection& database) -> Result<void> {
        const Rows ended = database.query(
            "UPDATE sessions SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND "
            "revoked_at IS NULL AND expires_at > $3",
            Params(session, user, now));
        if (ended.changes() == 0) return Errc::unknown_session;
        return {};
    });
}

Task<Result<void>> Sessions::revoke_sessions_of(model::UserId user, model::SessionId but,
                                                model::Time now) {
    return x_pool.run([user, but, now](Connection& database) -> Result<void> {
        end_sessions_of(database, user, now, but);
        return {};
    });
}

Task<Result<std::vector<model::Session>>> Sessions::sessions_of(model::UserId user,
                                                                model::SessionId before,
                                                                std::size_t limit,
                                                                model::Time now) {
    using Found = std::vector<model::Session>;
    // One more than a page: how callers learn whether there is a next one.
    limit = std::min(limit, limits::kPageMax + 1);
    return x_pool.run([=](Connection& database) -> Result<Found> {
        Found found;
        const Rows rows = database.query(
            "SELECT " PARLEY_SESSION_COLUMNS " FROM sessions WHERE user_id = $1 AND "
            "revoked_at IS NULL AND expires_at > $2 AND ($3::bigint = 0 OR id < $3) "
            "ORDER BY id DESC LIMIT $4",
            Params(user, now, before, limit));
        for (const Row row : rows) found.push_back(ports::read_session(row));
        return found;
    });
}

Task<Result<std::vector<model::SessionId>>> Sessions::revoked_since(model::Time since) {
    using Ids = std::vector<model::SessionId>;
    return x_pool.run([since](Connection& database) -> Result<Ids> {
        Ids revoked;
        const Rows rows = database.query(
            "SELECT id FROM sessions WHERE revoked_at >= $1 ORDER BY id", Params(since));
        for (const Row row : rows) revoked.push_back(row.id<model::SessionId>(0));
        return revoked;
    });
}

} // namespace parley::postgres
