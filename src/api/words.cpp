#include "api/words.hpp"

#include "api/json.hpp"
#include "base/limits.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace {

using protocol::v1::append_string;

Result<chat::WordEntry> entry_from(const JsonBody& item) {
    chat::WordEntry entry;
    PARLEY_TRY(entry.text, item.text("word"));
    if (entry.text.empty() || entry.text.size() > limits::kFilterWordBytes)
        return invalid_field("word", "a text of 1 to " + std::to_string(limits::kFilterWordBytes) +
                                         " bytes");
    PARLEY_TRY(const auto action, item.optional_text("action"));
    if (action == "reject")
        entry.action = chat::WordAction::reject;
    else if (action == "hold")
        entry.action = chat::WordAction::hold;
    else if (action && action != "mask")
        return invalid_field("action", "mask, reject or hold");
    PARLEY_TRY(const auto match, item.optional_text("match"));
    if (match == "anywhere")
        entry.open_left = entry.open_right = true;
    else if (match && match != "whole")
        return invalid_field("match", "whole or anywhere");
    return entry;
}

void append_report(std::string& out, const service::WordReport& report) {
    std::size_t words = 0;
    out += R"({"generation":)" + std::to_string(report.generation) + R"(,"loaded_at":")" +
           model::to_rfc3339(report.loaded_at) + R"(","languages":[)";
    bool first = true;
    for (const auto& [language, count] : report.words) {
        words += count;
        if (!std::exchange(first, false)) out += ',';
        out += R"({"language":)";
        append_string(out, language);
        out += R"(,"words":)" + std::to_string(count) + '}';
    }
    out += R"(],"words":)" + std::to_string(words) + R"(,"rooms_with_words":)" +
           std::to_string(report.rooms) + '}';
}

} // namespace

WordRoutes::WordRoutes(service::WordLists& words, service::Rooms& rooms,
                       service::Accounts& accounts, Router& router)
    : x_words(words), x_rooms(rooms), x_accounts(accounts) {
    const auto to = [this](Answer (WordRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    router.add("GET", "/v1/rooms/{room_id}/words", to(&WordRoutes::get_room_words));
    router.add("PUT", "/v1/rooms/{room_id}/words", to(&WordRoutes::put_room_words));
    router.add("GET", "/v1/admin/filter", to(&WordRoutes::get_report), Access::admin);
    router.add("POST", "/v1/admin/filter/reload", to(&WordRoutes::reload), Access::admin);
}

// Who may change the room, and the server's moderators in any room.
Task<Result<void>> WordRoutes::require_right(model::UserId user, model::RoomId room) {
    const auto own = co_await x_rooms.require(user, room, chat::Action::change_room);
    if (own) co_return Result<void>{};
    PARLEY_CO_TRY(const service::RoomView view, co_await x_rooms.view(user, room));
    if (!view.standing.room_exists) co_return own.error();
    PARLEY_CO_TRY(const model::User caller, co_await x_accounts.profile(user));
    if (caller.role == model::ServerRole::user) co_return own.error();
    co_return Result<void>{};
}

WordRoutes::Answer WordRoutes::room_answer(model::RoomId room) {
    PARLEY_CO_TRY(const auto entries, co_await x_words.room_words(room));
    net::HttpResponse response;
    response.body = R"({"words":[)";
    for (const chat::WordEntry& entry : entries) {
        if (&entry != &entries.front()) response.body += ',';
        response.body += R"({"word":)";
        append_string(response.body, entry.text);
        response.body += R"(,"action":")" + std::string(chat::name_of(entry.action)) +
                         R"(","match":")" + (entry.open_left ? "anywhere" : "whole") + R"("})";
    }
    response.body += "]}";
    co_return response;
}

WordRoutes::Answer WordRoutes::get_room_words(RequestContext context) {
    PARLEY_CO_CHECK(co_await require_right(context.caller.user_id, context.room_id));
    co_return co_await room_answer(context.room_id);
}

WordRoutes::Answer WordRoutes::put_room_words(RequestContext context) {
    PARLEY_CO_CHECK(co_await require_right(context.caller.user_id, context.room_id));
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(const auto items, body.objects("words", limits::kRoomWords));
    std::vector<chat::WordEntry> entries;
    for (const JsonBody& item : items) {
        PARLEY_CO_TRY(chat::WordEntry entry, entry_from(item));
        entries.push_back(std::move(entry));
    }
    PARLEY_CO_CHECK(co_await x_words.set_room_words(context.room_id, std::move(entries)));
    co_return co_await room_answer(context.room_id);
}

WordRoutes::Answer WordRoutes::get_report(RequestContext) {
    net::HttpResponse response;
    append_report(response.body, x_words.report());
    co_return response;
}

WordRoutes::Answer WordRoutes::reload(RequestContext) {
    PARLEY_CO_TRY(const service::WordReport report, co_await x_words.reload());
    net::HttpResponse response;
    append_report(response.body, report);
    co_return response;
}

} // namespace parley::api
