// Accounts and their sessions. Threading: any core. Writes are durable when they answer.
// Errors besides those named: overloaded, unavailable.
#pragma once

#include "base/task.hpp"
#include "model/user.hpp"

#include <optional>
#include <string>
#include <vector>

namespace parley::ports {

struct NewUser {
    std::string username, username_key; // key: chat::name_key, unique
    std::string email, email_key;
    std::string password_hash; // argon2id, encoded form
};

struct Login {
    model::User user;
    std::string password_hash;
};

struct UserChange { // absent: unchanged
    std::optional<std::string> username, username_key;
    std::optional<std::string> display_name;
    std::optional<model::MediaId> avatar_media_id; // 0 clears it
};

struct StandingChange { // absent: unchanged
    std::optional<model::ServerRole> role;
    std::optional<bool> disabled;
};

struct LastSeen {
    model::UserId user;
    model::Time at;
};

// What has changed about who is online since the last note.
struct PresenceNote {
    model::Time alive_at; // the process that tells this was running then
    std::vector<model::UserId> online;
    std::vector<LastSeen> offline; // and when they were last seen
};

class UserStore {
public:
    virtual Task<Result<model::User>> create_user(NewUser user) = 0; // email_taken, username_taken
    virtual Task<Result<model::User>> find_user(model::UserId user) = 0; // unknown_user
    // Those of them that there are, in no order. At most limits::kPageMax.
    virtual Task<Result<std::vector<model::User>>> find_users(std::vector<model::UserId> users) = 0;
    // By folded e-mail or folded username; unknown_user.
    virtual Task<Result<Login>> find_login(std::string key, bool by_email) = 0;
    virtual Task<Result<model::User>> update_user(model::UserId user, UserChange change) = 0;
    // unknown_user; last_admin: nobody who is an admin and not disabled would be left. Who is
    // disabled has no session any more from the same moment on.
    virtual Task<Result<model::User>> change_standing(model::UserId user, StandingChange change,
                                                      model::Time now) = 0;
    // Ends all sessions of the user in the same moment, but that one (0: all). unknown_user.
    virtual Task<Result<void>> set_password(model::UserId user, std::string password_hash,
                                            model::SessionId but, model::Time now) = 0;
    // Whose folded username or e-mail begins with `prefix` ("": all), by id ascending, ids above
    // `after`.
    virtual Task<Result<std::vector<model::User>>>
    search_users(std::string prefix, model::UserId after, std::size_t limit) = 0;
    // One write for many users. A last_seen_at only ever moves forward.
    virtual Task<Result<void>> note_presence(PresenceNote note) = 0;
    // Before anybody connects: who was noted as online by a process that then ended without a word
    // was last seen when that process was last alive. Answers how many those are.
    virtual Task<Result<std::size_t>> settle_presence() = 0;

protected:
    ~UserStore() = default;
};

struct NewSession {
    model::UserId user_id;
    std::string refresh_hash; // SHA-256, 32 bytes
    model::Time created_at, expires_at;
    // The stored hash that the password was checked against. "": not by password.
    std::string password_hash = {};
    model::Device device = {};
};

class SessionStore {
public:
    // invalid_credentials: the user was disabled, or has another password by now.
    virtual Task<Result<model::Session>> create_session(NewSession session) = 0;
    // Exchanges the refresh token. unauthorized: no such session, or expired; session_revoked;
    // token_reused: `presented_hash` is not the current one, and the session is now revoked.
    virtual Task<Result<model::Session>> rotate_session(model::SessionId session,
                                                        std::string presented_hash,
                                                        std::string next_hash, model::Time now,
                                                        model::Time expires_at) = 0;
    virtual Task<Result<void>> revoke_session(model::SessionId session, model::Time now) = 0;
    // unknown_session: not one that sessions_of() would show.
    virtual Task<Result<void>> revoke_session_of(model::UserId user, model::SessionId session,
                                                 model::Time now) = 0;
    // All of a user's sessions, but that one (0: all).
    virtual Task<Result<void>> revoke_sessions_of(model::UserId user, model::SessionId but,
                                                  model::Time now) = 0;
    // Those of a user that are neither ended nor expired, the newest first, ids below `before` (0:
    // from the newest on).
    virtual Task<Result<std::vector<model::Session>>> sessions_of(model::UserId user,
                                                                  model::SessionId before,
                                                                  std::size_t limit,
                                                                  model::Time now) = 0;
    // Sessions revoked since then, by whatever process: to refuse their access tokens.
    virtual Task<Result<std::vector<model::SessionId>>> revoked_since(model::Time since) = 0;

protected:
    ~SessionStore() = default;
};

} // namespace parley::ports
