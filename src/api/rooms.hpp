// REST: rooms, members, the public directory.
//
//   POST, GET /v1/rooms · GET /v1/rooms/directory · GET, PATCH, DELETE /v1/rooms/{room_id}
//   POST /v1/rooms/{room_id}/join · /leave · GET /v1/rooms/{room_id}/members
//   PUT, DELETE /v1/rooms/{room_id}/members/{user_id}
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "ports/room_directory.hpp"
#include "service/accounts.hpp"
#include "service/rooms.hpp"

namespace parley::api {

class RoomRoutes {
public:
    RoomRoutes(service::Rooms& rooms, ports::RoomDirectory& directory, service::Accounts& accounts,
               Router& router);
    RoomRoutes(const RoomRoutes&) = delete;
    RoomRoutes& operator=(const RoomRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer create(RequestContext context);
    Answer list_mine(RequestContext context);
    Answer search(RequestContext context);
    Answer get(RequestContext context);
    Answer change(RequestContext context);
    Answer remove(RequestContext context);
    Answer join(RequestContext context);
    Answer leave(RequestContext context);
    Answer members(RequestContext context);
    Answer put_member(RequestContext context);
    Answer remove_member(RequestContext context);

    // By what one may change a room: a role in it, a role on the server. One of them at least.
    struct ChangeRights {
        bool in_room = false, on_server = false;
    };
    Task<Result<ChangeRights>> require_change(model::UserId user, model::RoomId room);
    Answer change_membership(RequestContext context, model::MemberDraft draft);
    Answer room_answer(int status, model::UserId user, model::RoomId room);

    service::Rooms& x_rooms;
    ports::RoomDirectory& x_directory;
    service::Accounts& x_accounts;
};

// A page of the groups whose name or topic has the request's `query`.
Task<Result<net::HttpResponse>> search_rooms(ports::RoomDirectory& directory,
                                             net::HttpRequest request, ports::Groups among);

} // namespace parley::api
