// What tests of accounts and of the REST surface share: a store of users and sessions in memory, a
// clock that stands still, entropy that counts, a hasher that costs nothing, and a way to run a
// Task. Threading: one thread.
#pragma once

#include "adapters/crypto/hs256_signer.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "service/accounts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace parley::test {

template <class T>
T run(Task<T> task) {
    boost::asio::io_context io;
    std::optional<T> answer;
    boost::asio::co_spawn(io, std::move(task), [&answer](std::exception_ptr failure, T value) {
        if (failure) std::rethrow_exception(failure);
        answer.emplace(std::move(value));
    });
    io.run();
    return *std::move(answer);
}

class StillClock final : public ports::Clock {
public:
    model::Time now() const override { return time; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(time.ms));
    }
    void advance(std::chrono::milliseconds by) { time.ms += by.count(); }
    model::Time time{1'767'323'045'678};
};

class CountingEntropy final : public ports::Entropy {
public:
    void fill(std::span<std::byte> out) override {
        for (std::byte& b : out) b = static_cast<std::byte>(x_next++ * 7);
    }

private:
    unsigned x_next = 1;
};

// Remembers what it was asked.
class OpenHasher final : public ports::PasswordHasher {
public:
    Task<Result<std::string>> hash(std::string password) override {
        ++hashed;
        if (failure) co_return *failure;
        co_return "hash of " + password;
    }
    Task<Result<bool>> verify(std::string password, std::string encoded) override {
        verified.push_back(encoded);
        if (failure) co_return *failure;
        co_return encoded == "hash of " + password;
    }
    int hashed = 0;
    std::vector<std::string> verified;
    std::optional<Error> failure;
};

class AccountStore final : public ports::UserStore, public ports::SessionStore {
public:
    explicit AccountStore(const ports::Clock& clock) : x_clock(clock) {}

    Task<Result<model::User>> create_user(ports::NewUser user) override {
        if (failure) co_return *failure;
        for (const auto& [id, row] : users) {
            if (row.keys.email_key == user.email_key) co_return Errc::email_taken;
            if (row.keys.username_key == user.username_key) co_return Errc::username_taken;
        }
        Row row;
        row.user.id = {x_next++};
        row.user.username = user.username;
        row.user.email = user.email;
        row.user.created_at = x_clock.now();
        row.keys = std::move(user);
        users[row.user.id] = row;
        co_return row.user;
    }
    Task<Result<model::User>> find_user(model::UserId user) override {
        if (failure) co_return *failure;
        if (!users.contains(user)) co_return Errc::unknown_user;
        co_return users[user].user;
    }
    Task<Result<std::vector<model::User>>> find_users(std::vector<model::UserId> ids) override {
        if (failure) co_return *failure;
        std::vector<model::User> found;
        for (const model::UserId id : ids)
            if (users.contains(id)) found.push_back(users[id].user);
        co_return found;
    }
    Task<Result<ports::Login>> find_login(std::string key, bool by_email) override {
        if (failure) co_return *failure;
        for (const auto& [id, row] : users)
            if ((by_email ? row.keys.email_key : row.keys.username_key) == key) {
                ports::Login login{row.user, row.keys.password_hash};
                co_return login;
            }
        co_return Errc::unknown_user;
    }
    Task<Result<model::User>> update_user(model::UserId user, ports::UserChange change) override {
        if (failure) co_return *failure;
        if (!users.contains(user)) co_return Errc::unknown_user;
        if (change.username_key)
            for (const auto& [id, row] : users)
                if (id != user && row.keys.username_key == *change.username_key)
                    co_return Errc::username_taken;
        Row& row = users[user];
        if (change.username) row.user.username = *change.username;
        if (change.username_key) row.keys.username_key = *change.username_key;
        if (change.display_name) row.user.display_name = *change.display_name;
        co_return row.user;
    }
    Task<Result<model::User>> change_standing(model::UserId user, ports::StandingChange change,
                                              model::Time now) override {
        if (failure) co_return *failure;
        if (!users.contains(user)) co_return Errc::unknown_user;
        model::User& row = users[user].user;
        if (change.role) row.role = *change.role;
        if (change.disabled) row.disabled = *change.disabled;
        if (row.disabled) end_sessions_of(user, now);
        co_return row;
    }
    Task<Result<void>> set_password(model::UserId user, std::string hash, model::SessionId but,
                                    model::Time now) override {
        if (failure) co_return *failure;
        if (!users.contains(user)) co_return Errc::unknown_user;
        users[user].keys.password_hash = std::move(hash);
        end_sessions_of(user, now, but);
        co_return Result<void>{};
    }
    Task<Result<std::vector<model::User>>> search_users(std::string prefix, model::UserId after,
                                                        std::size_t limit) override {
        if (failure) co_return *failure;
        std::vector<model::User> found;
        for (auto at = users.upper_bound(after); at != users.end() && found.size() < limit; ++at)
            if (at->second.keys.username_key.starts_with(prefix)) found.push_back(at->second.user);
        co_return found;
    }
    Task<Result<void>> note_presence(ports::PresenceNote) override { co_return Result<void>{}; }
    Task<Result<std::size_t>> settle_presence() override { co_return 0u; }

    Task<Result<model::Session>> create_session(ports::NewSession wanted) override {
        if (failure) co_return *failure;
        if (before_session) before_session();
        const auto user = users.find(wanted.user_id);
        if (user != users.end() && (user->second.user.disabled ||
                                    (!wanted.password_hash.empty() &&
                                     wanted.password_hash != user->second.keys.password_hash)))
            co_return Errc::invalid_credentials;
        model::Session session;
        session.id = {x_next++};
        session.user_id = wanted.user_id;
        session.refresh_hash = wanted.refresh_hash;
        session.created_at = wanted.created_at;
        session.expires_at = wanted.expires_at;
        session.last_used_at = wanted.created_at;
        session.device = wanted.device;
        sessions[session.id] = session;
        co_return session;
    }
    Task<Result<model::Session>> rotate_session(model::SessionId id, std::string presented_hash,
                                                std::string next_hash, model::Time now,
                                                model::Time expires_at) override {
        ++rotations;
        if (failure) co_return *failure;
        if (!sessions.contains(id) || sessions[id].expires_at <= now) co_return Errc::unauthorized;
        model::Session& session = sessions[id];
        if (session.revoked_at) co_return Errc::session_revoked;
        if (session.refresh_hash != presented_hash) {
            session.revoked_at = now;
            co_return Errc::token_reused;
        }
        session.refresh_hash = next_hash;
        session.expires_at = expires_at;
        session.last_used_at = now;
        co_return session;
    }
    Task<Result<void>> revoke_session(model::SessionId id, model::Time now) override {
        if (failure) co_return *failure;
        if (sessions.contains(id) && !sessions[id].revoked_at) sessions[id].revoked_at = now;
        co_return Result<void>{};
    }
    Task<Result<void>> revoke_session_of(model::UserId user, model::SessionId id,
                                         model::Time now) override {
        if (failure) co_return *failure;
        if (!sessions.contains(id) || sessions[id].user_id != user || sessions[id].revoked_at)
            co_return Errc::unknown_session;
        sessions[id].revoked_at = now;
        co_return Result<void>{};
    }
    Task<Result<void>> revoke_sessions_of(model::UserId user, model::SessionId but,
                                          model::Time now) override {
        if (failure) co_return *failure;
        end_sessions_of(user, now, but);
        co_return Result<void>{};
    }
    Task<Result<std::vector<model::Session>>> sessions_of(model::UserId user,
                                                          model::SessionId before,
                                                          std::size_t limit,
                                                          model::Time now) override {
        if (failure) co_return *failure;
        std::vector<model::Session> found;
        for (auto at = sessions.rbegin(); at != sessions.rend() && found.size() < limit; ++at)
            if (at->second.user_id == user && !at->second.revoked_at &&
                at->second.expires_at > now && (!before || at->first < before))
                found.push_back(at->second);
        co_return found;
    }
    Task<Result<std::vector<model::SessionId>>> revoked_since(model::Time since) override {
        if (failure) co_return *failure;
        std::vector<model::SessionId> found;
        for (const auto& [id, session] : sessions)
            if (session.revoked_at && *session.revoked_at >= since) found.push_back(id);
        co_return found;
    }

    struct Row {
        model::User user;
        ports::NewUser keys;
    };
    std::map<model::UserId, Row> users;
    std::map<model::SessionId, model::Session> sessions;
    std::optional<Error> failure;         // of every call
    std::function<void()> before_session; // what another does while a password is checked
    int rotations = 0;

private:
    void end_sessions_of(model::UserId user, model::Time now, model::SessionId but = {}) {
        for (auto& [id, session] : sessions)
            if (session.user_id == user && id != but && !session.revoked_at)
                session.revoked_at = now;
    }

    const ports::Clock& x_clock;
    std::int64_t x_next = 1'000;
};

// Accounts with everything that they need.
struct AccountHouse {
    Metrics metrics;
    SilentLogger log;
    StillClock clock;
    CountingEntropy entropy;
    OpenHasher hasher;
    AccountStore store{clock};
    crypto::Hs256Signer signer{"0123456789abcdef0123456789abcdef"};
    service::Revocations revocations{clock, metrics};
    service::RateLimits rates{{}, metrics};
    service::Accounts accounts{{store, store, hasher, signer, entropy, clock, rates},
                               revocations,
                               limits::kAccessTokenLife,
                               log,
                               metrics};

    service::SignedIn sign_up(std::string name = "anna") {
        std::string email = name + "@example.org";
        return *run(accounts.sign_up({std::move(name), std::move(email), "correct horse", {}}));
    }
    Result<service::SignedIn>
    log_in(std::string name, std::string password,
           service::Credentials::By by = service::Credentials::By::email) {
        return run(accounts.log_in({by, std::move(name), std::move(password), {}}));
    }
};

} // namespace parley::test
