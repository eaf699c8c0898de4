#include "adapters/sqlite/accounts.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace parley::sqlite {
namespace {

// Whether somebody else than `self` has it.
bool username_taken(Database& database, std::string_view key, model::UserId self) {
    auto query = database.query("SELECT 1 FROM users WHERE username_key = ?1 AND id <> ?2");
    query.bind(key, self);
    return query.row();
}

bool email_taken(Database& database, std::string_view key) {
    auto query = database.query("SELECT 1 FROM users WHERE email_key = ?");
    query.bind(key);
    return query.row();
}

Error taken(Errc code) {
    return code == Errc::email_taken ? Error(code, "this e-mail address has an account already")
                                     : Error(code, "this username is taken");
}

Result<ports::Login> login_of(Database& database, std::string_view key, bool by_email) {
    auto query = database.query(by_email ? "SELECT " PARLEY_USER_COLUMNS
                                           ", password_hash FROM users WHERE email_key = ?"
                                         : "SELECT " PARLEY_USER_COLUMNS
                                           ", password_hash FROM users WHERE username_key = ?");
    query.bind(key);
    if (!query.row()) return unknown_user();
    return ports::Login{read_user(query), query.string(kUserColumns)};
}

std::int64_t greatest_id(Database& database) {
    return database.pragma("SELECT max(ifnull((SELECT max(id) FROM users), 0), "
                           "ifnull((SELECT max(id) FROM sessions), 0))");
}

} // namespace

Accounts::Accounts(Readers& readers, Writer& writer, Database& writing, const ports::Clock& clock)
    : x_readers(readers),
      x_writer(writer),
      x_writing(writing),
      x_clock(clock),
      x_ids(0, greatest_id(writing)) {}

// --- users
// -----------------------------------------------------------------------------------------

Task<Result<model::User>> Accounts::create_user(ports::NewUser user) {
    return x_writer.run(
        [this, user = std::move(user)]() -> Result<model::User> { return insert_user(user); });
}

Result<model::User> Accounts::insert_user(const ports::NewUser& fresh) {
    if (email_taken(x_writing, fresh.email_key)) return taken(Errc::email_taken);
    if (username_taken(x_writing, fresh.username_key, {})) return taken(Errc::username_taken);
    model::User user;
    user.created_at = x_clock.now();
    user.id = {x_ids.next(user.created_at)};
    user.username = fresh.username;
    user.email = fresh.email;
    x_writing
        .query("INSERT INTO users (id, username, username_key, email, email_key, password_hash, "
               "created_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(user.id, fresh.username, fresh.username_key, fresh.email, fresh.email_key,
              fresh.password_hash, user.created_at)
        .run();
    return user;
}

Task<Result<model::User>> Accounts::find_user(model::UserId user) {
    return x_readers.read([user](Database& database) { return user_of(database, user); });
}

Task<Result<std::vector<model::User>>> Accounts::find_users(std::vector<model::UserId> users) {
    using Found = std::vector<model::User>;
    return x_readers.read([users = std::move(users)](Database& database) -> Result<Found> {
        Found found;
        for (const model::UserId each : users)
            if (auto user = user_of(database, each)) found.push_back(*std::move(user));
        return found;
    });
}

Task<Result<ports::Login>> Accounts::find_login(std::string key, bool by_email) {
    return x_readers.read([key = std::move(key), by_email](Database& database) {
        return login_of(database, key, by_email);
    });
}

Task<Result<model::User>> Accounts::update_user(model::UserId user, ports::UserChange change) {
    return x_writer.run([this, user, change = std::move(change)]() -> Result<model::User> {
        return change_user(user, change);
    });
}

Result<model::User> Accounts::change_user(model::UserId id, const ports::UserChange& change) {
    PARLEY_TRY(model::User user, user_of(x_writing, id));
    if (change.username_key && username_taken(x_writing, *change.username_key, id))
        return taken(Errc::username_taken);
    if (change.username) user.username = *change.username;
    if (change.display_name) user.display_name = *change.display_name;
    if (change.avatar_media_id) user.avatar_media_id = change.avatar_media_id;
    if (user.avatar_media_id == model::MediaId{}) user.avatar_media_id.reset();
    x_writing
        .query("UPDATE users SET username = ?2, username_key = ifnull(?3, username_key), "
               "display_name = ?4, avatar_media_id = ?5 WHERE id = ?1")
        .bind(id, user.username, change.username_key, user.display_name, user.avatar_media_id)
        .run();
    return user;
}

Task<Result<void>> Accounts::note_presence(ports::PresenceNote note) {
    return x_writer.run([this, note = std::move(note)]() -> Result<void> {
        store_presence(note);
        return {};
    });
}

void Accounts::store_presence(const ports::PresenceNote& note) {
    x_writing.query("UPDATE meta SET value = ?1 WHERE key = 'alive_at' AND value < ?1")
        .bind(note.alive_at)
        .run();
    for (const model::UserId user : note.online)
        x_writing.query("INSERT OR IGNORE INTO online_users (user_id) VALUES (?)").bind(user).run();
    for (const ports::LastSeen& seen : note.offline) {
        x_writing.query("DELETE FROM online_users WHERE user_id = ?").bind(seen.user).run();
        x_writing
            .query("UPDATE users SET last_seen_at = ?2 "
                   "WHERE id = ?1 AND (last_seen_at IS NULL OR last_seen_at < ?2)")
            .bind(seen.user, seen.at)
            .run();
    }
}

Task<Result<std::size_t>> Accounts::settle_presence() {
    return x_writer.run([this]() -> Result<std::size_t> { return settle(); });
}

std::size_t Accounts::settle() {
    x_writing
        .query("UPDATE users SET last_seen_at = max(ifnull(last_seen_at, 0), "
               "(SELECT value FROM meta WHERE key = 'alive_at')) "
               "WHERE id IN (SELECT user_id FROM online_users)")
        .run();
    const auto settled = static_cast<std::size_t>(x_writing.changes());
    x_writing.query("DELETE FROM online_users").run();
    return settled;
}

Task<Result<model::User>> Accounts::change_standing(model::UserId user,
                                                    ports::StandingChange change, model::Time now) {
    return x_writer.run([this, user, change, now]() -> Result<model::User> {
        return write_standing(x_writing, user, change, now);
    });
}

Task<Result<void>> Accounts::set_password(model::UserId user, std::string password_hash,
                                          model::SessionId but, model::Time now) {
    return x_writer.run([this, user, hash = std::move(password_hash), but, now]() -> Result<void> {
        return write_password(x_writing, user, hash, but, now);
    });
}

Task<Result<std::vector<model::User>>>
Accounts::search_users(std::string prefix, model::UserId after, std::size_t limit) {
    using Users = std::vector<model::User>;
    return x_readers.read(
        [prefix = std::move(prefix), after, limit](Database& database) -> Result<Users> {
            return users_with_prefix(database, prefix, after, limit);
        });
}

// --- sessions
// --------------------------------------------------------------------------------------

Task<Result<model::Session>> Accounts::create_session(ports::NewSession session) {
    return x_writer.run([this, session = std::move(session)]() -> Result<model::Session> {
        return insert_session(session);
    });
}

Result<model::Session> Accounts::insert_session(const ports::NewSession& fresh) {
    // The password was checked a while ago, outside any transaction.
    {
        auto query = x_writing.query("SELECT disabled, password_hash FROM users WHERE id = ?");
        query.bind(fresh.user_id);
        const bool known = query.row();
        if (known && query.integer(0) != 0) return Errc::invalid_credentials;
        if (known && !fresh.password_hash.empty() && query.text(1) != fresh.password_hash)
            return Errc::invalid_credentials;
    }
    x_writing
        .query("DELETE FROM sessions WHERE id IN "
               "(SELECT id FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT 2)")
        .bind(fresh.created_at)
        .run();
    model::Session session;
    session.id = {x_ids.next(fresh.created_at)};
    session.user_id = fresh.user_id;
    session.refresh_hash = fresh.refresh_hash;
    session.created_at = fresh.created_at;
    session.expires_at = fresh.expires_at;
    session.last_used_at = fresh.created_at;
    session.device = fresh.device;
    x_writing
        .query("INSERT INTO sessions (id, user_id, refresh_hash, created_at, expires_at, "
               "last_used_at, user_agent, address) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(session.id, session.user_id, Blob{session.refresh_hash}, session.created_at,
              session.expires_at, session.last_used_at, session.device.user_agent,
              session.device.address)
        .run();
    return session;
}

Task<Result<model::Session>> Accounts::rotate_session(model::SessionId session,
                                                      std::string presented_hash,
                                                      std::string next_hash, model::Time now,
                                                      model::Time expires_at) {
    return x_writer.run([this, session, presented = std::move(presented_hash),
                         next = std::move(next_hash), now,
                         expires_at] { return rotate(session, presented, next, now, expires_at); });
}

Result<model::Session> Accounts::rotate(model::SessionId id, const std::string& presented_hash,
                                        const std::string& next_hash, model::Time now,
                                        model::Time expires_at) {
    model::Session session;
    {
        auto query = x_writing.query("SELECT user_id, refresh_hash, created_at, expires_at, "
                                     "revoked_at FROM sessions WHERE id = ?");
        query.bind(id);
        if (!query.row()) return Error(Errc::unauthorized, "there is no such session");
        session.id = id;
        session.user_id = query.id<model::UserId>(0);
        session.refresh_hash = query.string(1);
        session.created_at = query.time(2);
        session.expires_at = query.time(3);
        session.revoked_at = query.optional_time(4);
    }
    if (session.revoked_at) return Error(Errc::session_revoked, "this session was ended");
    if (session.expires_at <= now) return Error(Errc::unauthorized, "this session has expired");
    // Hashes of secrets: how long a comparison takes tells nothing about the secret.
    if (session.refresh_hash != presented_hash) {
        revoke(id, now);
        return Error(Errc::token_reused, "this refresh token was used before: log in again");
    }
    session.refresh_hash = next_hash;
    session.expires_at = expires_at;
    session.last_used_at = now;
    x_writing
        .query("UPDATE sessions SET refresh_hash = ?2, expires_at = ?3, last_used_at = ?4 "
               "WHERE id = ?1")
        .bind(id, Blob{next_hash}, expires_at, now)
        .run();
    return session;
}

Task<Result<void>> Accounts::revoke_session(model::SessionId session, model::Time now) {
    return x_writer.run([this, session, now]() -> Result<void> {
        revoke(session, now);
        return {};
    });
}

void Accounts::revoke(model::SessionId session, model::Time now) {
    x_writing.query("UPDATE sessions SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")
        .bind(session, now)
        .run();
}

Task<Result<void>> Accounts::revoke_session_of(model::UserId user, model::SessionId session,
                                               model::Time now) {
    return x_writer.run([this, user, session, now]() -> Result<void> {
        x_writing
            .query("UPDATE sessions SET revoked_at = ?3 WHERE id = ?1 AND user_id = ?2 AND "
                   "revoked_at IS NULL AND expires_at > ?3")
            .bind(session, user, now)
            .run();
        if (x_writing.changes() == 0) return Errc::unknown_session;
        return {};
    });
}

Task<Result<void>> Accounts::revoke_sessions_of(model::UserId user, model::SessionId but,
                                                model::Time now) {
    return x_writer.run([this, user, but, now]() -> Result<void> {
        end_sessions_of(x_writing, user, now, but);
        return {};
    });
}

Task<Result<std::vector<model::Session>>> Accounts::sessions_of(model::UserId user,
                                                                model::SessionId before,
                                                                std::size_t limit,
                                                                model::Time now) {
    using Sessions = std::vector<model::Session>;
    // One more than a page: how callers learn whether there is a next one.
    limit = std::min(limit, limits::kPageMax + 1);
    return x_readers.read([=](Database& database) -> Result<Sessions> {
        Sessions found;
        auto query = database.query("SELECT " PARLEY_SESSION_COLUMNS
                                    " FROM sessions WHERE user_id = ?1 AND revoked_at IS NULL AND "
                                    "expires_at > ?2 AND (?3 = 0 OR id < ?3) "
                                    "ORDER BY id DESC LIMIT ?4");
        query.bind(user, now, before, limit);
        while (query.row()) found.push_back(ports::read_session(query));
        return found;
    });
}

Task<Result<std::vector<model::SessionId>>> Accounts::revoked_since(model::Time since) {
    using Sessions = std::vector<model::SessionId>;
    return x_readers.read([since](Database& database) -> Result<Sessions> {
        Sessions revoked;
        auto query = database.query("SELECT id FROM sessions WHERE revoked_at >= ? ORDER BY id");
        query.bind(since);
        while (query.row()) revoked.push_back(query.id<model::SessionId>(0));
        return revoked;
    });
}

} // namespace parley::sqlite
