#include "tests/sim/room_model.hpp"

#include <algorithm>
#include <utility>

namespace parley::sim {

using model::MemberAction;
using model::Role;

bool RoomModel::has(model::UserId user, Role at_least) const {
    const auto role = roles.find(user);
    return role != roles.end() && role->second >= at_least;
}

std::string RoomModel::apply(const WireEvent& event) {
    if (event.kind == EventKind::member) return apply_member(event);
    if (event.kind == EventKind::room) {
        if (!event.prev) return {}; // as it was made
        const bool same = open == event.open && name == event.content && pause_s == event.pause_s;
        open = event.open;
        pause_s = event.pause_s;
        if (pause_s == 0) x_paced_ms.clear();
        name = event.content;
        if (!has(event.user, Role::admin)) return "a room changed by one who is no admin";
        return same ? "a change of a room that changes nothing" : "";
    }
    if (event.kind == EventKind::posted) return apply_post(event);
    return apply_to_message(event);
}

std::string RoomModel::apply_post(const WireEvent& event) {
    messages[event.message] = {event.user, event.content, false, event.content == 0};
    if (!has(event.user, Role::member)) return "a message by one who is not in the room";
    if (pause_s == 0 || has(event.user, Role::admin)) return {};
    const auto [last, first] = x_paced_ms.try_emplace(event.user, event.at_ms);
    const std::int64_t waited_ms = event.at_ms - std::exchange(last->second, event.at_ms);
    return first || waited_ms >= std::int64_t{pause_s} * 1000
               ? ""
               : "a message sooner than slow mode lets";
}

std::string RoomModel::apply_to_message(const WireEvent& event) {
    const auto found = messages.find(event.message);
    if (found == messages.end()) return "a change of a message that is not there";
    Message& message = found->second;
    const bool own = message.author == event.user;
    if (!has(event.user, Role::member)) return "a message changed by one who is not in the room";
    switch (event.kind) {
    case EventKind::edited:
        message.edited = true;
        message.content = event.content;
        return own ? "" : "an edit by another than the author";
    case EventKind::deleted:
        message.deleted = true;
        message.content = 0;
        std::erase_if(reactions, [&](const auto& one) { return one.first == event.message; });
        return own || has(event.user, Role::admin) ? ""
                                                   : "a deletion by one who has no right to it";
    case EventKind::reaction:
        if (event.added)
            return reactions.emplace(event.message, event.user).second ? "" : "a reaction twice";
        return reactions.erase({event.message, event.user}) ? "" : "no such reaction to take back";
    default:
        return "not about a message";
    }
}

std::string RoomModel::apply_member(const WireEvent& event) {
    const bool self = event.user == event.subject, there = roles.contains(event.subject);
    const Role before = there ? roles[event.subject] : Role::member;
    const bool actor_is_admin = has(event.user, Role::admin);
    const Role own = actor_is_admin ? roles[event.user] : Role::member;
    const bool rises = event.action == MemberAction::joined || event.action == MemberAction::role;
    if (rises)
        roles[event.subject] = event.role;
    else
        roles.erase(event.subject);
    if (there == (event.action == MemberAction::joined))
        return "a member who was there, or was not";
    const auto is_owner = [](const auto& member) { return member.second == Role::owner; };
    if (std::ranges::none_of(roles, is_owner)) return "a room without an owner";
    if (event.action == MemberAction::left) return self ? "" : "one leaves in another's name";
    if (event.action == MemberAction::joined && self)
        return open && event.role == Role::member ? "" : "one joins where one may not";
    if (!actor_is_admin) return "members changed by one who is no admin";
    if (before > own || (rises && event.role > own)) return "a role above one's own";
    return {};
}

} // namespace parley::sim
