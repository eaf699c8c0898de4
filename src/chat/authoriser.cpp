#include "chat/authoriser.hpp"

#include "base/assert.hpp"

namespace parley::chat {

namespace {

using model::Role;
using model::RoomKind;
using model::Visibility;

Error not_allowed(const char* why) { return Error(Errc::forbidden, why); }

Result<void> require(Role role, Role at_least) {
    if (role < at_least)
        return not_allowed(at_least == Role::owner ? "only an owner may do this"
                                                   : "only an admin or an owner may do this");
    return {};
}

Result<void> require_group(const Standing& standing) {
    if (standing.kind == RoomKind::dm) return not_allowed("not in a direct message");
    return {};
}

// Whether the room would be left without an owner if the one with `role` stopped being one.
bool is_last_owner(const Standing& standing, std::optional<Role> role) {
    return role == Role::owner && standing.owners <= 1;
}

Result<void> refuse_last_owner() {
    return Error(Errc::last_owner, "the room's last owner; make somebody else an owner first");
}

Result<void> outsider(const Standing& standing, Action action, const Subject& subject) {
    if (standing.visibility == Visibility::pair && action == Action::join && subject.knows_name)
        return {};
    if (standing.kind == RoomKind::dm || standing.visibility != Visibility::open)
        return Error(Errc::unknown_room, "no such room");
    if (action == Action::join) return {};
    return Error(Errc::not_a_member, "you are not in this room");
}

// What admins and owners do to members.
Result<void> over_members(const Standing& standing, Action action, const Subject& subject) {
    const Role own = *standing.role;
    PARLEY_CHECK(require_group(standing));
    PARLEY_CHECK(require(own, Role::admin));
    if (subject.present_role && *subject.present_role > own)
        return not_allowed("this member's role is above yours");
    if (subject.new_role && *subject.new_role > own)
        return not_allowed("you cannot give a role above yours");
    const bool stays_owner = action == Action::change_role && subject.new_role == Role::owner;
    if (!stays_owner && is_last_owner(standing, subject.present_role)) return refuse_last_owner();
    return {};
}

} // namespace

Result<void> authorise(const Standing& standing, Action action, const Subject& subject) {
    if (!standing.room_exists) return Error(Errc::unknown_room, "no such room");
    if (!standing.role) return outsider(standing, action, subject);
    const Role role = *standing.role;
    switch (action) {
    case Action::view:
    case Action::send:
    case Action::join:
        return {}; // who is in may "join": there is nothing to do
    case Action::edit_message:
        if (!subject.is_self) return not_allowed("only its author may edit a message");
        return {};
    case Action::delete_message:
        if (!subject.is_self && role < Role::admin)
            return not_allowed("only its author, an admin or an owner may delete a message");
        return {};
    case Action::moderate:
    case Action::change_room:
        PARLEY_CHECK(require_group(standing));
        return require(role, Role::admin);
    case Action::delete_room:
    case Action::set_retention:
        PARLEY_CHECK(require_group(standing));
        return require(role, Role::owner);
    case Action::leave:
        PARLEY_CHECK(require_group(standing));
        if (is_last_owner(standing, role)) return refuse_last_owner();
        return {};
    case Action::add_member: {
        // One who is in already keeps the present role: nothing that could lose an owner.
        Subject newcomer = subject;
        newcomer.present_role.reset();
        return over_members(standing, action, newcomer);
    }
    case Action::change_role:
    case Action::remove_member:
        return over_members(standing, action, subject);
    }
    PARLEY_ASSERT(!"an Action outside its enum");
}

} // namespace parley::chat
