// Accounts: who a person is to the service. Signing up, logging in and out, tokens, the profile.
//
// An access token is checked without the store: signature, claims, and Revocations. A refresh token
// works once (refresh_token.hpp); its second use ends the session everywhere.
//
// Threading: any core; holds no state of its own. Owner: app/wiring, after the ports that it
// borrows. Shutdown: calls that wait for a port end when the port answers. Errors besides those
// named: overloaded, unavailable.
#pragma once

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "chat/content_filter.hpp"
#include "ports/clock.hpp"
#include "ports/credentials.hpp"
#include "ports/entropy.hpp"
#include "ports/user_store.hpp"
#include "service/rate_limits.hpp"
#include "service/request_rates.hpp"
#include "service/revocations.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace parley::service {

struct NewAccount {
    std::string username, email, password;
    AddressBlock from{}; // where the call came from
    model::Device device{};
};

struct Credentials {
    enum class By { email, username };
    By by = By::email;
    std::string name; // the e-mail address or the username
    std::string password;
    AddressBlock from{}; // where the call came from
    model::Device device{};
};

struct PasswordChange {
    model::UserId user;
    model::SessionId session; // which goes on
    std::string present, wanted;
    AddressBlock from{};
};

struct ProfileChange { // absent: unchanged
    std::optional<std::string> username;
    std::optional<std::string> display_name; // "" clears it
    // That service::Media has attached; 0 clears it.
    std::optional<model::MediaId> avatar_media_id = {};
};

struct SignedIn {
    model::User user;
    std::string access_token, refresh_token;
    std::chrono::seconds expires_in{};
};

class Accounts {
public:
    struct Ports {
        ports::UserStore& users;
        ports::SessionStore& sessions;
        ports::PasswordHasher& hasher;
        const ports::TokenSigner& signer;
        ports::Entropy& entropy;
        const ports::Clock& clock;
        RateLimits& rates;
        const chat::ContentFilter* filter = nullptr; // of names; null: none
    };

    // `access_token_life` is at most limits::kAccessTokenLifeMax, `classic_token_life` at most
    // limits::kClassicTokenLifeMax; Revocations must remember for the longer of them.
    Accounts(const Ports& ports, Revocations& revocations, std::chrono::seconds access_token_life,
             Logger& log, Metrics& metrics,
             std::chrono::seconds classic_token_life = limits::kClassicTokenLife);

    // invalid_username, invalid_email, invalid_password, content_rejected, email_taken,
    // username_taken, rate_limited (by address).
    Task<Result<SignedIn>> sign_up(NewAccount account);
    // The same without a session.
    Task<Result<model::User>> create(NewAccount account);
    // invalid_credentials, alike for an unknown account, a wrong password and a disabled account:
    // one check of a password is done in each case. rate_limited after too many wrong ones for the
    // name that was given (alike whether there is such an account), or from the address; a right
    // one within the limit starts the account's count anew, and costs the address nothing.
    Task<Result<SignedIn>> log_in(Credentials credentials) {
        return log_in(std::move(credentials), x_access_token_life);
    }
    // The same; its access token lives as long as a classic one.
    Task<Result<SignedIn>> log_in_classic(Credentials credentials) {
        return log_in(std::move(credentials), x_classic_token_life);
    }
    // unauthorized, session_revoked, token_reused (the session has ended now).
    Task<Result<SignedIn>> refresh(std::string refresh_token);
    Task<Result<void>> log_out(model::SessionId session);

    // unauthorized, token_expired, session_revoked.
    Result<ports::AccessClaims> authenticate(std::string_view access_token) const;

    // Of one that was authenticated a moment ago.
    bool is_revoked(model::SessionId session) const { return x_revocations.is_revoked(session); }

    Task<Result<model::User>> profile(model::UserId user); // unauthorized: no such account any more
    // The user, if the account is not disabled and has at least this role; looked up in the store.
    // unauthorized, session_revoked (disabled), forbidden.
    Task<Result<model::User>> require(model::UserId user, model::ServerRole at_least) const;
    // --- for admins, who have been asked for their role
    Task<Result<std::vector<model::User>>> search(std::string_view prefix, model::UserId after,
                                                  std::size_t limit);
    Task<Result<model::User>> find(model::UserId user); // unknown_user
    Task<Result<std::vector<model::User>>> find(std::vector<model::UserId> users) {
        return x_ports.users.find_users(std::move(users)); // those that there are
    }
    // unknown_user, last_admin. Who is disabled is signed out everywhere when it answers.
    Task<Result<model::User>> change_standing(model::UserId user, ports::StandingChange change);
    Task<Result<void>> end_sessions(model::UserId user); // unknown_user
    // Ends all sessions of the user. unknown_user, invalid_password.
    Task<Result<void>> set_password(model::UserId user, std::string password);
    // By oneself. forbidden: the present password is another; invalid_password, rate_limited. All
    // other sessions have ended when it answers.
    Task<Result<void>> change_password(PasswordChange change);
    // --- one's own sessions: those that could still be used, the newest first
    Task<Result<std::vector<model::Session>>> sessions(model::UserId user, model::SessionId before,
                                                       std::size_t limit);
    Task<Result<void>> end_session(model::UserId user, model::SessionId session); // unknown_session
    Task<Result<void>> end_other_sessions(model::UserId user, model::SessionId but);
    // At once, for sessions that were ended in the store by another way.
    Task<Result<void>> look_for_revocations() { return x_revocations.look(x_ports.sessions); }

    // invalid_username, username_taken, invalid_field, too_long, content_rejected.
    Task<Result<model::User>> change_profile(model::UserId user, ProfileChange change);

    RateLimits& rates() const { return x_ports.rates; }
    // What one REST call may do.
    RequestRates rates_of_call(std::string_view peer_address) const;

private:
    Result<std::string> check_username(std::string_view name) const;
    Task<Result<SignedIn>> check_password(Credentials credentials, std::chrono::seconds token_life);
    Task<Result<SignedIn>> log_in(Credentials credentials, std::chrono::seconds token_life);
    Task<Result<SignedIn>> start_session(model::User user, std::chrono::seconds token_life,
                                         model::Device device, std::string password_hash = {});
    Task<Result<ports::Login>> find_login(const Credentials& credentials);
    SignedIn signed_in(model::User user, model::SessionId session, std::string random,
                       model::Time now, std::chrono::seconds token_life) const;

    const Ports x_ports;
    Revocations& x_revocations;
    const std::chrono::seconds x_access_token_life, x_classic_token_life;
    Logger& x_log;
    Counter &x_sign_ups, &x_log_ins, &x_refused, &x_refreshes, &x_reused;
};

} // namespace parley::service
