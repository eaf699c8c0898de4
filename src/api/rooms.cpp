#include "api/rooms.hpp"

#include "api/changes.hpp"
#include "api/json.hpp"
#include "api/page.hpp"
#include "api/users.hpp"
#include "chat/composer.hpp"
#include "chat/names.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace {

using protocol::v1::append_id;
using protocol::v1::append_message;
using protocol::v1::append_room;
using protocol::v1::append_string;

net::HttpResponse no_content() {
    net::HttpResponse response;
    response.status = 204;
    return response;
}

Result<model::Visibility> visibility_from(const std::string& text) {
    if (text == "public") return model::Visibility::open;
    if (text == "private") return model::Visibility::restricted;
    return invalid_field("visibility", "public or private");
}

void append_list_item(std::string& out, const ports::RoomListItem& item) {
    append_room(out, item.room, item.my_role);
    out.pop_back(); // the brace that closes it
    out += R"(,"last_message":)";
    if (item.last_message)
        append_message(out, *item.last_message);
    else
        out += "null";
    out += R"(,"unread_count":)" + std::to_string(item.unread_count) + R"(,"last_read_id":)";
    if (item.last_read_id)
        append_id(out, item.last_read_id.value);
    else
        out += "null";
    if (item.room.kind == model::RoomKind::dm) {
        out += R"(,"dm_user_ids":[)";
        for (std::size_t i = 0; i < item.dm_user_ids.size(); ++i) {
            if (i > 0) out += ',';
            append_id(out, item.dm_user_ids[i].value);
        }
        out += ']';
    }
    out += '}';
}

void append_member(std::string& out, const model::Member& member, bool online) {
    out += R"({"user_id":)";
    append_id(out, member.user_id.value);
    out += R"(,"username":)";
    append_string(out, member.username);
    out += R"(,"role":")" + std::string(protocol::v1::name_of(member.role)) + R"(","joined_at":")" +
           model::to_rfc3339(member.joined_at) + R"(","online":)" + (online ? "true" : "false") +
           R"(,"last_seen_at":)";
    out += member.last_seen_at ? "\"" + model::to_rfc3339(*member.last_seen_at) + "\"" : "null";
    append_looks(out, member.display_name, member.avatar_media_id);
    out += '}';
}

} // namespace

Task<Result<net::HttpResponse>> search_rooms(ports::RoomDirectory& directory,
                                             net::HttpRequest request, ports::Groups among) {
    const CursorTag tag =
        among == ports::Groups::open ? CursorTag::open_rooms : CursorTag::all_rooms;
    PARLEY_CO_TRY(const std::size_t limit, page_limit(request));
    PARLEY_CO_TRY(const std::int64_t after, page_cursor(request, tag));
    PARLEY_CO_TRY(const auto query, query_text(request, "query"));
    const std::string key = query ? chat::name_key(*query) : std::string();
    PARLEY_CO_TRY(auto found,
                  co_await directory.search(among, key, model::RoomId{after}, limit + 1));
    net::HttpResponse response;
    response.body = page(
        "rooms", std::move(found), limit, tag,
        [](std::string& out, const model::Room& room, std::size_t) {
            protocol::v1::append_room(out, room, std::nullopt);
        },
        [](const model::Room& room) { return room.id.value; });
    co_return response;
}

RoomRoutes::RoomRoutes(service::Rooms& rooms, ports::RoomDirectory& directory,
                       service::Accounts& accounts, Router& router)
    : x_rooms(rooms), x_directory(directory), x_accounts(accounts) {
    const auto to = [this](Answer (RoomRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    router.add("POST", "/v1/rooms", to(&RoomRoutes::create));
    router.add("GET", "/v1/rooms", to(&RoomRoutes::list_mine));
    router.add("GET", "/v1/rooms/directory", to(&RoomRoutes::search));
    router.add("GET", "/v1/rooms/{room_id}", to(&RoomRoutes::get));
    router.add("PATCH", "/v1/rooms/{room_id}", to(&RoomRoutes::change));
    router.add("DELETE", "/v1/rooms/{room_id}", to(&RoomRoutes::remove));
    router.add("POST", "/v1/rooms/{room_id}/join", to(&RoomRoutes::join));
    router.add("POST", "/v1/rooms/{room_id}/leave", to(&RoomRoutes::leave));
    router.add("GET", "/v1/rooms/{room_id}/members", to(&RoomRoutes::members));
    router.add("PUT", "/v1/rooms/{room_id}/members/{user_id}", to(&RoomRoutes::put_member));
    router.add("DELETE", "/v1/rooms/{room_id}/members/{user_id}", to(&RoomRoutes::remove_member));
}

// After a change of one's own, so the home core has it already.
RoomRoutes::Answer RoomRoutes::room_answer(int status, model::UserId user, model::RoomId room) {
    PARLEY_CO_TRY(const service::RoomView view, co_await x_rooms.view(user, room));
    if (!view.standing.room_exists) co_return Errc::unknown_room;
    net::HttpResponse response;
    response.status = status;
    append_room(response.body, view.room, view.standing.role);
    co_return response;
}

RoomRoutes::Answer RoomRoutes::create(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->join());
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    model::CreateDraft draft;
    PARLEY_CO_TRY(const std::string kind, body.text("kind"));
    if (kind == "dm")
        draft.kind = model::RoomKind::dm;
    else if (kind != "group")
        co_return invalid_field("kind", "group or dm");
    if (draft.kind == model::RoomKind::group) {
        PARLEY_CO_TRY(draft.name, body.text("name"));
    } else {
        PARLEY_CO_CHECK(body.optional_text("name")); // not used, but of the right type
    }
    PARLEY_CO_TRY(const auto visibility, body.optional_text("visibility"));
    if (visibility) {
        PARLEY_CO_TRY(draft.visibility, visibility_from(*visibility));
    }
    if (draft.kind == model::RoomKind::dm) draft.visibility = model::Visibility::restricted;
    PARLEY_CO_TRY(const auto topic, body.optional_text("topic"));
    draft.topic = topic.value_or("");
    PARLEY_CO_TRY(draft.member_ids, body.ids<model::UserId>("member_ids", limits::kInitialMembers));
    PARLEY_CO_TRY(
        const auto made,
        co_await submit(x_rooms, chat::Composer::create(context.caller.user_id, std::move(draft))));
    co_return co_await room_answer(made->outcome.duplicate ? 200 : 201, context.caller.user_id,
                                   made->outcome.room_id);
}

RoomRoutes::Answer RoomRoutes::list_mine(RequestContext context) {
    PARLEY_CO_TRY(const std::size_t limit, page_limit(context.request));
    PARLEY_CO_TRY(const std::int64_t after, page_cursor(context.request, CursorTag::my_rooms));
    PARLEY_CO_TRY(auto items, co_await x_directory.rooms_of(context.caller.user_id,
                                                            model::RoomId{after}, limit + 1));
    net::HttpResponse response;
    response.body = page(
        "rooms", std::move(items), limit, CursorTag::my_rooms,
        [](std::string& out, const ports::RoomListItem& item, std::size_t) {
            append_list_item(out, item);
        },
        [](const ports::RoomListItem& item) { return item.room.id.value; });
    co_return response;
}

RoomRoutes::Answer RoomRoutes::search(RequestContext context) {
    return search_rooms(x_directory, std::move(context.request), ports::Groups::open);
}

RoomRoutes::Answer RoomRoutes::get(RequestContext context) {
    PARLEY_CO_CHECK(
        co_await x_rooms.require(context.caller.user_id, context.room_id, chat::Action::view));
    const std::optional<std::size_t> online = co_await x_rooms.online_in(context.room_id);
    PARLEY_CO_TRY(net::HttpResponse response,
                  co_await room_answer(200, context.caller.user_id, context.room_id));
    if (online) {
        response.body.pop_back(); // the brace that closes it
        response.body += R"(,"online_count":)" + std::to_string(*online) + "}";
    }
    co_return response;
}

// An owner needs no role on the server, so is not asked for one. A direct message is its two's.
Task<Result<RoomRoutes::ChangeRights>> RoomRoutes::require_change(model::UserId user,
                                                                  model::RoomId room) {
    PARLEY_CO_TRY(const service::RoomView view, co_await x_rooms.view(user, room));
    const chat::Standing& standing = view.standing;
    const Result<void> own = chat::authorise(standing, chat::Action::change_room);
    ChangeRights rights{.in_room = own.has_value()};
    const bool is_group = standing.room_exists && standing.kind == model::RoomKind::group;
    if (is_group && standing.role != model::Role::owner) {
        const auto staff = co_await x_accounts.require(user, model::ServerRole::moderator);
        if (!staff && staff.error().code != Errc::forbidden) co_return staff.error();
        rights.on_server = staff.has_value();
    }
    if (!rights.in_room && !rights.on_server) co_return own.error();
    co_return rights;
}

RoomRoutes::Answer RoomRoutes::change(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->send());
    const model::UserId me = context.caller.user_id;
    const model::RoomId room = context.room_id;
    // Who may not is told so before what is wrong with the body.
    PARLEY_CO_TRY(const ChangeRights rights, co_await require_change(me, room));
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    model::RoomDraft draft;
    PARLEY_CO_TRY(draft.name, body.optional_text("name"));
    PARLEY_CO_TRY(draft.topic, body.clearable_text("topic"));
    PARLEY_CO_TRY(const auto visibility, body.optional_text("visibility"));
    if (visibility) {
        PARLEY_CO_TRY(draft.visibility, visibility_from(*visibility));
    }
    PARLEY_CO_TRY(draft.slow_mode_seconds,
                  body.optional_number("slow_mode_seconds", 0, limits::kSlowModeSecondsMax));
    draft.sets_retention = body.has("retention_days");
    PARLEY_CO_TRY(draft.retention_days,
                  body.optional_number("retention_days", 1, limits::kRetentionDaysMax));
    const bool says_what_it_is = draft.name || draft.topic || draft.visibility;
    // A role on the server says nothing of these: a private room stays unknown to strangers.
    if (says_what_it_is && !rights.in_room) {
        PARLEY_CO_CHECK(co_await x_rooms.require(me, room, chat::Action::change_room));
    }
    const bool as_moderator = rights.on_server && !(rights.in_room && says_what_it_is);
    auto checked = as_moderator ? chat::Composer::room_by_moderator(room, me, std::move(draft))
                                : chat::Composer::room(room, me, std::move(draft));
    PARLEY_CO_CHECK(co_await submit(x_rooms, std::move(checked)));
    co_return co_await room_answer(200, me, room);
}

RoomRoutes::Answer RoomRoutes::remove(RequestContext context) {
    model::RoomDraft draft;
    draft.remove = true;
    PARLEY_CO_CHECK(co_await submit(
        x_rooms, chat::Composer::room(context.room_id, context.caller.user_id, std::move(draft))));
    co_return no_content();
}

RoomRoutes::Answer RoomRoutes::change_membership(RequestContext context, model::MemberDraft draft) {
    PARLEY_CO_CHECK(context.rates->join());
    // Made before the call: GCC 12 destroys an aggregate within a co_await expression twice.
    auto checked =
        chat::Composer::member(context.room_id, context.caller.user_id, std::move(draft));
    PARLEY_CO_CHECK(co_await submit(x_rooms, std::move(checked)));
    co_return no_content();
}

RoomRoutes::Answer RoomRoutes::join(RequestContext context) {
    const model::UserId me = context.caller.user_id;
    const model::RoomId room = context.room_id;
    model::MemberDraft draft{me, model::MemberAction::joined, model::Role::member};
    PARLEY_CO_CHECK(co_await change_membership(std::move(context), std::move(draft)));
    co_return co_await room_answer(200, me, room);
}

RoomRoutes::Answer RoomRoutes::leave(RequestContext context) {
    const model::UserId me = context.caller.user_id;
    const model::RoomId room = context.room_id;
    model::MemberDraft draft{me, model::MemberAction::left, model::Role::member};
    PARLEY_CO_CHECK(co_await change_membership(std::move(context), std::move(draft)));
    co_return co_await room_answer(200, me, room);
}

RoomRoutes::Answer RoomRoutes::members(RequestContext context) {
    PARLEY_CO_CHECK(
        co_await x_rooms.require(context.caller.user_id, context.room_id, chat::Action::view));
    PARLEY_CO_TRY(const std::size_t limit, page_limit(context.request));
    PARLEY_CO_TRY(const std::int64_t after, page_cursor(context.request, CursorTag::members));
    PARLEY_CO_TRY(auto members,
                  co_await x_directory.members(context.room_id, model::UserId{after}, limit + 1));
    std::vector<model::UserId> ids;
    for (const model::Member& member : members) ids.push_back(member.user_id);
    const std::vector<bool> online = co_await x_rooms.online(std::move(ids));
    net::HttpResponse response;
    response.body = page(
        "members", std::move(members), limit, CursorTag::members,
        [&](std::string& out, const model::Member& member, std::size_t i) {
            append_member(out, member, online[i]);
        },
        [](const model::Member& member) { return member.user_id.value; });
    co_return response;
}

RoomRoutes::Answer RoomRoutes::put_member(RequestContext context) {
    PARLEY_CO_CHECK(
        co_await x_rooms.require(context.caller.user_id, context.room_id, chat::Action::view));
    std::optional<model::Role> role;
    if (!context.request.body.empty()) {
        PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
        PARLEY_CO_TRY(const auto name, body.optional_text("role"));
        if (name) {
            role = protocol::v1::role_from(*name);
            if (!role) co_return invalid_field("role", "member, admin or owner");
        }
    }
    PARLEY_CO_TRY(const service::RoomView target,
                  co_await x_rooms.view(context.user_id, context.room_id));
    const model::UserId user = context.user_id;
    const std::optional<model::Role> present = target.standing.role;
    // Without a role, somebody who is in already stays as they are.
    model::MemberDraft draft{
        user, present && role ? model::MemberAction::role : model::MemberAction::joined,
        role.value_or(present.value_or(model::Role::member))};
    co_return co_await change_membership(std::move(context), std::move(draft));
}

RoomRoutes::Answer RoomRoutes::remove_member(RequestContext context) {
    const model::UserId user = context.user_id;
    model::MemberDraft draft{user, model::MemberAction::removed, model::Role::member};
    co_return co_await change_membership(std::move(context), std::move(draft));
}

} // namespace parley::api
