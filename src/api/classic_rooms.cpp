// The rooms of the classic calls: making, joining and listing them, and who is in them.
#include "api/changes.hpp"
#include "api/classic_fields.hpp"
#include "api/classic_routes.hpp"
#include "chat/composer.hpp"
#include "chat/names.hpp"
#include "protocol/classic/server_frame.hpp"

namespace parley::api {

namespace classic = protocol::classic;

namespace {

Error no_such_room() {
    return Error(Errc::unknown_room, "There is no such room, or it is not open to you.");
}

Result<void> check_type(const std::optional<std::string>& type) {
    if (type && *type != "DM" && *type != "GROUP") return invalid_field("typ", "DM or GROUP");
    return {};
}

} // namespace

ClassicRoutes::Answer ClassicRoutes::create_room(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->join());
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    model::CreateDraft draft;
    PARLEY_CO_TRY(draft.name, body.text("roomname"));
    PARLEY_CO_TRY(const std::optional<std::string> type, body.text("typ"));
    PARLEY_CO_CHECK(check_type(type));
    draft.visibility = *type == "DM" ? model::Visibility::pair : model::Visibility::open;
    PARLEY_CO_TRY(const auto made,
                  co_await submit(x_parts.rooms, chat::Composer::create(context.caller.user_id,
                                                                        std::move(draft))));
    const model::Room& room = std::get<model::RoomChanged>(made->event()->body).room;
    net::HttpResponse response;
    response.body = R"({"New Room":)";
    classic::append_room(response.body, room, room.name);
    response.body += '}';
    co_return response;
}

// What the joiner says of the room must be so, or the room is not there for the joiner. Whether one
// may come in, and whether a pair has a place left, is the log's word.
ClassicRoutes::Answer ClassicRoutes::join_room(RequestContext context) {
    PARLEY_CO_TRY(const ClassicFields fields, ClassicFields::of(context.request));
    PARLEY_CO_TRY(const auto id, fields.id<model::RoomId>("roomid"));
    PARLEY_CO_TRY(const auto name, fields.optional_text("roomname"));
    PARLEY_CO_TRY(const auto type, fields.optional_text("typ"));
    PARLEY_CO_CHECK(check_type(type));
    const model::UserId me = context.caller.user_id;
    PARLEY_CO_TRY(const service::RoomView view, co_await x_parts.rooms.view(me, id));
    const bool named_wrong = name && view.room.kind != model::RoomKind::dm &&
                             chat::name_key(*name) != chat::name_key(view.room.name);
    if (!view.standing.room_exists || named_wrong || (type && *type != classic::type_of(view.room)))
        co_return no_such_room();
    if (!view.standing.role) {
        PARLEY_CO_CHECK(context.rates->join());
        model::MemberDraft draft{me, model::MemberAction::joined, model::Role::member,
                                 name.value_or(std::string())};
        auto checked = chat::Composer::member(id, me, std::move(draft));
        const auto joined = co_await submit(x_parts.rooms, std::move(checked));
        if (!joined && joined.error().code == Errc::unknown_room) co_return no_such_room();
        if (!joined) co_return joined.error();
    }
    net::HttpResponse response;
    response.body = R"({"Success":"room joined"})";
    co_return response;
}

Task<Result<std::string>> ClassicRoutes::name_of(const ports::RoomListItem& item,
                                                 model::UserId user) {
    if (item.room.kind != model::RoomKind::dm) co_return item.room.name;
    for (const model::UserId other : item.dm_user_ids) {
        if (other == user) continue;
        auto found = co_await x_parts.accounts.profile(other);
        if (found) co_return std::move(found->username);
        if (found.error().code != Errc::unauthorized) co_return std::move(found).error();
    }
    co_return std::string();
}

ClassicRoutes::Answer ClassicRoutes::my_rooms(RequestContext context) {
    const model::UserId me = context.caller.user_id;
    net::HttpResponse response;
    response.body = "[";
    model::RoomId after;
    for (std::size_t listed = 0; listed < limits::kClassicListMax;) {
        const std::size_t limit = std::min(limits::kPageMax, limits::kClassicListMax - listed);
        PARLEY_CO_TRY(const auto items, co_await x_parts.directory.rooms_of(me, after, limit));
        for (const ports::RoomListItem& item : items) {
            PARLEY_CO_TRY(const std::string name, co_await name_of(item, me));
            if (response.body.size() > 1) response.body += ',';
            classic::append_room(response.body, item.room, name);
            after = item.room.id;
        }
        if (items.size() < limit) break;
        listed += items.size();
    }
    response.body += ']';
    co_return response;
}

ClassicRoutes::Answer ClassicRoutes::members(RequestContext context) {
    PARLEY_CO_TRY(const ClassicFields fields, ClassicFields::of(context.request));
    PARLEY_CO_TRY(const auto room, fields.id<model::RoomId>("room_id"));
    PARLEY_CO_TRY(const auto after, fields.optional_id<model::UserId>("after"));
    PARLEY_CO_CHECK(co_await require_member(context.caller.user_id, room));
    std::vector<model::Member> members;
    model::UserId last = after.value_or(model::UserId{});
    while (members.size() < limits::kClassicListMax) {
        const std::size_t limit =
            std::min(limits::kPageMax, limits::kClassicListMax - members.size());
        PARLEY_CO_TRY(auto page, co_await x_parts.directory.members(room, last, limit));
        for (model::Member& member : page) members.push_back(std::move(member));
        if (page.size() < limit) break;
        last = members.back().user_id;
    }
    std::vector<model::UserId> ids;
    for (const model::Member& member : members) ids.push_back(member.user_id);
    const std::vector<bool> online = co_await x_parts.rooms.online(std::move(ids));
    const model::Time now = x_parts.clock.now();
    net::HttpResponse response;
    response.body = "[";
    for (std::size_t i = 0; i < members.size(); ++i) {
        const model::Member& member = members[i];
        if (i > 0) response.body += ',';
        const model::Time seen = member.last_seen_at.value_or(member.joined_at);
        classic::append_member(response.body, room, member, online[i] ? now : seen);
    }
    response.body += ']';
    co_return response;
}

} // namespace parley::api
