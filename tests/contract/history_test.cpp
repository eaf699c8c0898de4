// What every ports::History must do.
#include "base/limits.hpp"
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <gmock/gmock.h>

namespace parley::contract {
namespace {

using chat::Composer;
using testing::ElementsAre;
using testing::ElementsAreArray;

std::vector<std::int64_t> ids_of(const ports::MessagePage& page) {
    std::vector<std::int64_t> ids;
    for (const auto& entry : page.messages) ids.push_back(entry.message.id.value);
    return ids;
}

class HistoryContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        alice = world->user("alice");
        bob = world->user("bob");
        room = world->room(alice, "room one", {bob});
    }
    ports::MessagePage before(model::MessageId id, std::size_t limit) {
        return await(backend->history().messages_before(room, id, limit)).value();
    }
    ports::MessagePage after(model::MessageId id, std::size_t limit) {
        return await(backend->history().messages_after(room, id, limit)).value();
    }
    ports::EventPage events(model::EventId since, std::size_t limit = 100) {
        return await(backend->history().events_after(room, since, limit)).value();
    }
    std::vector<std::int64_t> post(std::size_t count) {
        std::vector<std::int64_t> ids;
        for (std::size_t i = 0; i < count; ++i)
            ids.push_back(world->post(room, alice, "text").value);
        return ids;
    }

    model::UserId alice, bob;
    model::RoomId room;
};

TEST_P(HistoryContract, AnEmptyOrUnknownRoomHasNoMessages) {
    EXPECT_TRUE(before({}, 10).messages.empty());
    EXPECT_FALSE(before({}, 10).more);
    room = {42};
    EXPECT_TRUE(before({}, 10).messages.empty());
    EXPECT_TRUE(after({}, 10).messages.empty());
    EXPECT_TRUE(events({}).events.empty());
    EXPECT_EQ(events({}).last_id, model::EventId{});
}

TEST_P(HistoryContract, PagesBackwardsNewestFirst) {
    const auto id = post(7);
    const auto newest = before({}, 3);
    EXPECT_THAT(ids_of(newest), ElementsAre(id[6], id[5], id[4]));
    EXPECT_TRUE(newest.more);
    const auto next = before({id[4]}, 3);
    EXPECT_THAT(ids_of(next), ElementsAre(id[3], id[2], id[1]));
    EXPECT_TRUE(next.more);
    const auto last = before({id[1]}, 3);
    EXPECT_THAT(ids_of(last), ElementsAre(id[0]));
    EXPECT_FALSE(last.more);
    EXPECT_TRUE(before({id[0]}, 3).messages.empty());
    const auto exact = before({id[3]}, 3);
    EXPECT_THAT(ids_of(exact), ElementsAre(id[2], id[1], id[0]));
    EXPECT_FALSE(exact.more) << "a full page that is the last one";
}

TEST_P(HistoryContract, PagesForwardsOldestFirst) {
    const auto id = post(7);
    const auto first = after({}, 3);
    EXPECT_THAT(ids_of(first), ElementsAre(id[0], id[1], id[2]));
    EXPECT_TRUE(first.more);
    const auto exact = after({id[3]}, 3);
    EXPECT_THAT(ids_of(exact), ElementsAre(id[4], id[5], id[6]));
    EXPECT_FALSE(exact.more);
    EXPECT_TRUE(after({id[6]}, 3).messages.empty());
}

TEST_P(HistoryContract, ACursorNeedNotBeAMessage) {
    const auto id = post(3);
    EXPECT_THAT(ids_of(before({id[1] + 1}, 10)), ElementsAre(id[1], id[0]));
    EXPECT_THAT(ids_of(after({id[1] - 1}, 10)), ElementsAre(id[1], id[2]));
    EXPECT_THAT(ids_of(before({std::numeric_limits<std::int64_t>::max()}, 1)), ElementsAre(id[2]));
}

TEST_P(HistoryContract, OtherEventsDoNotTakePlacesOnAPage) {
    std::vector<std::int64_t> id;
    for (int i = 0; i < 4; ++i) {
        id.push_back(post(1).front());
        world->event(Composer::react(room, bob, {id.back()}, "+1", true));
        world->event(Composer::react(room, bob, {id.back()}, "+1", false));
    }
    EXPECT_THAT(ids_of(before({}, 2)), ElementsAre(id[3], id[2]));
    const auto rest = before({id[2]}, 2);
    EXPECT_THAT(ids_of(rest), ElementsAre(id[1], id[0]));
    EXPECT_FALSE(rest.more);
}

TEST_P(HistoryContract, RoomsDoNotMix) {
    const auto mine = post(1);
    world->post(world->room(alice, "room two"), alice, "elsewhere");
    EXPECT_THAT(ids_of(before({}, 10)), ElementsAreArray(mine));
    EXPECT_THAT(ids_of(after({}, 10)), ElementsAreArray(mine));
}

TEST_P(HistoryContract, ADeletedMessageStaysWithoutItsText) {
    const auto id = world->post(room, alice, "a secret");
    world->event(Composer::react(room, bob, id, "+1", true));
    world->event(Composer::remove(room, alice, id));
    const auto page = before({}, 10);
    ASSERT_EQ(page.messages.size(), 1u);
    EXPECT_TRUE(page.messages[0].message.deleted);
    EXPECT_EQ(page.messages[0].message.content, "");
    EXPECT_TRUE(page.messages[0].reactions.empty());
}

TEST_P(HistoryContract, SumsReactionsUpInTheOrderInWhichTheyCame) {
    const auto id = world->post(room, alice, "hello");
    const auto plain = world->post(room, alice, "no reactions here");
    world->event(Composer::react(room, bob, id, "zzz", true));
    world->event(Composer::react(room, bob, id, "+1", true));
    world->event(Composer::react(room, alice, id, "+1", true));
    const auto page = after({}, 10);
    ASSERT_EQ(page.messages.size(), 2u);
    const auto& reactions = page.messages[0].reactions;
    ASSERT_EQ(reactions.size(), 2u);
    EXPECT_EQ(reactions[0].emoji, "zzz");
    EXPECT_EQ(reactions[1].emoji, "+1");
    EXPECT_EQ(reactions[1].count, 2u);
    EXPECT_THAT(reactions[1].user_ids, ElementsAre(bob, alice));
    EXPECT_EQ(page.messages[1].message.id, plain);
    EXPECT_TRUE(page.messages[1].reactions.empty());
    EXPECT_EQ(before({}, 10).messages[1].reactions.size(), 2u);
}

TEST_P(HistoryContract, ShowsTheFirstFewOfManyReactors) {
    const auto id = world->post(room, alice, "hello");
    std::vector<model::UserId> users;
    for (std::size_t i = 0; i < limits::kReactionUsersShown + 2; ++i) {
        users.push_back(world->user("user" + std::to_string(i)));
        world->event(Composer::member(
            room, users.back(), {users.back(), model::MemberAction::joined, model::Role::member}));
        world->event(Composer::react(room, users.back(), id, "+1", true));
    }
    const auto page = before({}, 10);
    ASSERT_EQ(page.messages.at(0).reactions.size(), 1u);
    const auto& summary = page.messages[0].reactions[0];
    EXPECT_EQ(summary.count, users.size());
    users.resize(limits::kReactionUsersShown);
    EXPECT_THAT(summary.user_ids, ElementsAreArray(users));
}

TEST_P(HistoryContract, AResumeGivesEveryEventOnceInAnUnbrokenChain) {
    const auto id = world->post(room, alice, "hello", "n");
    world->event(Composer::react(room, bob, id, "+1", true));
    world->event(Composer::edit(room, alice, id, "hello you"));
    const auto carol = world->user("carol");
    world->event(
        Composer::member(room, alice, {carol, model::MemberAction::joined, model::Role::admin}));
    world->event(Composer::room(
        room, alice,
        {.name = "room 1", .topic = "new", .visibility = {}, .slow_mode_seconds = {}}));
    world->event(Composer::member(room, carol, {carol, model::MemberAction::left, {}}));
    const auto last = world->post(room, bob, "bye");

    const auto page = events({});
    ASSERT_EQ(page.events.size(), 8u);
    EXPECT_FALSE(page.more);
    EXPECT_EQ(page.last_id, last);
    model::EventId previous;
    for (const auto& event : page.events) {
        EXPECT_EQ(event.prev_id, previous);
        EXPECT_EQ(event.room_id, room);
        previous = event.id;
    }
    EXPECT_EQ(previous, last);
    const auto& body = [&](std::size_t i) -> const model::EventBody& {
        return page.events[i].body;
    };
    EXPECT_EQ(std::get<model::RoomChanged>(body(0)).room.name, "room one");
    EXPECT_EQ(std::get<model::RoomChanged>(body(0)).room.member_count, 2u);
    EXPECT_EQ(std::get<model::MessagePosted>(body(1)).nonce, "n");
    EXPECT_EQ(std::get<model::ReactionChanged>(body(2)).emoji, "+1");
    EXPECT_TRUE(std::get<model::ReactionChanged>(body(2)).added);
    EXPECT_EQ(page.events[2].user_id, bob);
    EXPECT_EQ(std::get<model::MessageEdited>(body(3)).message.id, id);
    EXPECT_EQ(std::get<model::MemberChanged>(body(4)).user_id, carol);
    EXPECT_EQ(std::get<model::MemberChanged>(body(4)).role, model::Role::admin);
    EXPECT_EQ(std::get<model::MemberChanged>(body(4)).action, model::MemberAction::joined);
    EXPECT_EQ(page.events[4].user_id, alice);
    const auto& renamed = std::get<model::RoomChanged>(body(5)).room;
    EXPECT_EQ(renamed.id, room);
    EXPECT_EQ(renamed.name, "room 1");
    EXPECT_EQ(renamed.topic, "new");
    EXPECT_EQ(renamed.visibility, model::Visibility::open);
    EXPECT_FALSE(renamed.deleted);
    EXPECT_EQ(std::get<model::MemberChanged>(body(6)).action, model::MemberAction::left);
}

TEST_P(HistoryContract, AResumeShowsAMessageAsItIsNow) {
    const auto kept = world->post(room, alice, "first words");
    const auto gone = world->post(room, alice, "a secret");
    world->event(Composer::edit(room, alice, kept, "second words"));
    world->event(Composer::edit(room, alice, kept, "third words"));
    world->event(Composer::edit(room, alice, gone, "still a secret"));
    world->event(Composer::remove(room, alice, gone));
    const auto page = events({});
    ASSERT_EQ(page.events.size(), 7u);
    EXPECT_EQ(std::get<model::MessagePosted>(page.events[1].body).message.content, "third words");
    EXPECT_EQ(std::get<model::MessageEdited>(page.events[3].body).message.content, "third words");
    EXPECT_EQ(std::get<model::MessagePosted>(page.events[2].body).message.content, "");
    EXPECT_TRUE(std::get<model::MessagePosted>(page.events[2].body).message.deleted);
    EXPECT_EQ(std::get<model::MessageEdited>(page.events[5].body).message.content, "");
    EXPECT_EQ(std::get<model::MessageDeleted>(page.events[6].body).message_id, gone);
}

TEST_P(HistoryContract, AResumeInPagesMissesAndRepeatsNothing) {
    for (int i = 0; i < 5; ++i) {
        const auto id = world->post(room, alice, "text");
        world->event(Composer::react(room, bob, id, "+1", true));
    }
    const auto all = events({});
    ASSERT_EQ(all.events.size(), 11u);
    for (const std::size_t limit : {1u, 2u, 3u, 10u, 11u, 12u}) {
        std::vector<std::int64_t> seen;
        model::EventId since;
        for (bool more = true; more;) {
            const auto page = events(since, limit);
            ASSERT_LE(page.events.size(), limit);
            ASSERT_FALSE(page.events.empty());
            EXPECT_EQ(page.last_id, all.last_id);
            for (const auto& event : page.events) seen.push_back(event.id.value);
            since = page.events.back().id;
            more = page.more;
        }
        ASSERT_EQ(seen.size(), all.events.size()) << limit;
        for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], all.events[i].id.value);
    }
    EXPECT_TRUE(events(all.last_id).events.empty());
    EXPECT_FALSE(events(all.last_id).more);
    EXPECT_EQ(events(all.last_id).last_id, all.last_id);
}

TEST_P(HistoryContract, WhatWasAcknowledgedIsThereAtOnce) {
    for (int i = 0; i < 20; ++i) {
        const auto id = world->post(room, alice, "text");
        EXPECT_EQ(before({}, 1).messages.at(0).message.id, id);
        EXPECT_EQ(events({}, 100).last_id, id);
    }
}

TEST_P(HistoryContract, ADeletedRoomHasNoHistory) {
    post(2);
    world->event(Composer::room(
        room, alice,
        {.name = {}, .topic = {}, .visibility = {}, .slow_mode_seconds = {}, .remove = true}));
    EXPECT_TRUE(before({}, 10).messages.empty());
    EXPECT_TRUE(after({}, 10).messages.empty());
    EXPECT_TRUE(events({}).events.empty());
}

PARLEY_ON_EACH_STORE(HistoryContract);

} // namespace
} // namespace parley::contract
