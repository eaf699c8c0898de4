#include "service/accounts.hpp"

#include "base/assert.hpp"
#include "chat/names.hpp"
#include "service/refresh_token.hpp"

namespace parley::service {

namespace {

model::Time after(model::Time now, std::chrono::milliseconds life) {
    return {now.ms + life.count()};
}

} // namespace

Accounts::Accounts(const Ports& ports, Revocations& revocations,
                   std::chrono::seconds access_token_life, Logger& log, Metrics& metrics,
                   std::chrono::seconds classic_token_life)
    : x_ports(ports),
      x_revocations(revocations),
      x_access_token_life(access_token_life),
      x_classic_token_life(classic_token_life),
      x_log(log),
      x_sign_ups(metrics.counter("parley_sign_ups_total", "Accounts made")),
      x_log_ins(metrics.counter("parley_log_ins_total", "Log-ins by password", "result=\"ok\"")),
      x_refused(
          metrics.counter("parley_log_ins_total", "Log-ins by password", "result=\"refused\"")),
      x_refreshes(metrics.counter("parley_refreshes_total", "Refresh tokens exchanged")),
      x_reused(metrics.counter("parley_refresh_tokens_reused_total",
                               "Refresh tokens used twice, each of which ended a session")) {
    PARLEY_ASSERT(access_token_life > std::chrono::seconds(0) &&
                  access_token_life <= limits::kAccessTokenLifeMax);
    PARLEY_ASSERT(classic_token_life > std::chrono::seconds(0) &&
                  classic_token_life <= limits::kClassicTokenLifeMax);
}

RequestRates Accounts::rates_of_call(std::string_view peer_address) const {
    return {x_ports.rates, address_block(peer_address), x_ports.clock.steady()};
}

Result<std::string> Accounts::check_username(std::string_view name) const {
    PARLEY_TRY(std::string username, chat::check_username(name));
    if (x_ports.filter) PARLEY_CHECK(x_ports.filter->check_name(username));
    return username;
}

Task<Result<SignedIn>> Accounts::sign_up(NewAccount account) {
    model::Device device = std::move(account.device);
    PARLEY_CO_TRY(model::User made, co_await create(std::move(account)));
    co_return co_await start_session(std::move(made), x_access_token_life, std::move(device));
}

Task<Result<model::User>> Accounts::create(NewAccount account) {
    const auto steady = x_ports.clock.steady();
    PARLEY_CO_CHECK(x_ports.rates.take(Limit::address_sign_ups,
                                       *x_ports.rates.of_address(account.from, steady), steady));
    ports::NewUser user;
    PARLEY_CO_TRY(user.username, check_username(account.username));
    PARLEY_CO_TRY(user.email, chat::check_email(account.email));
    PARLEY_CO_CHECK(chat::check_password(account.password));
    user.username_key = chat::name_key(user.username);
    user.email_key = chat::name_key(user.email);
    PARLEY_CO_TRY(user.password_hash, co_await x_ports.hasher.hash(std::move(account.password)));
    PARLEY_CO_TRY(model::User made, co_await x_ports.users.create_user(std::move(user)));
    x_sign_ups.add();
    co_return made;
}

// An unknown account is a login with no hash.
Task<Result<ports::Login>> Accounts::find_login(const Credentials& credentials) {
    const bool by_email = credentials.by == Credentials::By::email;
    auto found = co_await x_ports.users.find_login(chat::name_key(credentials.name), by_email);
    if (!found && found.error().code == Errc::unknown_user) co_return ports::Login{};
    co_return found;
}

// Paid before the password is looked at, so that many at once gain nothing; given back when it was
// no wrong guess.
Task<Result<SignedIn>> Accounts::log_in(Credentials credentials, std::chrono::seconds token_life) {
    RateLimits& rates = x_ports.rates;
    const auto steady = x_ports.clock.steady();
    const std::string key =
        chat::name_key(std::string_view(credentials.name).substr(0, limits::kEmailBytes));
    const RateRecordRef account = rates.of_account(key, steady);
    const RateRecordRef address = rates.of_address(credentials.from, steady);
    PARLEY_CO_CHECK(rates.take(Limit::account_log_ins, *account, steady));
    if (auto taken = rates.take(Limit::address_log_ins, *address, steady); !taken) {
        rates.give_back(Limit::account_log_ins, *account);
        co_return std::move(taken).error();
    }
    auto done = co_await check_password(std::move(credentials), token_life);
    const bool guess = !done && done.error().code == Errc::invalid_credentials;
    if (done) rates.forgive(Limit::account_log_ins, *account);
    if (!done && !guess) rates.give_back(Limit::account_log_ins, *account);
    if (!guess) rates.give_back(Limit::address_log_ins, *address);
    co_return done;
}

Task<Result<SignedIn>> Accounts::check_password(Credentials credentials,
                                                std::chrono::seconds token_life) {
    // What no account can have is refused without work. That depends on the input only, so it says
    // nothing about any account.
    if (credentials.name.size() > limits::kEmailBytes ||
        !chat::check_password(credentials.password)) {
        x_refused.add();
        co_return Errc::invalid_credentials;
    }
    PARLEY_CO_TRY(ports::Login login, co_await find_login(credentials));
    const bool known = !login.password_hash.empty();
    PARLEY_CO_TRY(const bool fits, co_await x_ports.hasher.verify(std::move(credentials.password),
                                                                  login.password_hash));
    if (!fits || !known || login.user.disabled) {
        x_refused.add();
        co_return Errc::invalid_credentials;
    }
    auto session =
        co_await start_session(std::move(login.user), token_life, std::move(credentials.device),
                               std::move(login.password_hash));
    // Disabled, or with another password, since it was looked up.
    if (!session && session.error().code == Errc::invalid_credentials)
        x_refused.add();
    else
        x_log_ins.add();
    co_return session;
}

Task<Result<SignedIn>> Accounts::start_session(model::User user, std::chrono::seconds token_life,
                                               model::Device device, std::string password_hash) {
    const model::Time now = x_ports.clock.now();
    std::string random = make_refresh_random(x_ports.entropy);
    ports::NewSession wanted;
    wanted.user_id = user.id;
    wanted.refresh_hash = x_ports.signer.digest(random);
    wanted.created_at = now;
    wanted.expires_at = after(now, limits::kRefreshTokenLife);
    wanted.password_hash = std::move(password_hash);
    wanted.device = std::move(device);
    PARLEY_CO_TRY(const model::Session session,
                  co_await x_ports.sessions.create_session(std::move(wanted)));
    co_return signed_in(std::move(user), session.id, std::move(random), now, token_life);
}

SignedIn Accounts::signed_in(model::User user, model::SessionId session, std::string random,
                             model::Time now, std::chrono::seconds token_life) const {
    SignedIn answer;
    answer.access_token = x_ports.signer.sign({user.id, session, now, after(now, token_life)});
    answer.refresh_token = encode({session, std::move(random)}, x_ports.signer);
    answer.expires_in = token_life;
    answer.user = std::move(user);
    return answer;
}

Task<Result<SignedIn>> Accounts::refresh(std::string refresh_token) {
    const auto token = decode_refresh_token(refresh_token, x_ports.signer);
    if (!token) co_return Errc::unauthorized;
    const model::Time now = x_ports.clock.now();
    std::string random = make_refresh_random(x_ports.entropy);
    auto session = co_await x_ports.sessions.rotate_session(
        token->session_id, x_ports.signer.digest(token->random), x_ports.signer.digest(random), now,
        after(now, limits::kRefreshTokenLife));
    if (!session) {
        if (session.error().code == Errc::token_reused) {
            x_reused.add();
            x_log.warning("refresh token used twice, session ended",
                          {{"session", token->session_id.to_string()}});
            x_revocations.revoke(token->session_id);
        }
        co_return session.error();
    }
    PARLEY_CO_TRY(model::User user, co_await profile(session->user_id));
    if (user.disabled) {
        PARLEY_CO_CHECK(co_await log_out(session->id));
        co_return Errc::session_revoked;
    }
    x_refreshes.add();
    co_return signed_in(std::move(user), session->id, std::move(random), now, x_access_token_life);
}

Task<Result<void>> Accounts::log_out(model::SessionId session) {
    PARLEY_CO_CHECK(co_await x_ports.sessions.revoke_session(session, x_ports.clock.now()));
    x_revocations.revoke(session);
    co_return Result<void>{};
}

Result<ports::AccessClaims> Accounts::authenticate(std::string_view access_token) const {
    PARLEY_TRY(ports::AccessClaims claims,
               x_ports.signer.verify(access_token, x_ports.clock.now()));
    if (x_revocations.is_revoked(claims.session_id)) return Errc::session_revoked;
    return claims;
}

Task<Result<model::User>> Accounts::profile(model::UserId user) {
    auto found = co_await x_ports.users.find_user(user);
    if (!found && found.error().code == Errc::unknown_user) co_return Errc::unauthorized;
    co_return found;
}

Task<Result<model::User>> Accounts::require(model::UserId user, model::ServerRole at_least) const {
    auto found = co_await x_ports.users.find_user(user);
    if (!found && found.error().code == Errc::unknown_user) co_return Errc::unauthorized;
    if (!found) co_return found;
    if (found->disabled) co_return Errc::session_revoked;
    if (found->role < at_least)
        co_return Error(Errc::forbidden, at_least == model::ServerRole::admin
                                             ? "only an admin of this server may do that"
                                             : "only a moderator or admin of this server may do "
                                               "that");
    co_return found;
}

Task<Result<std::vector<model::User>>> Accounts::search(std::string_view prefix,
                                                        model::UserId after, std::size_t limit) {
    return x_ports.users.search_users(chat::name_key(prefix), after, limit);
}

Task<Result<model::User>> Accounts::find(model::UserId user) {
    return x_ports.users.find_user(user);
}

Task<Result<model::User>> Accounts::change_standing(model::UserId user,
                                                    ports::StandingChange change) {
    PARLEY_CO_TRY(model::User changed,
                  co_await x_ports.users.change_standing(user, change, x_ports.clock.now()));
    PARLEY_CO_CHECK(co_await x_revocations.look(x_ports.sessions));
    co_return changed;
}

Task<Result<void>> Accounts::end_sessions(model::UserId user) {
    PARLEY_CO_CHECK(co_await x_ports.users.find_user(user));
    PARLEY_CO_CHECK(co_await x_ports.sessions.revoke_sessions_of(user, {}, x_ports.clock.now()));
    co_return co_await x_revocations.look(x_ports.sessions);
}

Task<Result<void>> Accounts::set_password(model::UserId user, std::string password) {
    PARLEY_CO_CHECK(co_await x_ports.users.find_user(user));
    PARLEY_CO_CHECK(chat::check_password(password));
    PARLEY_CO_TRY(std::string hash, co_await x_ports.hasher.hash(std::move(password)));
    PARLEY_CO_CHECK(
        co_await x_ports.users.set_password(user, std::move(hash), {}, x_ports.clock.now()));
    co_return co_await x_revocations.look(x_ports.sessions);
}

// The proof is a log-in, with all that limits these; its session ends with the others.
Task<Result<void>> Accounts::change_password(PasswordChange change) {
    PARLEY_CO_CHECK(chat::check_password(change.wanted));
    PARLEY_CO_TRY(const model::User user, co_await profile(change.user));
    Credentials proof;
    proof.by = Credentials::By::email;
    proof.name = user.email;
    proof.password = std::move(change.present);
    proof.from = change.from;
    const auto proved = co_await log_in(std::move(proof));
    if (!proved && proved.error().code == Errc::invalid_credentials)
        co_return Error(Errc::forbidden, "current_password is not your password");
    if (!proved) co_return proved.error();
    PARLEY_CO_TRY(std::string hash, co_await x_ports.hasher.hash(std::move(change.wanted)));
    PARLEY_CO_CHECK(co_await x_ports.users.set_password(user.id, std::move(hash), change.session,
                                                        x_ports.clock.now()));
    co_return co_await x_revocations.look(x_ports.sessions);
}

Task<Result<std::vector<model::Session>>>
Accounts::sessions(model::UserId user, model::SessionId before, std::size_t limit) {
    return x_ports.sessions.sessions_of(user, before, limit, x_ports.clock.now());
}

Task<Result<void>> Accounts::end_session(model::UserId user, model::SessionId session) {
    PARLEY_CO_CHECK(
        co_await x_ports.sessions.revoke_session_of(user, session, x_ports.clock.now()));
    x_revocations.revoke(session);
    co_return Result<void>{};
}

Task<Result<void>> Accounts::end_other_sessions(model::UserId user, model::SessionId but) {
    PARLEY_CO_CHECK(co_await x_ports.sessions.revoke_sessions_of(user, but, x_ports.clock.now()));
    co_return co_await x_revocations.look(x_ports.sessions);
}

Task<Result<model::User>> Accounts::change_profile(model::UserId user, ProfileChange change) {
    ports::UserChange wanted;
    if (change.username) {
        PARLEY_CO_TRY(wanted.username, check_username(*change.username));
        wanted.username_key = chat::name_key(*wanted.username);
    }
    if (change.display_name) {
        PARLEY_CO_TRY(wanted.display_name, chat::check_display_name(*change.display_name));
        if (x_ports.filter) PARLEY_CO_CHECK(x_ports.filter->check_name(*wanted.display_name));
    }
    wanted.avatar_media_id = change.avatar_media_id;
    if (!wanted.username && !wanted.display_name && !wanted.avatar_media_id)
        co_return co_await profile(user);
    auto changed = co_await x_ports.users.update_user(user, std::move(wanted));
    if (!changed && changed.error().code == Errc::unknown_user) co_return Errc::unauthorized;
    co_return changed;
}

} // namespace parley::service
