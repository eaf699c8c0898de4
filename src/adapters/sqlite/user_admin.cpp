#include "adapters/sqlite/user_admin.hpp"

#include "adapters/sqlite/account_rows.hpp"
#include "adapters/sqlite/id_source.hpp"
#include "adapters/sqlite/offline.hpp"

namespace parley::sqlite {
namespace {

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
        x_database->execute(answer ? "COMMIT" : "ROLLBACK");
        return answer;
    } catch (...) {
        if (x_database->in_transaction()) x_database->execute("ROLLBACK");
        throw;
    }
}

void UserAdmin::for_each(model::Time now, const std::function<void(const UserRow&)>& function) {
    auto query = x_database->query(
        "SELECT " PARLEY_USER_COLUMNS
        ", last_seen_at, (SELECT count(*) FROM members m WHERE m.user_id = u.id), "
        "(SELECT count(*) FROM sessions s WHERE s.user_id = u.id AND s.revoked_at IS NULL AND "
        "s.expires_at > ?1) FROM users u ORDER BY id");
    query.bind(now);
    while (query.row()) {
        UserRow row;
        row.user = read_user(query);
        row.last_seen_at = query.optional_time(kUserColumns);
        row.rooms = query.integer(kUserColumns + 1);
        row.sessions = query.integer(kUserColumns + 2);
        function(row);
    }
}

std::optional<model::User> UserAdmin::find(std::string_view id_or_key) {
    const auto id = model::UserId::parse(id_or_key).value_or(model::UserId{});
    // A username of digits only is possible: the name comes before the id.
    auto query = x_database->query("SELECT " PARLEY_USER_COLUMNS
                                   " FROM users WHERE username_key = ?1 OR email_key = ?1 OR "
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

Result<model::User> UserAdmin::change_standing(model::UserId user,
                                               const ports::StandingChange& change,
                                               model::Time now) {
    return transaction([&] { return write_standing(*x_database, user, change, now); });
}

Result<void> UserAdmin::set_password(model::UserId user, std::string_view hash, model::Time now) {
    return transaction([&] { return write_password(*x_database, user, hash, {}, now); });
}

Result<void> UserAdmin::request_erasure(model::UserId user, model::Time now) {
    return transaction([&] { return write_erasure_request(*x_database, user, now); });
}

std::optional<ports::Erasure> UserAdmin::erasure(model::UserId user) {
    auto query = x_database->query("SELECT requested_at, done_at, messages, reactions, rooms, "
                                   "sessions, held FROM erasures WHERE user_id = ?");
    query.bind(user);
    if (!query.row()) return std::nullopt;
    const auto count = [&](int column) {
        return static_cast<std::uint64_t>(query.integer(column));
    };
    ports::Erasure erasure;
    erasure.user_id = user;
    erasure.requested_at = query.time(0);
    erasure.done_at = query.optional_time(1);
    erasure.messages = count(2);
    erasure.reactions = count(3);
    erasure.rooms = count(4);
    erasure.sessions = count(5);
    erasure.held = count(6);
    return erasure;
}

} // namespace parley::sqlite
