#include "api/messages.hpp"

#include "api/changes.hpp"
#include "api/json.hpp"
#include "api/page.hpp"
#include "chat/composer.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace {

net::HttpResponse no_content() {
    net::HttpResponse response;
    response.status = 204;
    return response;
}

net::HttpResponse message_answer(int status, const model::Message& message) {
    net::HttpResponse response;
    response.status = status;
    protocol::v1::append_message(response.body, message);
    return response;
}

} // namespace

MessageRoutes::MessageRoutes(service::Rooms& rooms, ports::History& history, service::Media* media,
                             Router& router)
    : x_rooms(rooms), x_history(history), x_media(media) {
    const auto to = [this](Answer (MessageRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    const std::string messages = "/v1/rooms/{room_id}/messages", one = messages + "/{message_id}";
    router.add("GET", messages, to(&MessageRoutes::list));
    router.add("POST", messages, to(&MessageRoutes::post));
    router.add("PATCH", one, to(&MessageRoutes::edit));
    router.add("DELETE", one, to(&MessageRoutes::remove));
    router.add("PUT", one + "/reactions/{emoji}", to(&MessageRoutes::add_reaction));
    router.add("DELETE", one + "/reactions/{emoji}", to(&MessageRoutes::remove_reaction));
    router.add("PUT", "/v1/rooms/{room_id}/read", to(&MessageRoutes::mark_read));
}

MessageRoutes::Answer MessageRoutes::list(RequestContext context) {
    PARLEY_CO_CHECK(
        co_await x_rooms.require(context.caller.user_id, context.room_id, chat::Action::view));
    PARLEY_CO_TRY(const std::size_t limit, page_limit(context.request));
    PARLEY_CO_TRY(const auto before, query_id<model::MessageId>(context.request, "before"));
    PARLEY_CO_TRY(const auto after, query_id<model::MessageId>(context.request, "after"));
    if (before && after) co_return invalid_field("before", "only one of before and after");
    // Not one expression: GCC 12 destroys the temporaries of a conditional co_await twice.
    Result<ports::MessagePage> page = ports::MessagePage{};
    if (after)
        page = co_await x_history.messages_after(context.room_id, *after, limit);
    else
        page = co_await x_history.messages_before(context.room_id,
                                                  before.value_or(model::MessageId{}), limit);
    if (!page) co_return std::move(page).error();
    net::HttpResponse response;
    std::string& out = response.body;
    out.reserve(64 + page->messages.size() * 384);
    out = R"({"messages":[)";
    for (const ports::HistoryMessage& each : page->messages) {
        if (out.back() == '}') out += ',';
        protocol::v1::append_message(out, each.message, each.reactions);
    }
    out += R"(],"next":)";
    if (page->more)
        protocol::v1::append_id(out, page->messages.back().message.id.value);
    else
        out += "null";
    out += '}';
    co_return response;
}

MessageRoutes::Answer MessageRoutes::post(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->send());
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(const std::string nonce, body.text("nonce"));
    PARLEY_CO_TRY(const std::string type, body.text("type"));
    PARLEY_CO_TRY(const std::string content, body.text("content"));
    PARLEY_CO_TRY(const auto media_id, body.optional_id<model::MediaId>("media_id"));
    PARLEY_CO_TRY(const auto reply_to, body.optional_id<model::MessageId>("reply_to"));
    model::MediaFactsRef media;
    if (media_id) {
        if (!x_media) co_return Errc::media_not_available;
        PARLEY_CO_TRY(media,
                      co_await x_media->attach(context.caller.user_id, context.room_id, *media_id));
    }
    chat::PostFields fields;
    fields.nonce = nonce;
    fields.type = type;
    fields.content = content;
    fields.media_id = media_id;
    fields.reply_to = reply_to;
    fields.media = std::move(media);
    PARLEY_CO_TRY(const auto sent,
                  co_await submit(x_rooms, chat::Composer::post(context.room_id,
                                                                context.caller.user_id, fields)));
    const auto& posted = std::get<model::MessagePosted>(sent->event()->body);
    co_return message_answer(sent->outcome.duplicate ? 200 : 201, posted.message);
}

MessageRoutes::Answer MessageRoutes::edit(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->send());
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(const std::string content, body.text("content"));
    PARLEY_CO_TRY(
        const auto done,
        co_await submit(x_rooms, chat::Composer::edit(context.room_id, context.caller.user_id,
                                                      context.message_id, content)));
    co_return message_answer(200, std::get<model::MessageEdited>(done->event()->body).message);
}

MessageRoutes::Answer MessageRoutes::remove(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->send());
    PARLEY_CO_CHECK(
        co_await submit(x_rooms, chat::Composer::remove(context.room_id, context.caller.user_id,
                                                        context.message_id)));
    co_return no_content();
}

MessageRoutes::Answer MessageRoutes::add_reaction(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->send());
    PARLEY_CO_CHECK(
        co_await submit(x_rooms, chat::Composer::react(context.room_id, context.caller.user_id,
                                                       context.message_id, context.emoji, true)));
    co_return no_content();
}

MessageRoutes::Answer MessageRoutes::remove_reaction(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->send());
    PARLEY_CO_CHECK(
        co_await submit(x_rooms, chat::Composer::react(context.room_id, context.caller.user_id,
                                                       context.message_id, context.emoji, false)));
    co_return no_content();
}

MessageRoutes::Answer MessageRoutes::mark_read(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(const auto message, body.id<model::MessageId>("message_id"));
    PARLEY_CO_CHECK(co_await x_rooms.mark_read(context.caller.user_id, context.room_id, message));
    co_return no_content();
}

} // namespace parley::api
