#include "adapters/sqlite/user_admin.hpp"

#include "adapters/sqlite/id_source.hpp"
#include "adapters/sqlite/offline.hpp"

namespace parley::sqlite {
namespace {

#define PARLEY_ADMIN_COLUMNS                                                                       \
    "u.id, u.username, u.email, u.display_name, u.avatar_media_id, u.created_at, u.disabled, "     \
    "u.last_seen_at"

model::User read_user(const Query& query) {
    model::User user;
    user.id = query.id<model::UserId>(0);
    user.username = query.string(1);
    user.email = query.string(2);
    user.display_name = query.string(3);
    user.avatar_media_id = query.optional_id<model::MediaId>(4);
    user.created_at = query.time(5);
    user.disabled = query.integer(6) != 0;
    return user;
}

std::unique_ptr<Database> open(const std::filesystem::path& directory, UserAdmin::Access access) {
    if (access == UserAdmin::Access::read) return open_to_read(directory);
    return open_beside_server(directory, access == UserAdmin::Access::make ? IfAbsent::make
                                                                           : IfAbsent::refuse);
}

} // namespace

UserAdmin::UserAdmin(const std::filesystem::path& data_directory, Access access)
    : x_database(open(data_directory, access)) {}

// The change and the answer, or neither.
template <class Function>
auto UserAdmin::transaction(Function&& function) {
    x_database->execute("BEGIN IMMEDIATE");
    try {
        auto answer = function();
        x_database->execute("COMMIT");
        return answer;
    } catch (...) {
        if (x_database->in_transaction()) x_database->execute("ROLLBACK");
        throw;
    }
}

void UserAdmin::for_each(model::Time now, const std::function<void(const UserRow&)>& function) {
    auto query = x_database->query(
        "SELECT " PARLEY_ADMIN_COLUMNS ", (SELECT count(*) FROM members m WHERE m.user_id = u.id), "
        "ifnull(s.live, 0) FROM users u LEFT JOIN (SELECT user_id, count(*) AS live FROM sessions "
        "WHERE revoked_at IS NULL AND expires_at > ?1 GROUP BY user_id) s ON s.user_id = u.id "
        "ORDER BY u.id");
    query.bind(now);
    while (query.row()) {
        UserRow row;
        row.user = read_user(query);
        row.last_seen_at = query.optional_time(7);
        row.rooms = query.integer(8);
        row.sessions = query.integer(9);
        function(row);
    }
}

std::optional<model::User> UserAdmin::find(std::string_view id_or_key) {
    const auto id = model::UserId::parse(id_or_key).value_or(model::UserId{});
    // A username of digits only is possible: the name comes before the id.
    auto query = x_database->query("SELECT " PARLEY_ADMIN_COLUMNS
                                   " FROM users u WHERE username_key = ?1 OR email_key = ?1 OR "
                                   "id = ?2 ORDER BY username_key = ?1 DESC, id = ?2 LIMIT 1");
    query.bind(id_or_key, id);
    if (!query.row()) return std::nullopt;
    return read_user(query);
}

bool UserAdmin::taken(const char* sql, std::string_view key) {
    auto query = x_database->query(sql);
    query.bind(key);
    return query.row();
}

Result<model::User> UserAdmin::add(const ports::NewUser& fresh, model::Time now) {
    return transaction([&]() -> Result<model::User> {
        if (taken("SELECT 1 FROM users WHERE email_key = ?", fresh.email_key))
            return Error(Errc::email_taken, "this e-mail address has an account already");
        if (taken("SELECT 1 FROM users WHERE username_key = ?", fresh.username_key))
            return Error(Errc::username_taken, "this username is taken");
        const auto last = x_database->pragma("SELECT ifnull(max(id), 0) FROM users WHERE "
                                             "(id >> 12) & 1023 = 1023");
        model::User user;
        user.id = {IdSource(kToolNode, last).next(now)};
        user.created_at = now;
        user.username = fresh.username;
        user.email = fresh.email;
        x_database
            ->query("INSERT INTO users (id, username, username_key, email, email_key, "
                    "password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(user.id, fresh.username, fresh.username_key, fresh.email, fresh.email_key,
                  fresh.password_hash, now)
            .run();
        return user;
    });
}

std::int64_t UserAdmin::end_sessions(model::UserId user, model::Time now) {
    x_database
        ->query("UPDATE sessions SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL "
                "AND expires_at > ?2")
        .bind(user, now)
        .run();
    return x_database->changes();
}

std::int64_t UserAdmin::disable(model::UserId user, model::Time now) {
    return transaction([&] {
        x_database->query("UPDATE users SET disabled = 1 WHERE id = ?").bind(user).run();
        return end_sessions(user, now);
    });
}

std::int64_t UserAdmin::set_password(model::UserId user, std::string_view hash, model::Time now) {
    return transaction([&] {
        x_database->query("UPDATE users SET password_hash = ?2 WHERE id = ?1")
            .bind(user, hash)
            .run();
        return end_sessions(user, now);
    });
}

void UserAdmin::enable(model::UserId user) {
    transaction([&] {
        x_database->query("UPDATE users SET disabled = 0 WHERE id = ?").bind(user).run();
        return true;
    });
}

} // namespace parley::sqlite
