// What every ports::RoomDirectory must do.
#include "base/limits.hpp"
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <gmock/gmock.h>

namespace parley::contract {
namespace {

using chat::Composer;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class RoomDirectoryContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        alice = world->user("alice");
        bob = world->user("bob");
    }
    ports::RoomDirectory& directory() { return backend->rooms(); }
    std::vector<ports::RoomListItem> rooms_of(model::UserId user, model::RoomId after = {},
                                              std::size_t limit = 50) {
        return await(directory().rooms_of(user, after, limit)).value();
    }
    ports::RoomListItem item(model::UserId user, model::RoomId room) {
        for (auto& entry : rooms_of(user))
            if (entry.room.id == room) return entry;
        throw std::runtime_error("the room is not in the list");
    }
    std::vector<model::RoomId> search(std::string query, model::RoomId after = {},
                                      std::size_t limit = 50,
                                      ports::Groups among = ports::Groups::open) {
        std::vector<model::RoomId> ids;
        for (const auto& room :
             await(directory().search(among, std::move(query), after, limit)).value())
            ids.push_back(room.id);
        return ids;
    }
    Result<bool> read(model::UserId user, model::RoomId room, model::MessageId message) {
        const auto outcomes = await(directory().set_read({{user, room, message}})).value();
        if (outcomes.at(0) == ports::MarkOutcome::unknown_message) return Errc::unknown_message;
        return outcomes[0] == ports::MarkOutcome::moved;
    }
    void remove(model::RoomId room) {
        world->event(Composer::room(
            room, alice,
            {.name = {}, .topic = {}, .visibility = {}, .slow_mode_seconds = {}, .remove = true}));
    }

    model::UserId alice, bob;
};

TEST_P(RoomDirectoryContract, ASnapshotHasRoomMembersAndNewestEvent) {
    const auto room =
        world->room(alice, "room one", {bob}, model::Visibility::restricted, "things");
    const auto last = world->post(room, bob, "hello");
    const auto snapshot = await(directory().load_room(room)).value();
    EXPECT_EQ(snapshot.room.id, room);
    EXPECT_EQ(snapshot.room.name, "room one");
    EXPECT_EQ(snapshot.room.topic, "things");
    EXPECT_EQ(snapshot.room.visibility, model::Visibility::restricted);
    EXPECT_EQ(snapshot.room.member_count, 2u);
    EXPECT_EQ(snapshot.last_id, last);
    ASSERT_EQ(snapshot.members.size(), 2u);
    for (const auto& member : snapshot.members)
        EXPECT_EQ(member.role, member.user_id == alice ? model::Role::owner : model::Role::member);
    world->event(Composer::react(room, alice, last, "+1", true));
    EXPECT_GT(await(directory().load_room(room)).value().last_id, last) << "not only messages";
}

TEST_P(RoomDirectoryContract, NoRoomAndADeletedRoomAreUnknown) {
    EXPECT_EQ(await(directory().load_room({42})).error().code, Errc::unknown_room);
    const auto room = world->room(alice, "room one", {bob});
    remove(room);
    EXPECT_EQ(await(directory().load_room(room)).error().code, Errc::unknown_room);
    EXPECT_TRUE(rooms_of(alice).empty());
    EXPECT_TRUE(rooms_of(bob).empty());
}

TEST_P(RoomDirectoryContract, ListsMyRoomsInPages) {
    std::vector<model::RoomId> rooms;
    for (int i = 0; i < 5; ++i)
        rooms.push_back(world->room(alice, "room " + std::to_string(i), {bob}));
    world->room(alice, "not of bob");
    const auto first = rooms_of(bob, {}, 3);
    ASSERT_EQ(first.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(first[i].room.id, rooms[i]);
    const auto rest = rooms_of(bob, first.back().room.id, 3);
    ASSERT_EQ(rest.size(), 2u);
    EXPECT_EQ(rest[1].room.id, rooms[4]);
    EXPECT_EQ(rest[0].my_role, model::Role::member);
    EXPECT_EQ(rooms_of(alice).size(), 6u);
    EXPECT_EQ(rooms_of(alice)[0].my_role, model::Role::owner);
    EXPECT_EQ(rooms_of(bob, {}, limits::kPageMax + 1).size(), 5u);
}

TEST_P(RoomDirectoryContract, ARoomLeavesTheListWithItsMember) {
    const auto room = world->room(alice, "room one", {bob});
    EXPECT_EQ(rooms_of(bob).size(), 1u);
    world->event(Composer::member(room, bob, {bob, model::MemberAction::left, {}}));
    EXPECT_TRUE(rooms_of(bob).empty());
}

TEST_P(RoomDirectoryContract, CountsWhatOthersSaidAfterTheReadMark) {
    const auto room = world->room(alice, "room one", {bob});
    EXPECT_EQ(item(bob, room).unread_count, 0u);
    const auto first = world->post(room, alice, "one");
    world->post(room, bob, "my own");
    const auto third = world->post(room, alice, "three");
    world->event(Composer::react(room, alice, first, "+1", true));
    EXPECT_EQ(item(bob, room).unread_count, 2u);
    EXPECT_EQ(item(bob, room).last_read_id, model::MessageId{});
    EXPECT_TRUE(read(bob, room, first).value());
    EXPECT_EQ(item(bob, room).unread_count, 1u);
    EXPECT_EQ(item(bob, room).last_read_id, first);
    world->event(Composer::remove(room, alice, third));
    EXPECT_EQ(item(bob, room).unread_count, 0u) << "there is nothing to read in it any more";
    EXPECT_EQ(item(alice, room).unread_count, 1u) << "marks are each user's own";
}

TEST_P(RoomDirectoryContract, UnreadCountingStopsAtItsBound) {
    const auto room = world->room(alice, "room one", {bob});
    world->post_many(room, alice, limits::kUnreadCountMax + 5);
    EXPECT_EQ(item(bob, room).unread_count, limits::kUnreadCountMax);
}

TEST_P(RoomDirectoryContract, TheLastMessageIsTheNewestThatCanBeRead) {
    const auto room = world->room(alice, "room one", {bob});
    EXPECT_FALSE(item(bob, room).last_message);
    const auto first = world->post(room, alice, "one");
    const auto second = world->post(room, alice, "two");
    EXPECT_EQ(item(bob, room).last_message->content, "two");
    world->event(Composer::remove(room, alice, second));
    EXPECT_EQ(item(bob, room).last_message->id, first);
    world->event(Composer::edit(room, alice, first, "one and a half"));
    EXPECT_EQ(item(bob, room).last_message->content, "one and a half");
    world->event(Composer::remove(room, alice, first));
    EXPECT_FALSE(item(bob, room).last_message);
}

TEST_P(RoomDirectoryContract, ADmNamesBothOfItsUsers) {
    const auto dm = world->dm(bob, alice);
    EXPECT_THAT(item(alice, dm).dm_user_ids, UnorderedElementsAre(alice, bob));
    EXPECT_EQ(item(alice, dm).room.kind, model::RoomKind::dm);
    EXPECT_TRUE(item(alice, world->room(alice, "room one")).dm_user_ids.empty());
}

TEST_P(RoomDirectoryContract, AReadMarkOnlyMovesForward) {
    const auto room = world->room(alice, "room one", {bob});
    const auto first = world->post(room, alice, "one");
    const auto second = world->post(room, alice, "two");
    EXPECT_TRUE(read(bob, room, second).value());
    EXPECT_FALSE(read(bob, room, second).value());
    EXPECT_FALSE(read(bob, room, first).value());
    EXPECT_EQ(item(bob, room).last_read_id, second);
    EXPECT_TRUE(read(alice, room, first).value());
}

TEST_P(RoomDirectoryContract, AReadMarkNeedsAMessageOfTheRoom) {
    const auto room = world->room(alice, "room one", {bob});
    const auto other = world->room(alice, "room two", {bob});
    const auto message = world->post(other, alice, "there");
    EXPECT_EQ(read(bob, room, message).error().code, Errc::unknown_message);
    EXPECT_EQ(read(bob, room, {42}).error().code, Errc::unknown_message);
    EXPECT_EQ(read(bob, {42}, message).error().code, Errc::unknown_message);
    EXPECT_EQ(item(bob, room).last_read_id, model::MessageId{});
}

TEST_P(RoomDirectoryContract, SearchFindsOpenGroupsByNameAndTopic) {
    const auto garden = world->room(alice, "The Garden", {}, model::Visibility::open, "Roses");
    const auto kitchen =
        world->room(alice, "Kitchen", {}, model::Visibility::open, "all 100% roses");
    world->room(alice, "Secret Garden", {}, model::Visibility::restricted);
    world->dm(alice, bob);
    EXPECT_THAT(search("garden"), ElementsAre(garden));
    EXPECT_THAT(search("ose"), ElementsAre(garden, kitchen));
    EXPECT_THAT(search(""), ElementsAre(garden, kitchen));
    EXPECT_THAT(search("100%"), ElementsAre(kitchen));
    EXPECT_TRUE(search("g%n").empty()) << "no wildcards";
    EXPECT_TRUE(search("g_rden").empty());
    EXPECT_THAT(search("", {}, 1), ElementsAre(garden));
    EXPECT_THAT(search("", garden, 1), ElementsAre(kitchen));
    world->event(Composer::room(
        garden, alice,
        {.name = "The Meadow", .topic = {}, .visibility = {}, .slow_mode_seconds = {}}));
    EXPECT_TRUE(search("garden").empty());
    EXPECT_THAT(search("meadow"), ElementsAre(garden));
    remove(garden);
    EXPECT_TRUE(search("meadow").empty());
}

TEST_P(RoomDirectoryContract, ReadMarksOfOneWriteMoveEachForItself) {
    const auto room = world->room(alice, "room one", {bob});
    const auto first = world->post(room, alice, "one");
    const auto second = world->post(room, alice, "two");
    const auto outcomes = await(directory().set_read(
        {{bob, room, second}, {alice, room, {42}}, {bob, room, first}, {alice, room, first}}));
    using enum ports::MarkOutcome;
    EXPECT_THAT(outcomes.value(), ElementsAre(moved, unknown_message, stayed, moved));
    EXPECT_EQ(item(bob, room).last_read_id, second);
    EXPECT_EQ(item(alice, room).last_read_id, first);
}

TEST_P(RoomDirectoryContract, TellsWhoHasReadAMessage) {
    const auto room = world->room(alice, "room one", {bob});
    const auto other = world->room(alice, "room two", {bob});
    const auto carol = world->user("carol");
    const auto first = world->post(room, alice, "one");
    const auto second = world->post(room, alice, "two");
    const auto elsewhere = world->post(other, alice, "elsewhere");
    EXPECT_TRUE(await(directory().readers(room, first, 10)).value().users.empty());
    ASSERT_TRUE(await(directory().set_read({{bob, room, second},
                                            {alice, room, first},
                                            {bob, other, elsewhere},
                                            {carol, room, first}})));
    const auto of_first = await(directory().readers(room, first, 10)).value();
    EXPECT_THAT(of_first.users, ElementsAre(alice, bob)); // carol is no member
    EXPECT_FALSE(of_first.more);
    EXPECT_THAT(await(directory().readers(room, second, 10)).value().users, ElementsAre(bob));
    const auto one = await(directory().readers(room, first, 1)).value();
    EXPECT_THAT(one.users, ElementsAre(alice));
    EXPECT_TRUE(one.more);
}

TEST_P(RoomDirectoryContract, TellsWhoSharesARoom) {
    const auto carol = world->user("carol"), dave = world->user("dave");
    const auto share = [&](model::UserId one, model::UserId other) {
        return await(directory().share_room(one, other)).value();
    };
    const auto room = world->room(alice, "room one", {bob}, model::Visibility::restricted);
    world->room(carol, "room two", {bob});
    EXPECT_TRUE(share(alice, bob));
    EXPECT_TRUE(share(bob, alice));
    EXPECT_TRUE(share(bob, carol));
    EXPECT_FALSE(share(alice, carol)) << "they only know somebody in common";
    EXPECT_FALSE(share(alice, dave));
    EXPECT_FALSE(share(alice, {42}));
    remove(room);
    EXPECT_FALSE(share(alice, bob)) << "a room that is no more";
}

TEST_P(RoomDirectoryContract, MembersAreListedAsTheyLook) {
    const auto room = world->room(alice, "room one", {bob});
    ports::UserChange change;
    change.display_name = "Alice A.";
    change.avatar_media_id = model::MediaId{77};
    ASSERT_TRUE(await(backend->users().update_user(alice, change)));
    const auto members = await(directory().members(room, {}, 10)).value();
    ASSERT_EQ(members.size(), 2u);
    for (const auto& member : members) {
        const bool is_alice = member.user_id == alice;
        EXPECT_EQ(member.display_name, is_alice ? "Alice A." : "");
        EXPECT_EQ(member.avatar_media_id.has_value(), is_alice);
    }
}

TEST_P(RoomDirectoryContract, ListsMembersInPages) {
    const auto room = world->room(alice, "room one", {bob});
    const auto carol = world->user("carol");
    const auto joined = world->event(
        Composer::member(room, alice, {carol, model::MemberAction::joined, model::Role::admin}));
    ASSERT_TRUE(await(backend->users().note_presence(
        {.alive_at = {}, .online = {}, .offline = {{carol, {1'767'000'000'123}}}})));
    const auto first = await(directory().members(room, {}, 2)).value();
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[0].username, "alice");
    EXPECT_EQ(first[1].username, "bob");
    EXPECT_FALSE(first[0].last_seen_at);
    const auto rest = await(directory().members(room, first[1].user_id, 2)).value();
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].user_id, carol);
    EXPECT_EQ(rest[0].role, model::Role::admin);
    EXPECT_EQ(rest[0].joined_at, joined.at);
    EXPECT_EQ(rest[0].last_seen_at, model::Time{1'767'000'000'123});
    EXPECT_TRUE(await(directory().members({42}, {}, 10)).value().empty());
}

PARLEY_ON_EACH_STORE(RoomDirectoryContract);

} // namespace
} // namespace parley::contract
