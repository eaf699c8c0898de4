// REST: files.
//
//   POST /v1/rooms/{room_id}/media · POST /v1/me/avatar · POST /v1/media/{media_id}/complete
//   GET /v1/media/{media_id}?size=small|large
//
// The bytes themselves go by signed URLs, past this module. Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "service/media.hpp"

#include <string>
#include <string_view>

namespace parley::api {

class MediaRoutes {
public:
    // `media`: null where none are served.
    MediaRoutes(service::Media* media, Router& router);
    MediaRoutes(const MediaRoutes&) = delete;
    MediaRoutes& operator=(const MediaRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer ticket(RequestContext context);
    Answer avatar_ticket(RequestContext context);
    Answer complete(RequestContext context);
    Answer download(RequestContext context);

    service::Media* const x_media;
};

// A URL of this server, as the client that made `request` can use it; others as they are.
std::string absolute_url(const net::HttpRequest& request, std::string_view url);

} // namespace parley::api
