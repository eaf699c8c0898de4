// Router: method and path -> handler. What every call needs is done here, once: 404 for an unknown
// path, 405 with Allow for another method, 401 without a good access token (unless the route is
// open to anyone), 415 for a body that is not declared as JSON, ids parsed from the path, errors
// turned into problems.
//
// A pattern is a path whose {room_id}, {user_id}, {message_id}, {held_id}, {media_id},
// {session_id} and {emoji} stand for one segment each; a literal segment wins over one of these. An
// id that is none is answered like one that does not exist. HEAD is served as GET (net leaves the
// body out).
//
// A classic path (classic_errors.hpp) differs: its token comes in the header or parameter `token`,
// its body is JSON whatever it is declared as, and its errors have the classic shape and statuses.
//
// Threading: its core; add() before the first handle(). Owner: Api. Shutdown: net waits for
// handlers.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "model/ids.hpp"
#include "net/http.hpp"
#include "service/accounts.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace parley::api {

struct Caller {
    model::UserId user_id;
    model::SessionId session_id;
};

struct RequestContext {
    net::HttpRequest request;
    Caller caller;                              // of a route for signed-in users
    std::optional<service::RequestRates> rates; // of the caller and the address
    model::RoomId room_id;                      // these as far as the pattern has them
    model::UserId user_id;
    model::MessageId message_id;
    model::HeldId held_id;
    model::MediaId media_id;
    model::SessionId session_id;
    std::string emoji; // not empty, unchecked
};

using PlainHandler = std::function<Task<net::HttpResponse>(RequestContext)>;
// An Error becomes a problem. This is what most handlers are.
using Handler = std::function<Task<Result<net::HttpResponse>>(RequestContext)>;

// moderator, admin: of the server, asked of the store at each call; who is less gets forbidden.
enum class Access : std::uint8_t { signed_in, anyone, moderator, admin };

class Router {
public:
    Router(const service::Accounts& accounts, Logger& log, Metrics& metrics);
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    void add(std::string_view method, std::string_view pattern, Handler handler,
             Access access = Access::signed_in);
    void add(std::string_view method, std::string_view pattern, PlainHandler handler,
             Access access = Access::signed_in);

    Task<net::HttpResponse> handle(net::HttpRequest request);

private:
    enum class Part : std::uint8_t {
        literal,
        room_id,
        user_id,
        message_id,
        held_id,
        media_id,
        session_id,
        emoji
    };
    struct Segment {
        Part part = Part::literal;
        std::string text;
    };
    struct Route {
        std::string method;
        Access access = Access::signed_in;
        std::variant<Handler, PlainHandler> handler;
        Counter* requests = nullptr;
    };
    struct Path {
        std::string pattern;
        std::vector<Segment> segments;
        std::vector<Route> routes;
    };

    static std::vector<Segment> parse_pattern(std::string_view pattern);
    static Result<void> take_segments(const Path& path,
                                      const std::vector<std::string_view>& segments,
                                      RequestContext& context);
    Path& path_of(std::string_view pattern);
    Route& route_of(std::string_view method, std::string_view pattern, Access access);
    const Path* find(const std::vector<std::string_view>& segments) const;
    Task<Result<net::HttpResponse>> call(const Route& route, const Path& path,
                                         net::HttpRequest request);
    Task<net::HttpResponse> route(net::HttpRequest request);
    net::HttpResponse answer(const Error& error, std::string_view pattern);
    Counter& refusals(std::string_view code);

    const service::Accounts& x_accounts;
    Logger& x_log;
    Metrics& x_metrics;
    std::vector<Path> x_paths;
};

// The token of an Authorization header, or "" (RFC 6750, section 2.1).
std::string_view bearer_token(const net::HttpRequest& request);

} // namespace parley::api
