#include "api/sessions.hpp"

#include "api/json.hpp"
#include "api/page.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace {

using protocol::v1::append_id;
using protocol::v1::append_string;

void append_session(std::string& out, const model::Session& session, model::SessionId current) {
    out += R"({"id":)";
    append_id(out, session.id.value);
    out += R"(,"created_at":")" + model::to_rfc3339(session.created_at) + R"(","last_used_at":")" +
           model::to_rfc3339(session.last_used_at) + "\"";
    if (!session.device.user_agent.empty()) {
        out += R"(,"user_agent":)";
        append_string(out, session.device.user_agent);
    }
    if (!session.device.address.empty()) {
        out += R"(,"address":)";
        append_string(out, session.device.address);
    }
    out += session.id == current ? R"(,"current":true})" : R"(,"current":false})";
}

net::HttpResponse no_content() {
    net::HttpResponse response;
    response.status = 204;
    return response;
}

} // namespace

SessionRoutes::SessionRoutes(service::Accounts& accounts, Router& router) : x_accounts(accounts) {
    const auto to = [this](Answer (SessionRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    const std::string mine = "/v1/me/sessions";
    router.add("GET", mine, to(&SessionRoutes::list));
    router.add("DELETE", mine, to(&SessionRoutes::end_others));
    router.add("DELETE", mine + "/{session_id}", to(&SessionRoutes::end_one));
    router.add("POST", "/v1/me/password", to(&SessionRoutes::change_password));
}

SessionRoutes::Answer SessionRoutes::list(RequestContext context) {
    PARLEY_CO_TRY(const std::size_t limit, page_limit(context.request));
    PARLEY_CO_TRY(const std::int64_t before, page_cursor(context.request, CursorTag::sessions));
    const model::SessionId current = context.caller.session_id;
    PARLEY_CO_TRY(auto sessions, co_await x_accounts.sessions(context.caller.user_id,
                                                              model::SessionId{before}, limit + 1));
    net::HttpResponse response;
    response.body = page(
        "sessions", std::move(sessions), limit, CursorTag::sessions,
        [current](std::string& out, const model::Session& session, std::size_t) {
            append_session(out, session, current);
        },
        [](const model::Session& session) { return session.id.value; });
    co_return response;
}

SessionRoutes::Answer SessionRoutes::end_one(RequestContext context) {
    PARLEY_CO_CHECK(co_await x_accounts.end_session(context.caller.user_id, context.session_id));
    co_return no_content();
}

SessionRoutes::Answer SessionRoutes::end_others(RequestContext context) {
    PARLEY_CO_CHECK(
        co_await x_accounts.end_other_sessions(context.caller.user_id, context.caller.session_id));
    co_return no_content();
}

SessionRoutes::Answer SessionRoutes::change_password(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    service::PasswordChange change;
    change.user = context.caller.user_id;
    change.session = context.caller.session_id;
    PARLEY_CO_TRY(change.present, body.text("current_password"));
    PARLEY_CO_TRY(change.wanted, body.text("password"));
    change.from = address_block(context.request.peer_address);
    PARLEY_CO_CHECK(co_await x_accounts.change_password(std::move(change)));
    co_return no_content();
}

} // namespace parley::api
