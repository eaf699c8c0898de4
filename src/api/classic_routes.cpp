#include "api/classic_routes.hpp"

#include "api/classic_fields.hpp"
#include "api/json.hpp"
#include "api/media.hpp"
#include "api/users.hpp"
#include "protocol/classic/server_frame.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace classic = protocol::classic;

Result<ClassicFields> ClassicFields::of(const net::HttpRequest& request) {
    std::optional<JsonBody> body;
    if (!request.body.empty()) {
        PARLEY_TRY(body, JsonBody::parse(request.body));
    }
    return ClassicFields(request, std::move(body));
}

Result<std::optional<std::string>> ClassicFields::optional_text(std::string_view field) const {
    if (x_body && !x_body->is_absent(field)) return x_body->optional_text(field);
    return query_text(x_request, field);
}

ClassicRoutes::ClassicRoutes(const Parts& parts, Router& router) : x_parts(parts) {
    const auto to = [this](Answer (ClassicRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    router.add("POST", "/user/signup", to(&ClassicRoutes::sign_up), Access::anyone);
    router.add("POST", "/user/login", to(&ClassicRoutes::log_in), Access::anyone);
    router.add("POST", "/user/createroom", to(&ClassicRoutes::create_room));
    router.add("GET", "/user/joinroom", to(&ClassicRoutes::join_room));
    router.add("POST", "/user/joinroom", to(&ClassicRoutes::join_room));
    router.add("GET", "/user/getrooms", to(&ClassicRoutes::my_rooms));
    router.add("GET", "/user/members", to(&ClassicRoutes::members));
    router.add("GET", "/user/history", to(&ClassicRoutes::history));
    router.add("GET", "/img/url", to(&ClassicRoutes::media_url));
    struct Health {
        static Answer answer() {
            net::HttpResponse response;
            response.body = R"({"Health":"Ready"})";
            co_return response;
        }
    };
    router.add("GET", "/health", Handler([](RequestContext) { return Health::answer(); }),
               Access::anyone);
}

ClassicRoutes::Answer ClassicRoutes::sign_up(RequestContext context) {
    PARLEY_CO_TRY(service::NewAccount account, new_account_of(context.request));
    PARLEY_CO_TRY(const model::User user, co_await x_parts.accounts.create(std::move(account)));
    net::HttpResponse response;
    std::string& out = response.body;
    out = R"({"id":)";
    protocol::v1::append_id(out, user.id.value);
    out += R"(,"username":)";
    protocol::v1::append_string(out, user.username);
    out += R"(,"email":)";
    protocol::v1::append_string(out, user.email);
    out += '}';
    co_return response;
}

ClassicRoutes::Answer ClassicRoutes::log_in(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    service::Credentials credentials;
    PARLEY_CO_TRY(credentials.name, body.text("email"));
    PARLEY_CO_TRY(credentials.password, body.text("password"));
    credentials.from = address_block(context.request.peer_address);
    credentials.device = device_of(context.request);
    PARLEY_CO_TRY(const service::SignedIn session,
                  co_await x_parts.accounts.log_in_classic(std::move(credentials)));
    net::HttpResponse response;
    std::string& out = response.body;
    out = R"({"id":)";
    protocol::v1::append_id(out, session.user.id.value);
    out += R"(,"username":)";
    protocol::v1::append_string(out, session.user.username);
    out += R"(,"token":)";
    protocol::v1::append_string(out, session.access_token);
    out += '}';
    co_return response;
}

Task<Result<void>> ClassicRoutes::require_member(model::UserId user, model::RoomId room) {
    const auto view = co_await x_parts.rooms.require(user, room, chat::Action::view);
    if (view) co_return Result<void>{};
    const Errc code = view.error().code;
    if (code == Errc::unknown_room || code == Errc::not_a_member)
        co_return Error(Errc::forbidden, "You are not a member of this room.");
    co_return view.error();
}

ClassicRoutes::Answer ClassicRoutes::history(RequestContext context) {
    PARLEY_CO_TRY(const ClassicFields fields, ClassicFields::of(context.request));
    PARLEY_CO_TRY(const auto room, fields.id<model::RoomId>("channel_id"));
    // Whose history it is says the token; what else is told must still be an id.
    PARLEY_CO_CHECK(fields.optional_id<model::UserId>("user_id"));
    model::MessageId before;
    const auto given = context.request.query_value("lastid");
    if (given && !given->empty() && *given != "0") {
        PARLEY_CO_TRY(before, fields.id<model::MessageId>("lastid"));
    }
    PARLEY_CO_CHECK(co_await require_member(context.caller.user_id, room));
    PARLEY_CO_TRY(const auto page, co_await x_parts.history.messages_before(
                                       room, before, limits::kClassicHistoryPage));
    net::HttpResponse response;
    response.body = "[";
    for (const ports::HistoryMessage& each : page.messages) {
        if (response.body.size() > 1) response.body += ',';
        classic::append_history_message(response.body, each.message);
    }
    response.body += ']';
    co_return response;
}

ClassicRoutes::Answer ClassicRoutes::media_url(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->ticket());
    PARLEY_CO_TRY(const ClassicFields fields, ClassicFields::of(context.request));
    PARLEY_CO_TRY(const auto room, fields.id<model::RoomId>("roomid"));
    PARLEY_CO_CHECK(co_await require_member(context.caller.user_id, room));
    if (!x_parts.media) co_return Errc::media_not_available;
    service::MediaOffer offer;
    offer.open = true;
    PARLEY_CO_TRY(const service::MediaTicket ticket,
                  co_await x_parts.media->ticket(context.caller.user_id, room, std::move(offer)));
    // What the client sends as media_id is the key that it was given.
    const std::string id = ticket.media.id.to_string();
    net::HttpResponse response;
    std::string& out = response.body;
    out = R"({"response":{"presignedURL":)";
    protocol::v1::append_string(out, absolute_url(context.request, ticket.upload.whole.url));
    out += R"(,"key":")" + id + R"(","url":)";
    protocol::v1::append_string(out, absolute_url(context.request, "/v1/media/" + id));
    out += "}}";
    co_return response;
}

} // namespace parley::api
