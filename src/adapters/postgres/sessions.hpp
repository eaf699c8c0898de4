// Sessions: SessionStore on the directory. An exchange of a refresh token holds its session's row:
// of two with the same token the second one finds it used. A log-in holds its user's row until it
// is stored, so that a new password or a disabled account ends also this session.
//
// A session that has expired is removed by later ones, a few at a time: its token gets the same
// answer whether it is there or not.
//
// Threading: any core. Owner: the directory.
#pragma once

#include "adapters/postgres/id_source.hpp"
#include "adapters/postgres/pool.hpp"
#include "ports/user_store.hpp"

namespace parley::postgres {

class Sessions final : public ports::SessionStore {
public:
    Sessions(Pool& pool, IdSource& ids) : x_pool(pool), x_ids(ids) {}

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
    Pool& x_pool;
    IdSource& x_ids;
};

} // namespace parley::postgres
