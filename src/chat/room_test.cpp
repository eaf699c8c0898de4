#include "chat/room.hpp"

#include <gtest/gtest.h>

namespace parley::chat {
namespace {

using model::MemberAction;
using model::Role;

constexpr model::RoomId kRoom{1};
constexpr model::UserId kOwner{10}, kUser{11};

Room room_of_one() {
    ports::RoomSnapshot snapshot;
    snapshot.room.id = kRoom;
    snapshot.room.visibility = model::Visibility::open;
    snapshot.members = {{kOwner, Role::owner}};
    snapshot.last_id = {100};
    return Room(std::move(snapshot));
}

model::Event event(std::int64_t id, model::EventBody body) {
    return {.id = {id},
            .prev_id = {id - 1},
            .room_id = kRoom,
            .user_id = kOwner,
            .at = {},
            .body = body};
}

TEST(Room, MembersFollowTheLog) {
    Room room = room_of_one();
    EXPECT_FALSE(room.role_of(kUser));
    EXPECT_TRUE(
        room.apply(event(101, model::MemberChanged{kUser, MemberAction::joined, Role::member})));
    EXPECT_EQ(room.role_of(kUser), Role::member);
    EXPECT_EQ(room.info().member_count, 2u);
    EXPECT_TRUE(
        room.apply(event(102, model::MemberChanged{kUser, MemberAction::role, Role::owner})));
    EXPECT_EQ(room.standing_of(kUser).owners, 2u);
    EXPECT_TRUE(
        room.apply(event(103, model::MemberChanged{kOwner, MemberAction::left, Role::owner})));
    EXPECT_FALSE(room.role_of(kOwner));
    EXPECT_EQ(room.standing_of(kUser).owners, 1u);
    EXPECT_EQ(room.member_count(), 1u);
    EXPECT_EQ(room.last_id(), model::EventId{103});
}

TEST(Room, AppliesAnEventOnce) {
    Room room = room_of_one();
    EXPECT_FALSE(room.apply(event(100, model::MemberChanged{kOwner, MemberAction::left, {}})));
    EXPECT_TRUE(room.role_of(kOwner));
    const auto joined = event(101, model::MemberChanged{kUser, MemberAction::joined, Role::owner});
    EXPECT_TRUE(room.apply(joined));
    EXPECT_FALSE(room.apply(joined));
    EXPECT_EQ(room.standing_of(kUser).owners, 2u);
}

TEST(Room, ADeletedRoomIsNotThereForAnybody) {
    Room room = room_of_one();
    model::Room after = room.info();
    after.name = "renamed";
    room.apply(event(101, model::RoomChanged{after}));
    EXPECT_EQ(room.info().name, "renamed");
    EXPECT_TRUE(authorise(room.standing_of(kOwner), Action::view));
    after.deleted = true;
    room.apply(event(102, model::RoomChanged{after}));
    EXPECT_EQ(authorise(room.standing_of(kOwner), Action::view).error().code, Errc::unknown_room);
}

} // namespace
} // namespace parley::chat
