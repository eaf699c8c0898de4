// Store as ports::UserStore and ports::SessionStore.
#include "adapters/memory/store.hpp"

#include <algorithm>

namespace parley::memory {

namespace {
Error no_such_user() { return Error(Errc::unknown_user, "no such user"); }
} // namespace

Result<model::User> Store::add_user(ports::NewUser user) {
    const Lock lock(x_mutex);
    if (x_user_by_email_key.contains(user.email_key))
        return Error(Errc::email_taken, "this e-mail address has an account");
    if (x_user_by_name_key.contains(user.username_key))
        return Error(Errc::username_taken, "this username has an account");
    const model::UserId id{++x_last_user_id};
    x_user_by_email_key[user.email_key] = id;
    x_user_by_name_key[user.username_key] = id;
    UserRow& row = x_users[id];
    row.user.id = id;
    row.user.username = std::move(user.username);
    row.user.email = std::move(user.email);
    row.user.created_at = x_clock.now();
    row.username_key = std::move(user.username_key);
    row.email_key = std::move(user.email_key);
    row.password_hash = std::move(user.password_hash);
    return row.user;
}

Task<Result<model::User>> Store::create_user(ports::NewUser user) {
    co_return add_user(std::move(user));
}

Task<Result<model::User>> Store::find_user(model::UserId user) {
    const Lock lock(x_mutex);
    const auto found = x_users.find(user);
    if (found == x_users.end()) co_return no_such_user();
    co_return found->second.user;
}

Task<Result<std::vector<model::User>>> Store::find_users(std::vector<model::UserId> users) {
    const Lock lock(x_mutex);
    std::vector<model::User> found;
    for (const model::UserId each : users)
        if (const auto at = x_users.find(each); at != x_users.end())
            found.push_back(at->second.user);
    co_return found;
}

Task<Result<ports::Login>> Store::find_login(std::string key, bool by_email) {
    const Lock lock(x_mutex);
    const auto& index = by_email ? x_user_by_email_key : x_user_by_name_key;
    const auto found = index.find(key);
    if (found == index.end()) co_return no_such_user();
    const UserRow& row = x_users.at(found->second);
    co_return ports::Login{.user = row.user, .password_hash = row.password_hash};
}

Task<Result<model::User>> Store::update_user(model::UserId user, ports::UserChange change) {
    const Lock lock(x_mutex);
    const auto found = x_users.find(user);
    if (found == x_users.end()) co_return no_such_user();
    UserRow& row = found->second;
    if (change.username && change.username_key) {
        const auto holder = x_user_by_name_key.find(*change.username_key);
        if (holder != x_user_by_name_key.end() && holder->second != user)
            co_return Error(Errc::username_taken, "this username has an account");
        x_user_by_name_key.erase(row.username_key);
        x_user_by_name_key[*change.username_key] = user;
        row.username_key = *change.username_key;
        row.user.username = *change.username;
    }
    if (change.display_name) row.user.display_name = *change.display_name;
    if (change.avatar_media_id) row.user.avatar_media_id = change.avatar_media_id;
    if (row.user.avatar_media_id == model::MediaId{}) row.user.avatar_media_id.reset();
    co_return row.user;
}

void Store::see(model::UserId user, model::Time at) {
    const auto found = x_users.find(user);
    if (found == x_users.end()) return;
    std::optional<model::Time>& last = found->second.last_seen_at;
    if (!last || *last < at) last = at;
}

Result<void> Store::write_presence(const ports::PresenceNote& note) {
    const Lock lock(x_mutex);
    x_alive_at = std::max(x_alive_at, note.alive_at);
    x_online.insert(note.online.begin(), note.online.end());
    for (const ports::LastSeen& seen : note.offline) {
        x_online.erase(seen.user);
        see(seen.user, seen.at);
    }
    return {};
}

Task<Result<void>> Store::note_presence(ports::PresenceNote note) {
    co_return write_presence(note);
}

Task<Result<std::size_t>> Store::settle_presence() {
    const Lock lock(x_mutex);
    for (const model::UserId user : x_online) see(user, x_alive_at);
    co_return std::exchange(x_online, {}).size();
}

Result<model::User> Store::write_standing(model::UserId id, const ports::StandingChange& change,
                                          model::Time now) {
    const auto is_active_admin = [](const model::User& user) {
        return user.role == model::ServerRole::admin && !user.disabled;
    };
    const auto found = x_users.find(id);
    if (found == x_users.end()) return no_such_user();
    model::User user = found->second.user;
    user.role = change.role.value_or(user.role);
    user.disabled = change.disabled.value_or(user.disabled);
    if (found->second.user.disabled && !user.disabled && x_erasures.contains(id))
        return Error(Errc::forbidden, "this account is erased");
    const bool another = std::ranges::any_of(x_users, [&](const auto& entry) {
        return entry.first != id && is_active_admin(entry.second.user);
    });
    if (is_active_admin(found->second.user) && !is_active_admin(user) && !another)
        return Error(Errc::last_admin, "the last admin; make somebody else an admin first");
    if (user.disabled && !found->second.user.disabled) end_sessions_of(id, now);
    found->second.user = user;
    return user;
}

Task<Result<model::User>> Store::change_standing(model::UserId user, ports::StandingChange change,
                                                 model::Time now) {
    const Lock lock(x_mutex);
    co_return write_standing(user, change, now);
}

Task<Result<void>> Store::set_password(model::UserId user, std::string password_hash,
                                       model::SessionId but, model::Time now) {
    const Lock lock(x_mutex);
    const auto found = x_users.find(user);
    if (found == x_users.end()) co_return no_such_user();
    found->second.password_hash = std::move(password_hash);
    end_sessions_of(user, now, but);
    co_return Result<void>{};
}

Task<Result<std::vector<model::User>>> Store::search_users(std::string prefix, model::UserId after,
                                                           std::size_t limit) {
    const Lock lock(x_mutex);
    std::vector<model::User> users;
    for (auto at = x_users.upper_bound(after); at != x_users.end() && users.size() < limit; ++at)
        if (at->second.username_key.starts_with(prefix) || at->second.email_key.starts_with(prefix))
            users.push_back(at->second.user);
    co_return users;
}

void Store::end_sessions_of(model::UserId user, model::Time now, model::SessionId but) {
    for (auto& [id, session] : x_sessions)
        if (session.user_id == user && id != but && !session.revoked_at) session.revoked_at = now;
}

Task<Result<void>> Store::revoke_session_of(model::UserId user, model::SessionId session,
                                            model::Time now) {
    const Lock lock(x_mutex);
    const auto found = x_sessions.find(session);
    if (found == x_sessions.end() || found->second.user_id != user || found->second.revoked_at ||
        found->second.expires_at <= now)
        co_return Errc::unknown_session;
    found->second.revoked_at = now;
    co_return Result<void>{};
}

Task<Result<void>> Store::revoke_sessions_of(model::UserId user, model::SessionId but,
                                             model::Time now) {
    const Lock lock(x_mutex);
    end_sessions_of(user, now, but);
    co_return Result<void>{};
}

Task<Result<std::vector<model::Session>>> Store::sessions_of(model::UserId user,
                                                             model::SessionId before,
                                                             std::size_t limit, model::Time now) {
    const Lock lock(x_mutex);
    std::vector<model::Session> found;
    for (auto at = x_sessions.rbegin(); at != x_sessions.rend() && found.size() < limit; ++at) {
        const model::Session& session = at->second;
        const bool open = !session.revoked_at && session.expires_at > now;
        if (session.user_id == user && open && (!before || session.id < before))
            found.push_back(session);
    }
    co_return found;
}

Task<Result<model::Session>> Store::create_session(ports::NewSession session) {
    const Lock lock(x_mutex);
    const auto user = x_users.find(session.user_id);
    if (user != x_users.end() &&
        (user->second.user.disabled ||
         (!session.password_hash.empty() && session.password_hash != user->second.password_hash)))
        co_return Errc::invalid_credentials;
    const model::SessionId id{++x_last_session_id};
    model::Session& row = x_sessions[id];
    row = {.id = id,
           .user_id = session.user_id,
           .refresh_hash = std::move(session.refresh_hash),
           .created_at = session.created_at,
           .expires_at = session.expires_at,
           .revoked_at = {},
           .last_used_at = session.created_at,
           .device = std::move(session.device)};
    co_return row;
}

Task<Result<model::Session>> Store::rotate_session(model::SessionId session,
                                                   std::string presented_hash,
                                                   std::string next_hash, model::Time now,
                                                   model::Time expires_at) {
    const Lock lock(x_mutex);
    const auto found = x_sessions.find(session);
    if (found == x_sessions.end()) co_return Error(Errc::unauthorized, "no such session");
    model::Session& row = found->second;
    if (row.revoked_at) co_return Error(Errc::session_revoked, "this session was ended");
    if (row.expires_at <= now) co_return Error(Errc::unauthorized, "this session has expired");
    if (row.refresh_hash != presented_hash) {
        row.revoked_at = now;
        co_return Error(Errc::token_reused, "this token was used before; the session was ended");
    }
    row.refresh_hash = std::move(next_hash);
    row.expires_at = expires_at;
    row.last_used_at = now;
    co_return row;
}

Result<void> Store::write_revoked(model::SessionId session, model::Time now) {
    const Lock lock(x_mutex);
    const auto found = x_sessions.find(session);
    if (found != x_sessions.end() && !found->second.revoked_at) found->second.revoked_at = now;
    return {};
}

Task<Result<void>> Store::revoke_session(model::SessionId session, model::Time now) {
    co_return write_revoked(session, now);
}

Task<Result<std::vector<model::SessionId>>> Store::revoked_since(model::Time since) {
    const Lock lock(x_mutex);
    std::vector<model::SessionId> ids;
    for (const auto& [id, session] : x_sessions)
        if (session.revoked_at && *session.revoked_at >= since) ids.push_back(id);
    co_return ids;
}

} // namespace parley::memory
