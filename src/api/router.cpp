#include "api/router.hpp"

#include "api/classic_errors.hpp"
#include "api/errors.hpp"
#include "base/assert.hpp"

#include <algorithm>

namespace parley::api {

namespace {

bool is_same_word(std::string_view a, std::string_view lower_case) {
    return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(), [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
    });
}

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        path.remove_prefix(1); // the slash
        const std::size_t end = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return segments;
}

// RFC 6839's "+json" included; parameters do not matter.
bool is_json(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
    if (type.empty() || is_same_word(type, "application/json")) return true;
    return type.size() > 17 && is_same_word(type.substr(0, 12), "application/") &&
           is_same_word(type.substr(type.size() - 5), "+json");
}

template <class Id>
Result<void> take_id(std::string_view text, Id& id, Errc unknown) {
    const auto parsed = Id::parse(text);
    if (!parsed) return unknown;
    id = *parsed;
    return {};
}

} // namespace

std::string_view bearer_token(const net::HttpRequest& request) {
    std::string_view value = request.header("authorization");
    if (value.size() < 7 || !is_same_word(value.substr(0, 6), "bearer") || value[6] != ' ')
        return {};
    value.remove_prefix(7);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
}

Router::Router(const service::Accounts& accounts, Logger& log, Metrics& metrics)
    : x_accounts(accounts), x_log(log), x_metrics(metrics) {}

std::vector<Router::Segment> Router::parse_pattern(std::string_view pattern) {
    PARLEY_ASSERT(pattern.starts_with('/'));
    std::vector<Segment> segments;
    for (const std::string_view text : split(pattern)) {
        Segment segment{Part::literal, std::string(text)};
        if (text == "{room_id}")
            segment.part = Part::room_id;
        else if (text == "{user_id}")
            segment.part = Part::user_id;
        else if (text == "{message_id}")
            segment.part = Part::message_id;
        else if (text == "{held_id}")
            segment.part = Part::held_id;
        else if (text == "{media_id}")
            segment.part = Part::media_id;
        else if (text == "{session_id}")
            segment.part = Part::session_id;
        else if (text == "{emoji}")
            segment.part = Part::emoji;
        else
            PARLEY_ASSERT(!text.starts_with('{'));
        segments.push_back(std::move(segment));
    }
    return segments;
}

Router::Path& Router::path_of(std::string_view pattern) {
    for (Path& path : x_paths)
        if (path.pattern == pattern) return path;
    return x_paths.emplace_back(Path{std::string(pattern), parse_pattern(pattern), {}});
}

Router::Route& Router::route_of(std::string_view method, std::string_view pattern, Access access) {
    Path& path = path_of(pattern);
    for (const Route& route : path.routes) PARLEY_ASSERT(route.method != method);
    Route& route = path.routes.emplace_back();
    route.method = method;
    route.access = access;
    route.requests =
        &x_metrics.counter("parley_api_requests_total", "Calls that found their route",
                           "method=\"" + route.method + "\",route=\"" + path.pattern + "\"");
    return route;
}

void Router::add(std::string_view method, std::string_view pattern, Handler handler,
                 Access access) {
    route_of(method, pattern, access).handler = std::move(handler);
}

void Router::add(std::string_view method, std::string_view pattern, PlainHandler handler,
                 Access access) {
    route_of(method, pattern, access).handler = std::move(handler);
}

// Of two patterns that fit, the one that is literal where they first differ.
const Router::Path* Router::find(const std::vector<std::string_view>& segments) const {
    const Path* best = nullptr;
    for (const Path& path : x_paths) {
        const bool fits =
            std::equal(path.segments.begin(), path.segments.end(), segments.begin(), segments.end(),
                       [](const Segment& want, std::string_view have) {
                           return want.part == Part::literal ? want.text == have : !have.empty();
                       });
        if (!fits) continue;
        const bool better =
            !best || std::lexicographical_compare(
                         path.segments.begin(), path.segments.end(), best->segments.begin(),
                         best->segments.end(),
                         [](const Segment& a, const Segment& b) { return a.part < b.part; });
        if (better) best = &path;
    }
    return best;
}

Result<void> Router::take_segments(const Path& path, const std::vector<std::string_view>& segments,
                                   RequestContext& context) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const std::string_view text = segments[i];
        switch (path.segments[i].part) {
        case Part::literal:
            break;
        case Part::room_id:
            PARLEY_CHECK(take_id(text, context.room_id, Errc::unknown_room));
            break;
        case Part::user_id:
            PARLEY_CHECK(take_id(text, context.user_id, Errc::unknown_user));
            break;
        case Part::message_id:
            PARLEY_CHECK(take_id(text, context.message_id, Errc::unknown_message));
            break;
        case Part::held_id:
            PARLEY_CHECK(take_id(text, context.held_id, Errc::unknown_message));
            break;
        case Part::media_id:
            PARLEY_CHECK(take_id(text, context.media_id, Errc::unknown_media));
            break;
        case Part::session_id:
            PARLEY_CHECK(take_id(text, context.session_id, Errc::unknown_session));
            break;
        case Part::emoji:
            context.emoji = text;
            break;
        }
    }
    return {};
}

Counter& Router::refusals(std::string_view code) {
    return x_metrics.counter("parley_api_errors_total", "Calls answered with an error, by code",
                             "code=\"" + std::string(code) + "\"");
}

net::HttpResponse Router::answer(const Error& error, std::string_view pattern) {
    refusals(name_of(error.code)).add();
    if (status_of(error.code) == 500)
        x_log.error("call failed", {{"route", pattern}, {"why", std::string_view(error.detail)}});
    return is_classic_path(pattern) ? classic_error(error) : problem(error);
}

Task<net::HttpResponse> Router::handle(net::HttpRequest request) {
    if (!is_classic_path(request.path)) co_return co_await route(std::move(request));
    net::HttpResponse answer = co_await route(std::move(request));
    if (answer.content_type == kProblemType) co_return as_classic(std::move(answer));
    co_return answer;
}

Task<net::HttpResponse> Router::route(net::HttpRequest request) {
    const Path* const path = find(split(request.path));
    if (!path) {
        refusals("not_found").add();
        co_return problem(404, "not_found", "There is nothing at this path.");
    }
    const std::string_view method =
        request.method == "HEAD" ? "GET" : std::string_view(request.method);
    const auto route = std::find_if(path->routes.begin(), path->routes.end(),
                                    [&](const Route& r) { return r.method == method; });
    if (route == path->routes.end()) {
        refusals("method_not_allowed").add();
        std::string allow;
        for (const Route& r : path->routes)
            allow += (allow.empty() ? "" : ", ") + (r.method == "GET" ? "GET, HEAD" : r.method);
        net::HttpResponse response =
            problem(405, "method_not_allowed", "This path does not have that method; see Allow.");
        response.headers.emplace_back("Allow", std::move(allow));
        co_return response;
    }
    route->requests->add();
    auto result = co_await call(*route, *path, std::move(request));
    if (!result) co_return answer(result.error(), path->pattern);
    co_return *std::move(result);
}

Task<Result<net::HttpResponse>> Router::call(const Route& route, const Path& path,
                                             net::HttpRequest request) {
    RequestContext context;
    const bool classic = is_classic_path(path.pattern);
    context.rates = x_accounts.rates_of_call(request.peer_address);
    if (route.access != Access::anyone) {
        const std::string token =
            classic ? request.header_or_query("token") : std::string(bearer_token(request));
        PARLEY_CO_TRY(const ports::AccessClaims claims, x_accounts.authenticate(token));
        context.caller = {claims.user_id, claims.session_id};
        context.rates->sign_in(claims.user_id);
    }
    PARLEY_CO_CHECK(context.rates->request(request.body.size()));
    if (route.access == Access::moderator || route.access == Access::admin) {
        const auto least =
            route.access == Access::admin ? model::ServerRole::admin : model::ServerRole::moderator;
        PARLEY_CO_CHECK(co_await x_accounts.require(context.caller.user_id, least));
    }
    if (!classic && !request.body.empty() && !is_json(request.header("content-type"))) {
        refusals("unsupported_media_type").add();
        co_return problem(415, "unsupported_media_type", "Send application/json.");
    }
    PARLEY_CO_CHECK(take_segments(path, split(request.path), context));
    context.request = std::move(request);
    if (const auto* plain = std::get_if<PlainHandler>(&route.handler))
        co_return co_await (*plain)(std::move(context));
    co_return co_await std::get<Handler>(route.handler)(std::move(context));
}

} // namespace parley::api
