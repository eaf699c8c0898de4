#include "adapters/postgres/users.hpp"

#include "adapters/postgres/account_rows.hpp"
#include "base/cluster_limits.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>

namespace parley::postgres {
namespace {

constexpr std::string_view kUniqueViolation = "23505"; // SQLSTATE

Error taken(Errc code) {
    return code == Errc::email_taken ? Error(code, "this e-mail address has an account already")
                                     : Error(code, "this username is taken");
}

// Which of the two somebody has already; nullopt: nobody any more.
std::optional<Error> taken_of(Connection& database, const ports::NewUser& fresh) {
    const Rows rows = database.query("SELECT EXISTS (SELECT 1 FROM users WHERE email_key = $1), "
                                     "EXISTS (SELECT 1 FROM users WHERE username_key = $2)",
                                     Params(fresh.email_key, fresh.username_key));
    if (rows.front().integer(0) != 0) return taken(Errc::email_taken);
    if (rows.front().integer(1) != 0) return taken(Errc::username_taken);
    return std::nullopt;
}

bool insert(Connection& database, const ports::NewUser& fresh, const model::User& user) {
    return database
               .query("INSERT INTO users (id, username, username_key, email, email_key, "
                      "password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) "
                      "ON CONFLICT DO NOTHING",
                      Params(user.id, fresh.username, fresh.username_key, fresh.email,
                             fresh.email_key, fresh.password_hash, user.created_at))
               .changes() != 0;
}

Result<ports::Login> login_of(Connection& database, const std::string& key, bool by_email) {
    const Rows rows = database.query(
        by_email ? "SELECT " PARLEY_USER_COLUMNS ", password_hash FROM users WHERE email_key = $1"
                 : "SELECT " PARLEY_USER_COLUMNS
                   ", password_hash FROM users WHERE username_key = $1",
        Params(key));
    if (rows.empty()) return unknown_user();
    return ports::Login{read_user(rows.front()), rows.front().string(kUserColumns)};
}

// Whether somebody else than `self` has it.
bool username_taken(Connection& database, const std::string& key, model::UserId self) {
    return !database
                .query("SELECT 1 FROM users WHERE username_key = $1 AND id <> $2",
                       Params(key, self))
                .empty();
}

Result<model::User> change_user(Connection& database, model::UserId id,
                                const ports::UserChange& change) {
    Transaction transaction(database);
    const Rows rows = database.query(
        "SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id = $1 FOR UPDATE", Params(id));
    if (rows.empty()) return unknown_user();
    model::User user = read_user(rows.front());
    if (change.username_key && username_taken(database, *change.username_key, id))
        return taken(Errc::username_taken);
    if (change.username) user.username = *change.username;
    if (change.display_name) user.display_name = *change.display_name;
    if (change.avatar_media_id) user.avatar_media_id = change.avatar_media_id;
    if (user.avatar_media_id == model::MediaId{}) user.avatar_media_id.reset();
    database.query(
        "UPDATE users SET username = $2, username_key = coalesce($3, username_key), "
        "display_name = $4, avatar_media_id = $5 WHERE id = $1",
        Params(id, user.username, change.username_key, user.display_name, user.avatar_media_id));
    transaction.commit();
    return user;
}

Result<void> write_password(Connection& database, model::UserId user, const std::string& hash,
                            model::SessionId but, model::Time now) {
    Transaction transaction(database);
    const Rows changed =
        database.query("UPDATE users SET password_hash = $2 WHERE id = $1", Params(user, hash));
    if (changed.changes() == 0) return unknown_user();
    end_sessions_of(database, user, now, but);
    transaction.commit();
    return {};
}

std::vector<model::User> users_with_prefix(Connection& database, const std::string& prefix,
                                           model::UserId after, std::size_t limit) {
    // Keys are in the order of their bytes: what begins with the prefix lies before it and the
    // last code point.
    const std::string end = prefix + "\U0010FFFF";
    const Rows rows = database.query(
        prefix.empty()
            ? "SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id > $3 "
              "ORDER BY id LIMIT $4"
            : "SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id > $3 AND id IN ("
              "SELECT id FROM users WHERE username_key >= $1 AND username_key < $2 UNION "
              "SELECT id FROM users WHERE email_key >= $1 AND email_key < $2) "
              "ORDER BY id LIMIT $4",
        // One more than a page: how callers learn whether there is a next one.
        Params(prefix, end, after, std::min(limit, limits::kPageMax + 1)));
    std::vector<model::User> users;
    for (const Row row : rows) users.push_back(read_user(row));
    return users;
}

// --- presence

struct Seen {
    std::vector<model::UserId> users; // ascending, each once
    std::vector<model::Time> at;
};

Seen newest_of(std::vector<ports::LastSeen> all) {
    std::ranges::sort(all, [](const ports::LastSeen& a, const ports::LastSeen& b) {
        return a.user != b.user ? a.user < b.user : a.at > b.at;
    });
    Seen seen;
    for (const ports::LastSeen& one : all) {
        if (!seen.users.empty() && seen.users.back() == one.user) continue;
        seen.users.push_back(one.user);
        seen.at.push_back(one.at);
    }
    return seen;
}

// Rows are locked in the order of ids, so that two nodes that write the same users wait for each
// other and do not end in a deadlock. Answers how many of the users there are.
std::size_t write_last_seen(Connection& database, const Seen& seen) {
    if (seen.users.empty()) return 0;
    const Rows locked =
        database.query("SELECT id FROM users WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
                       Params(seen.users));
    database.query("UPDATE users u SET last_seen_at = s.at "
                   "FROM unnest($1::bigint[], $2::bigint[]) AS s (id, at) "
                   "WHERE u.id = s.id AND (u.last_seen_at IS NULL OR u.last_seen_at < s.at)",
                   Params(seen.users, seen.at));
    return locked.size();
}

void store_presence(Connection& database, const std::string& node,
                    const ports::PresenceNote& note) {
    const Seen seen = newest_of(note.offline);
    Transaction transaction(database);
    database.query("INSERT INTO nodes_alive (node, alive_at) VALUES ($1, $2) ON CONFLICT (node) "
                   "DO UPDATE SET alive_at = greatest(nodes_alive.alive_at, $2)",
                   Params(node, note.alive_at));
    if (!note.online.empty())
        database.query("INSERT INTO online_users (node, user_id) SELECT $1, id FROM "
                       "unnest($2::bigint[]) AS o (id) ON CONFLICT DO NOTHING",
                       Params(node, note.online));
    if (!seen.users.empty())
        database.query("DELETE FROM online_users WHERE node = $1 AND user_id = ANY($2)",
                       Params(node, seen.users));
    write_last_seen(database, seen);
    transaction.commit();
}

// Some of a node's users, in one transaction; answers how many are settled and whether it was the
// last of them.
struct Settled {
    std::size_t users = 0;
    bool all = false;
};

Settled settle_some(Connection& database, const std::string& node) {
    Transaction transaction(database);
    const Rows alive =
        database.query("SELECT alive_at FROM nodes_alive WHERE node = $1 FOR UPDATE", Params(node));
    if (alive.empty()) return {0, true};
    const Rows gone = database.query(
        "DELETE FROM online_users WHERE node = $1 AND user_id IN (SELECT user_id FROM online_users "
        "WHERE node = $1 ORDER BY user_id LIMIT $2) RETURNING user_id",
        Params(node, limits::kPresenceStep));
    std::vector<ports::LastSeen> last;
    for (const Row row : gone) last.push_back({row.id<model::UserId>(0), alive.front().time(0)});
    Settled settled{write_last_seen(database, newest_of(std::move(last))),
                    gone.size() < limits::kPresenceStep};
    // Names of nodes may be new ones with each start: nothing is kept of a dead one.
    if (settled.all) database.query("DELETE FROM nodes_alive WHERE node = $1", Params(node));
    transaction.commit();
    return settled;
}

} // namespace

Task<Result<model::User>> Users::create_user(ports::NewUser fresh) {
    return x_pool.run(
        [this, fresh = std::move(fresh)](Connection& database) -> Result<model::User> {
            model::User user;
            user.username = fresh.username;
            user.email = fresh.email;
            for (std::size_t attempt = 0; attempt < limits::kClaimAttempts; ++attempt) {
                user.created_at = x_clock.now();
                PARLEY_TRY(user.id.value, x_ids.next(user.created_at));
                if (insert(database, fresh, user)) return user;
                if (const auto error = taken_of(database, fresh)) return *error;
                // Who had it has let it go in between.
            }
            return Error(Errc::unavailable, "the name changed hands too often; try again");
        });
}

Task<Result<model::User>> Users::find_user(model::UserId user) {
    return x_pool.run([user](Connection& database) { return user_of(database, user); });
}

Task<Result<std::vector<model::User>>> Users::find_users(std::vector<model::UserId> users) {
    using Found = std::vector<model::User>;
    return x_pool.run([users = std::move(users)](Connection& database) -> Result<Found> {
        Found found;
        const Rows rows = database.query(
            "SELECT " PARLEY_USER_COLUMNS " FROM users WHERE id = ANY($1)", Params(users));
        for (const Row row : rows) found.push_back(read_user(row));
        return found;
    });
}

Task<Result<ports::Login>> Users::find_login(std::string key, bool by_email) {
    return x_pool.run([key = std::move(key), by_email](Connection& database) {
        return login_of(database, key, by_email);
    });
}

Task<Result<model::User>> Users::update_user(model::UserId user, ports::UserChange change) {
    return x_pool.run(
        [user, change = std::move(change)](Connection& database) -> Result<model::User> {
            try {
                return change_user(database, user, change);
            } catch (const DatabaseError& error) {
                // Somebody took the name between the look and the write.
                if (error.state() != kUniqueViolation) throw;
                return taken(Errc::username_taken);
            }
        });
}

Task<Result<model::User>> Users::change_standing(model::UserId user, ports::StandingChange change,
                                                 model::Time now) {
    return x_pool.run([user, change, now](Connection& database) -> Result<model::User> {
        Transaction transaction(database);
        PARLEY_TRY(model::User changed, write_standing(database, user, change, now));
        transaction.commit();
        return changed;
    });
}

Task<Result<void>> Users::set_password(model::UserId user, std::string password_hash,
                                       model::SessionId but, model::Time now) {
    return x_pool.run([user, hash = std::move(password_hash), but, now](Connection& database) {
        return write_password(database, user, hash, but, now);
    });
}

Task<Result<std::vector<model::User>>> Users::search_users(std::string prefix, model::UserId after,
                                                           std::size_t limit) {
    using Found = std::vector<model::User>;
    return x_pool.run(
        [prefix = std::move(prefix), after, limit](Connection& database) -> Result<Found> {
            return users_with_prefix(database, prefix, after, limit);
        });
}

Task<Result<void>> Users::note_presence(ports::PresenceNote note) {
    return x_pool.run([this, note = std::move(note)](Connection& database) -> Result<void> {
        store_presence(database, x_node, note);
        return {};
    });
}

Task<Result<std::size_t>> Users::settle_node(std::string node) {
    return x_pool.run([node = std::move(node)](Connection& database) -> Result<std::size_t> {
        std::size_t users = 0;
        for (bool all = false; !all;) {
            const Settled settled = settle_some(database, node);
            users += settled.users;
            all = settled.all;
        }
        return users;
    });
}

Task<Result<std::vector<UserName>>> Users::names_of(std::vector<model::UserId> users) {
    using Names = std::vector<UserName>;
    return x_pool.run([users = std::move(users)](Connection& database) -> Result<Names> {
        Names names(users.size());
        const Rows rows = database.query("SELECT o.n, u.username, u.last_seen_at, "
                                         "u.display_name, u.avatar_media_id FROM "
                                         "unnest($1::bigint[]) WITH ORDINALITY AS o (id, n) "
                                         "JOIN users u ON u.id = o.id",
                                         Params(users));
        for (const Row row : rows)
            names[static_cast<std::size_t>(row.integer(0) - 1)] = {
                row.string(1), row.optional_time(2), row.string(3),
                row.optional_id<model::MediaId>(4)};
        return names;
    });
}

} // namespace parley::postgres
