// Users: UserStore on the directory. What must hold over several rows is one transaction:
// everything that could take the last admin away waits for one lock, so two at once cannot both
// find the other one still there.
//
// Presence is noted for the node whose name this was made with, and settle_presence() settles that
// node; settle_node() another one, which is dead.
//
// Threading: any core. Owner: the directory.
#pragma once

#include "adapters/postgres/id_source.hpp"
#include "adapters/postgres/pool.hpp"
#include "adapters/postgres/user_names.hpp"
#include "ports/clock.hpp"
#include "ports/user_store.hpp"

namespace parley::postgres {

class Users final : public ports::UserStore, public UserNames {
public:
    Users(Pool& pool, std::string node, IdSource& ids, const ports::Clock& clock)
        : x_pool(pool), x_node(std::move(node)), x_ids(ids), x_clock(clock) {}

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
    Task<Result<std::size_t>> settle_presence() override { return settle_node(x_node); }
    // As settle_presence(), for a node that is dead.
    Task<Result<std::size_t>> settle_node(std::string node);

    Task<Result<std::vector<UserName>>> names_of(std::vector<model::UserId> users) override;

private:
    Pool& x_pool;
    const std::string x_node;
    IdSource& x_ids;
    const ports::Clock& x_clock;
};

} // namespace parley::postgres
