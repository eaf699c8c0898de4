// Api: the REST surface of one core. It is nothing but routes: each file of this module adds its
// own to the router, which does what all calls need.
//
// Threading: its core. Owner: app/wiring, one for each core, after what it borrows and before
// net::Server. Shutdown: the server waits for the calls that run.
#pragma once

#include "api/admin.hpp"
#include "api/classic_errors.hpp"
#include "api/classic_routes.hpp"
#include "api/docs.hpp"
#include "api/held.hpp"
#include "api/media.hpp"
#include "api/messages.hpp"
#include "api/rooms.hpp"
#include "api/router.hpp"
#include "api/sessions.hpp"
#include "api/trace.hpp"
#include "api/users.hpp"
#include "api/words.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "net/http.hpp"
#include "ports/history.hpp"
#include "ports/room_directory.hpp"
#include "service/accounts.hpp"

namespace parley::api {

struct ApiParts {
    service::Accounts& accounts;
    service::Rooms& rooms;
    ports::RoomDirectory& directory;
    ports::History& history;
    ports::HeldStore& held;
    ports::ErasureStore& erasures;
    const ports::Clock& clock;
    const ports::TokenSigner& signer;
    Metrics& metrics;
    Logger& log;
    Readiness what_is_missing;
    service::WordLists& words;
    service::Media* media = nullptr; // null where none are served
    ServerFacts facts = {};
    std::string file_origins = {}; // where files lie that this server does not serve itself
};

class Api final : public net::HttpHandler {
public:
    explicit Api(const ApiParts& parts);
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    Task<net::HttpResponse> handle(net::HttpRequest request) override;
    net::HttpResponse refusal(std::string_view path, net::HttpResponse refused) override {
        return is_classic_path(path) ? as_classic(std::move(refused)) : std::move(refused);
    }

private:
    Router x_router;
    UserRoutes x_users;
    SessionRoutes x_sessions;
    RoomRoutes x_rooms;
    MessageRoutes x_messages;
    TraceRoutes x_trace;
    MediaRoutes x_media;
    WordRoutes x_words;
    ClassicRoutes x_classic;
    service::Moderation x_moderation;
    HeldRoutes x_held;
    AdminRoutes x_admin;
};

} // namespace parley::api
