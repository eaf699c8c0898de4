#include "adapters/sqlite/account_rows.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace parley::sqlite {
using ports::is_active_admin;

namespace {

bool another_admin(Database& database, model::UserId than) {
    auto query = database.query("SELECT 1 FROM users WHERE role = ?1 AND role > 1 AND "
                                "disabled = 0 AND id <> ?2 LIMIT 1");
    query.bind(model::ServerRole::admin, than);
    return query.row();
}

bool is_being_erased(Database& database, model::UserId user) {
    auto query = database.query("SELECT 1 FROM erasures WHERE user_id = ?");
    query.bind(user);
    return query.row();
}

} // namespace

Error unknown_user() { return {Errc::unknown_user, "there is no such user"}; }

Result<model::User> user_of(Database& database, model::UserId user) {
    auto query = database.query("SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id = ?");
    query.bind(user);
    if (!query.row()) return unknown_user();
    return read_user(query);
}

std::vector<model::User> users_with_prefix(Database& database, std::string_view prefix,
                                           model::UserId after, std::size_t limit) {
    // Keys are UTF-8, which has no byte 0xFF: what begins with the prefix lies between the two.
    const std::string end = std::string(prefix) + '\xFF';
    auto query = database.query(
        prefix.empty()
            ? "SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id > ?3 ORDER BY id LIMIT ?4"
            : "SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id > ?3 AND id IN ("
              "SELECT id FROM users WHERE username_key >= ?1 AND username_key < ?2 UNION "
              "SELECT id FROM users WHERE email_key >= ?1 AND email_key < ?2) "
              "ORDER BY id LIMIT ?4");
    // One more than a page: how callers learn whether there is a next one.
    query.bind(prefix, end, after, std::min(limit, limits::kPageMax + 1));
    std::vector<model::User> users;
    while (query.row()) users.push_back(read_user(query));
    return users;
}

Result<model::User> write_standing(Database& database, model::UserId id,
                                   const ports::StandingChange& change, model::Time now) {
    PARLEY_TRY(model::User user, user_of(database, id));
    const bool was_admin = is_active_admin(user);
    const bool was_disabled = user.disabled;
    user.role = change.role.value_or(user.role);
    user.disabled = change.disabled.value_or(user.disabled);
    if (was_disabled && !user.disabled && is_being_erased(database, id))
        return Error(Errc::forbidden, "this account is erased");
    if (was_admin && !is_active_admin(user) && !another_admin(database, id))
        return Error(Errc::last_admin, "the last admin; make somebody else an admin first");
    database.query("UPDATE users SET role = ?2, disabled = ?3 WHERE id = ?1")
        .bind(id, user.role, user.disabled)
        .run();
    if (user.disabled && !was_disabled) end_sessions_of(database, id, now);
    return user;
}

Result<void> write_password(Database& database, model::UserId user, std::string_view password_hash,
                            model::SessionId but, model::Time now) {
    database.query("UPDATE users SET password_hash = ?2 WHERE id = ?1")
        .bind(user, password_hash)
        .run();
    if (database.changes() == 0) return unknown_user();
    end_sessions_of(database, user, now, but);
    return {};
}

std::int64_t end_sessions_of(Database& database, model::UserId user, model::Time now,
                             model::SessionId but) {
    database
        .query("UPDATE sessions SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL AND "
               "id <> ?3")
        .bind(user, now, but)
        .run();
    return database.changes();
}

Result<void> write_erasure_request(Database& database, model::UserId user, model::Time now) {
    if (is_being_erased(database, user)) return {};
    std::int64_t sessions = 0;
    {
        auto query = database.query(
            "SELECT count(*) FROM sessions WHERE user_id = ?1 AND revoked_at IS NULL");
        query.bind(user);
        if (query.row()) sessions = query.integer(0);
    }
    const ports::StandingChange change{.role = {}, .disabled = true};
    PARLEY_CHECK(write_standing(database, user, change, now));
    database.query("INSERT INTO erasures (user_id, requested_at, sessions) VALUES (?, ?, ?)")
        .bind(user, now, sessions)
        .run();
    return {};
}

} // namespace parley::sqlite
