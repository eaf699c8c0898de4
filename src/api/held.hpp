// REST: messages that wait for a moderator.
//
//   GET /v1/rooms/{room_id}/held                             the room's admins, the server's
//   moderators POST /v1/rooms/{room_id}/held/{held_id}/approve · /reject    the same GET
//   /v1/admin/held                                       of all rooms: the server's moderators
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "service/moderation.hpp"

namespace parley::api {

class HeldRoutes {
public:
    HeldRoutes(service::Moderation& moderation, Router& router);
    HeldRoutes(const HeldRoutes&) = delete;
    HeldRoutes& operator=(const HeldRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer list_of_room(RequestContext context);
    Answer list_all(RequestContext context);
    Answer list(RequestContext context);
    Answer approve(RequestContext context);
    Answer reject(RequestContext context);

    service::Moderation& x_moderation;
};

} // namespace parley::api
