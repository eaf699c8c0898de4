// REST: the words of the content filter.
//
//   GET, PUT /v1/rooms/{room_id}/words        admin or owner of the room, moderator of the server
//   GET /v1/admin/filter · POST /v1/admin/filter/reload        admin of the server
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "service/rooms.hpp"
#include "service/word_lists.hpp"

namespace parley::api {

class WordRoutes {
public:
    WordRoutes(service::WordLists& words, service::Rooms& rooms, service::Accounts& accounts,
               Router& router);
    WordRoutes(const WordRoutes&) = delete;
    WordRoutes& operator=(const WordRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer get_room_words(RequestContext context);
    Answer put_room_words(RequestContext context);
    Answer get_report(RequestContext context);
    Answer reload(RequestContext context);
    Task<Result<void>> require_right(model::UserId user, model::RoomId room);
    Answer room_answer(model::RoomId room);

    service::WordLists& x_words;
    service::Rooms& x_rooms;
    service::Accounts& x_accounts;
};

} // namespace parley::api
