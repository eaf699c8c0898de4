#include "adapters/postgres/account_rows.hpp"

#include "adapters/postgres/locks.hpp"

namespace parley::postgres {
using ports::is_active_admin;

namespace {

bool another_admin(Connection& database, model::UserId than) {
    return !database
                .query("SELECT 1 FROM users WHERE role = $1 AND role > 1 AND disabled = 0 AND "
                       "id <> $2 LIMIT 1",
                       Params(model::ServerRole::admin, than))
                .empty();
}

bool is_being_erased(Connection& database, model::UserId user) {
    return !database.query("SELECT 1 FROM erasures WHERE user_id = $1", Params(user)).empty();
}

} // namespace

Error unknown_user() { return {Errc::unknown_user, "there is no such user"}; }

Result<model::User> user_of(Connection& database, model::UserId user) {
    const Rows rows =
        database.query("SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id = $1", Params(user));
    if (rows.empty()) return unknown_user();
    return read_user(rows.front());
}

Result<model::User> write_standing(Connection& database, model::UserId id,
                                   const ports::StandingChange& change, model::Time now) {
    lock(database, Lock::admins);
    PARLEY_TRY(model::User user, user_of(database, id));
    const bool was_admin = is_active_admin(user);
    const bool was_disabled = user.disabled;
    user.role = change.role.value_or(user.role);
    user.disabled = change.disabled.value_or(user.disabled);
    if (was_disabled && !user.disabled && is_being_erased(database, id))
        return Error(Errc::forbidden, "this account is erased");
    if (was_admin && !is_active_admin(user) && !another_admin(database, id))
        return Error(Errc::last_admin, "the last admin; make somebody else an admin first");
    // The row's lock: a log-in that is under way is stored before, and its session ends below.
    database.query("UPDATE users SET role = $2, disabled = $3 WHERE id = $1",
                   Params(id, user.role, user.disabled));
    if (user.disabled && !was_disabled) end_sessions_of(database, id, now);
    return user;
}

std::int64_t end_sessions_of(Connection& database, model::UserId user, model::Time now,
                             model::SessionId but) {
    return database
        .query("UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND "
               "id <> $3",
               Params(user, now, but))
        .changes();
}

} // namespace parley::postgres
