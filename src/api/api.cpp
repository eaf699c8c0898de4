#include "api/api.hpp"

#include "api/web.hpp"

namespace parley::api {

Api::Api(const ApiParts& parts)
    : x_router(parts.accounts, parts.log, parts.metrics),
      x_users(parts.accounts, parts.media, x_router),
      x_sessions(parts.accounts, x_router),
      x_rooms(parts.rooms, parts.directory, parts.accounts, x_router),
      x_messages(parts.rooms, parts.history, parts.media, x_router),
      x_trace(parts.rooms, parts.directory, parts.history, x_router),
      x_media(parts.media, x_router),
      x_words(parts.words, parts.rooms, parts.accounts, x_router),
      x_classic(
          {parts.accounts, parts.rooms, parts.directory, parts.history, parts.clock, parts.media},
          x_router),
      x_moderation(parts.rooms, parts.accounts, parts.held, parts.clock, parts.media),
      x_held(x_moderation, x_router),
      x_admin(parts.accounts, parts.directory, parts.erasures, parts.signer, parts.clock,
              parts.facts, x_router) {
    add_operator_routes(x_router, parts.metrics, parts.what_is_missing);
    add_web_routes(x_router, web_files(), parts.file_origins);
}

Task<net::HttpResponse> Api::handle(net::HttpRequest request) {
    return x_router.handle(std::move(request));
}

} // namespace parley::api
