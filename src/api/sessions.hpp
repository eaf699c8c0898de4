// REST: the caller's own sessions. What ends one closes its sockets, here at once and on other
// nodes when they look next (service/revocations.hpp).
//
//   GET, DELETE /v1/me/sessions · DELETE /v1/me/sessions/{session_id}
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "service/accounts.hpp"

namespace parley::api {

class SessionRoutes {
public:
    SessionRoutes(service::Accounts& accounts, Router& router);
    SessionRoutes(const SessionRoutes&) = delete;
    SessionRoutes& operator=(const SessionRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer list(RequestContext context);
    Answer end_one(RequestContext context);
    Answer end_others(RequestContext context);
    Answer change_password(RequestContext context);

    service::Accounts& x_accounts;
};

} // namespace parley::api
