// Accounts: UserStore and SessionStore on SQLite. Look-ups run on the reader threads, writes
// through the writer, one after the other, so that a check and the write after it cannot be torn
// apart.
//
// A session that has expired is removed by later ones, a few at a time: its token gets the same
// answer whether it is there or not.
//
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/account_rows.hpp"
#include "adapters/sqlite/id_source.hpp"
#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "ports/clock.hpp"
#include "ports/user_store.hpp"

namespace parley::sqlite {

class Accounts final : public ports::UserStore, public ports::SessionStore {
public:
    // `writing`: the writer's connection, used here now and on the writer's thread later.
    Accounts(Readers& readers, Writer& writer, Database& writing, const ports::Clock& clock);

    Task<Result<model::User>> create_user(ports::NewUser user) override;
    Task<Result<model::User>> find_user(model::UserId user) override;
    Task<Result<std::vector<model::User>>> find_users(std::vector<model::UserId> users) override;
    Task<Result<ports::Login>> find_login(std::string key, bool by_email) override;
    Task<Result<model::User>> update_user(model::UserId user, ports::UserChange change) override;
    Task<Result<model::User>> change_standing(model::UserId user, ports::StandingChange change,
                                              model::Time now) override;
    Task<Result<void>> set_password(model::UserId user, std::string password_hash,
                                    model::SessionId but, model::Time now) override;
    Task<Result<std::vector<model::User>>> search_users(std::string prefix, model::UserId after,
                                                        std::size_t limit) override;
    Task<Result<void>> note_presence(ports::PresenceNote note) override;
    Task<Result<std::size_t>> settle_presence() override;

    Task<Result<model::Session>> create_session(ports::NewSession session) override;
    Task<Result<model::Session>> rotate_session(model::SessionId session,
                                                std::string presented_hash, std::string next_hash,
                                                model::Time now, model::Time expires_at) override;
    Task<Result<void>> revoke_session(model::SessionId session, model::Time now) override;
    Task<Result<void>> revoke_session_of(model::UserId user, model::SessionId session,
                                         model::Time now) override;
    Task<Result<void>> revoke_sessions_of(model::UserId user, model::SessionId but,
                                          model::Time now) override;
    Task<Result<std::vector<model::Session>>> sessions_of(model::UserId user,
                                                          model::SessionId before,
                                                          std::size_t limit,
                                                          model::Time now) override;
    Task<Result<std::vector<model::SessionId>>> revoked_since(model::Time since) override;

private:
    // On the writer's thread, in its transaction.
    Result<model::User> insert_user(const ports::NewUser& user);
    Result<model::User> change_user(model::UserId user, const ports::UserChange& change);
    void store_presence(const ports::PresenceNote& note);
    std::size_t settle();
    Result<model::Session> insert_session(const ports::NewSession& session);
    Result<model::Session> rotate(model::SessionId session, const std::string& presented_hash,
                                  const std::string& next_hash, model::Time now,
                                  model::Time expires_at);
    void revoke(model::SessionId session, model::Time now);

    Readers& x_readers;
    Writer& x_writer;
    Database& x_writing;
    const ports::Clock& x_clock;
    IdSource x_ids;
};

} // namespace parley::sqlite
