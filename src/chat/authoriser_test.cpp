#include "chat/authoriser.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace parley::chat {
namespace {

using model::Role;
using model::RoomKind;
using model::Visibility;

Standing in_group(std::optional<Role> role, Visibility visibility = Visibility::open) {
    return {.room_exists = true,
            .kind = RoomKind::group,
            .visibility = visibility,
            .role = role,
            .owners = 2};
}

// "ok", or the name of the refusal.
std::string verdict(const Standing& standing, Action action, const Subject& subject = {}) {
    const auto answer = authorise(standing, action, subject);
    return answer ? "ok" : std::string(name_of(answer.error().code));
}

const Subject kMyself{.is_self = true, .present_role = {}, .new_role = {}};

constexpr std::array kActions{Action::view,           Action::send,         Action::edit_message,
                              Action::delete_message, Action::change_room,  Action::delete_room,
                              Action::join,           Action::leave,        Action::add_member,
                              Action::change_role,    Action::remove_member};

TEST(Authoriser, ARoomThatIsNotThereIsUnknownForEverything) {
    for (const Action action : kActions) EXPECT_EQ(verdict({}, action), "unknown_room");
    Standing gone = in_group(Role::owner);
    gone.room_exists = false;
    for (const Action action : kActions) EXPECT_EQ(verdict(gone, action), "unknown_room");
}

TEST(Authoriser, AnOutsiderCannotTellAPrivateRoomFromNone) {
    Standing dm = in_group({}, Visibility::open);
    dm.kind = RoomKind::dm;
    for (const Action action : kActions) {
        EXPECT_EQ(verdict(in_group({}, Visibility::restricted), action, kMyself), "unknown_room");
        EXPECT_EQ(verdict(dm, action, kMyself), "unknown_room");
    }
    const auto hidden = authorise(in_group({}, Visibility::restricted), Action::view);
    EXPECT_EQ(hidden.error().detail, authorise({}, Action::view).error().detail);
}

TEST(Authoriser, AnOutsiderOfAPublicRoomMayOnlyJoin) {
    for (const Action action : kActions)
        EXPECT_EQ(verdict(in_group({}), action, kMyself),
                  action == Action::join ? "ok" : "not_a_member");
}

// Each action that depends on the role alone, for member, admin, owner.
TEST(Authoriser, RolesInAGroup) {
    struct Row {
        Action action;
        std::array<const char*, 3> expected;
    };
    const std::array rows{
        Row{Action::view, {"ok", "ok", "ok"}},
        Row{Action::send, {"ok", "ok", "ok"}},
        Row{Action::join, {"ok", "ok", "ok"}},
        Row{Action::leave, {"ok", "ok", "ok"}},
        Row{Action::edit_message, {"forbidden", "forbidden", "forbidden"}},
        Row{Action::delete_message, {"forbidden", "ok", "ok"}},
        Row{Action::change_room, {"forbidden", "ok", "ok"}},
        Row{Action::delete_room, {"forbidden", "forbidden", "ok"}},
        Row{Action::add_member, {"forbidden", "ok", "ok"}},
        Row{Action::change_role, {"forbidden", "ok", "ok"}},
        Row{Action::remove_member, {"forbidden", "ok", "ok"}},
    };
    for (const Row& row : rows)
        for (const Role role : {Role::member, Role::admin, Role::owner})
            EXPECT_EQ(verdict(in_group(role), row.action),
                      row.expected[static_cast<std::size_t>(role) - 1])
                << "action " << static_cast<int>(row.action) << " role " << static_cast<int>(role);
}

TEST(Authoriser, InADmOneMayOnlyTalk) {
    for (const Role role : {Role::member, Role::owner}) {
        Standing dm = in_group(role, Visibility::restricted);
        dm.kind = RoomKind::dm;
        for (const Action action :
             {Action::view, Action::send, Action::edit_message, Action::delete_message})
            EXPECT_EQ(verdict(dm, action, kMyself), "ok");
        for (const Action action : {Action::change_room, Action::delete_room, Action::leave,
                                    Action::add_member, Action::change_role, Action::remove_member})
            EXPECT_EQ(verdict(dm, action, kMyself), "forbidden");
    }
}

TEST(Authoriser, AnAuthorMayEditAndDelete) {
    EXPECT_EQ(verdict(in_group(Role::member), Action::edit_message, kMyself), "ok");
    EXPECT_EQ(verdict(in_group(Role::member), Action::delete_message, kMyself), "ok");
}

TEST(Authoriser, NobodyRaisesOrTouchesWhatIsAboveThem) {
    for (const Role own : {Role::admin, Role::owner})
        for (const Role present : {Role::member, Role::admin, Role::owner})
            for (const Role next : {Role::member, Role::admin, Role::owner}) {
                const Subject subject{.is_self = false, .present_role = present, .new_role = next};
                EXPECT_EQ(verdict(in_group(own), Action::change_role, subject),
                          present <= own && next <= own ? "ok" : "forbidden");
                EXPECT_EQ(verdict(in_group(own), Action::add_member,
                                  {.is_self = false, .present_role = {}, .new_role = next}),
                          next <= own ? "ok" : "forbidden");
                EXPECT_EQ(verdict(in_group(own), Action::remove_member,
                                  {.is_self = false, .present_role = present, .new_role = {}}),
                          present <= own ? "ok" : "forbidden");
            }
}

TEST(Authoriser, ARoomKeepsItsLastOwner) {
    Standing only = in_group(Role::owner);
    only.owners = 1;
    const Subject me{.is_self = true, .present_role = Role::owner, .new_role = {}};
    const Subject demoted{.is_self = true, .present_role = Role::owner, .new_role = Role::admin};
    const Subject kept{.is_self = true, .present_role = Role::owner, .new_role = Role::owner};
    EXPECT_EQ(verdict(only, Action::leave), "last_owner");
    EXPECT_EQ(verdict(only, Action::remove_member, me), "last_owner");
    EXPECT_EQ(verdict(only, Action::change_role, demoted), "last_owner");
    EXPECT_EQ(verdict(only, Action::change_role, kept), "ok");
    EXPECT_EQ(verdict(only, Action::delete_room), "ok");
    only.owners = 2;
    EXPECT_EQ(verdict(only, Action::leave), "ok");
    EXPECT_EQ(verdict(only, Action::change_role, demoted), "ok");
    // A member leaves a room with one owner without ado.
    Standing member = in_group(Role::member);
    member.owners = 1;
    EXPECT_EQ(verdict(member, Action::leave), "ok");
}

} // namespace
} // namespace parley::chat
