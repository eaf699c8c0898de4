// REST: history, messages, reactions, read marks.
//
//   GET, POST /v1/rooms/{room_id}/messages · PATCH, DELETE
//   /v1/rooms/{room_id}/messages/{message_id} PUT, DELETE
//   /v1/rooms/{room_id}/messages/{message_id}/reactions/{emoji} · PUT /v1/rooms/{room_id}/read
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "ports/history.hpp"
#include "service/media.hpp"
#include "service/rooms.hpp"

namespace parley::api {

class MessageRoutes {
public:
    // `media`: null where none are served.
    MessageRoutes(service::Rooms& rooms, ports::History& history, service::Media* media,
                  Router& router);
    MessageRoutes(const MessageRoutes&) = delete;
    MessageRoutes& operator=(const MessageRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer list(RequestContext context);
    Answer post(RequestContext context);
    Answer edit(RequestContext context);
    Answer remove(RequestContext context);
    Answer add_reaction(RequestContext context);
    Answer remove_reaction(RequestContext context);
    Answer mark_read(RequestContext context);

    service::Rooms& x_rooms;
    ports::History& x_history;
    service::Media* const x_media;
};

} // namespace parley::api
