#include "api/held.hpp"

#include "api/page.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace {

using protocol::v1::append_id;
using protocol::v1::append_string;

void append_held(std::string& out, const ports::HeldMessage& held) {
    out += R"({"id":)";
    append_id(out, held.id.value);
    out += R"(,"room_id":)";
    append_id(out, held.room_id.value);
    out += R"(,"user_id":)";
    append_id(out, held.user_id.value);
    out += held.draft.type == model::MessageType::text ? R"(,"type":"TEXT","content":)"
                                                       : R"(,"type":"MEDIA","content":)";
    append_string(out, held.draft.content);
    if (held.draft.media_id) {
        out += R"(,"media_id":)";
        append_id(out, held.draft.media_id->value);
    }
    if (held.draft.reply_to) {
        out += R"(,"reply_to":)";
        append_id(out, held.draft.reply_to->value);
    }
    out += R"(,"created_at":")" + model::to_rfc3339(held.created_at) + R"(","words":[)";
    for (std::size_t i = 0; i < held.words.size(); ++i) {
        if (i > 0) out += ',';
        append_string(out, held.words[i]);
    }
    out += "]}";
}

} // namespace

HeldRoutes::HeldRoutes(service::Moderation& moderation, Router& router) : x_moderation(moderation) {
    const auto to = [this](Answer (HeldRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    const std::string held = "/v1/rooms/{room_id}/held", one = held + "/{held_id}";
    router.add("GET", held, to(&HeldRoutes::list_of_room));
    router.add("POST", one + "/approve", to(&HeldRoutes::approve));
    router.add("POST", one + "/reject", to(&HeldRoutes::reject));
    router.add("GET", "/v1/admin/held", to(&HeldRoutes::list_all), Access::moderator);
}

HeldRoutes::Answer HeldRoutes::list_of_room(RequestContext context) {
    PARLEY_CO_CHECK(co_await x_moderation.require(context.caller.user_id, context.room_id));
    co_return co_await list(std::move(context));
}

HeldRoutes::Answer HeldRoutes::list_all(RequestContext context) {
    return list(std::move(context)); // whose pattern has no room
}

HeldRoutes::Answer HeldRoutes::list(RequestContext context) {
    PARLEY_CO_TRY(const std::size_t limit, page_limit(context.request));
    PARLEY_CO_TRY(const std::int64_t after, page_cursor(context.request, CursorTag::held));
    PARLEY_CO_TRY(auto found,
                  co_await x_moderation.waiting(context.room_id, model::HeldId{after}, limit + 1));
    net::HttpResponse response;
    response.body = page(
        "held", std::move(found), limit, CursorTag::held,
        [](std::string& out, const ports::HeldMessage& held, std::size_t) {
            append_held(out, held);
        },
        [](const ports::HeldMessage& held) { return held.id.value; });
    co_return response;
}

HeldRoutes::Answer HeldRoutes::approve(RequestContext context) {
    PARLEY_CO_TRY(
        const model::Message message,
        co_await x_moderation.approve(context.caller.user_id, context.room_id, context.held_id));
    net::HttpResponse response;
    protocol::v1::append_message(response.body, message);
    co_return response;
}

HeldRoutes::Answer HeldRoutes::reject(RequestContext context) {
    PARLEY_CO_CHECK(
        co_await x_moderation.reject(context.caller.user_id, context.room_id, context.held_id));
    net::HttpResponse response;
    response.status = 204;
    co_return response;
}

} // namespace parley::api
