// REST: the way of one message, for moderators of the server: when it was taken, sequenced, stored
// and published, for how many connections of which process it was queued, and who has read it.
//
//   GET /v1/rooms/{room_id}/messages/{message_id}/trace
//
// What stands in the store is told of any message; what happened on its way of the newest ones
// (service/trace_ring.hpp). Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "ports/history.hpp"
#include "ports/room_directory.hpp"
#include "service/rooms.hpp"

namespace parley::api {

class TraceRoutes {
public:
    TraceRoutes(service::Rooms& rooms, ports::RoomDirectory& directory, ports::History& history,
                Router& router);
    TraceRoutes(const TraceRoutes&) = delete;
    TraceRoutes& operator=(const TraceRoutes&) = delete;

private:
    Task<Result<net::HttpResponse>> trace(RequestContext context);

    service::Rooms& x_rooms;
    ports::RoomDirectory& x_directory;
    ports::History& x_history;
};

} // namespace parley::api
