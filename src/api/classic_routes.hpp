// REST, classic: the calls of the Go application, with its paths, shapes and statuses, on the same
// accounts, rooms and log as v1.
//
//   POST /user/signup · POST /user/login · POST /user/createroom · GET, POST /user/joinroom
//   GET /user/getrooms · GET /user/members · GET /user/history · GET /img/url · GET /health
//
// A classic room is a v1 group: GROUP is a public one; DM is a pair (model::Visibility::pair), a
// private one of at most two, which is joined by who knows its id and its name. A private room of
// v1 cannot be joined here, and is no different from one that is not there.
//
// Threading: its core. Owner: Api. Bounds: lists have at most limits::kClassicListMax entries.
#pragma once

#include "api/router.hpp"
#include "ports/clock.hpp"
#include "ports/history.hpp"
#include "ports/room_directory.hpp"
#include "service/media.hpp"
#include "service/rooms.hpp"

namespace parley::api {

class ClassicRoutes {
public:
    struct Parts {
        service::Accounts& accounts;
        service::Rooms& rooms;
        ports::RoomDirectory& directory;
        ports::History& history;
        const ports::Clock& clock;
        service::Media* media = nullptr; // null where none are served
    };

    ClassicRoutes(const Parts& parts, Router& router);
    ClassicRoutes(const ClassicRoutes&) = delete;
    ClassicRoutes& operator=(const ClassicRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer sign_up(RequestContext context);
    Answer log_in(RequestContext context);
    Answer create_room(RequestContext context);
    Answer join_room(RequestContext context);
    Answer my_rooms(RequestContext context);
    Answer members(RequestContext context);
    Answer history(RequestContext context);
    Answer media_url(RequestContext context);

    // forbidden, alike for a room of others and one that is not there.
    Task<Result<void>> require_member(model::UserId user, model::RoomId room);
    // A direct message of v1 has no name: it is called after the other one in it.
    Task<Result<std::string>> name_of(const ports::RoomListItem& item, model::UserId user);

    const Parts x_parts;
};

} // namespace parley::api
