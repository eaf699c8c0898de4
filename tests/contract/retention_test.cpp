// What every ports::RetentionStore must do.
#include "base/limits.hpp"
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <gmock/gmock.h>

namespace parley::contract {
namespace {

constexpr std::int64_t kDay = 86'400'000;

class RetentionContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        anna = world->user("anna");
        bert = world->user("bert");
        room = world->room(anna, "one", {bert});
    }
    // A whole pass; how many events went.
    std::uint64_t pass(std::uint32_t server_days) {
        std::uint64_t removed = 0;
        model::RoomId next;
        for (int steps = 0; steps < 1'000; ++steps) {
            const auto step =
                await(backend->retention().remove_old(next, server_days, clock.now())).value();
            removed += step.removed;
            next = step.room_id;
            if (!next) return removed;
        }
        ADD_FAILURE() << "the pass never ends";
        return removed;
    }
    void keep_room_for(std::optional<std::uint32_t> days) {
        model::RoomDraft draft;
        draft.sets_retention = true;
        draft.retention_days = days;
        world->event(chat::Composer::room(room, anna, draft));
    }
    std::vector<model::Event> events(model::EventId since = {}) {
        return await(backend->history().events_after(room, since, 500)).value().events;
    }
    model::EventId last_id() {
        return await(backend->history().events_after(room, {}, 1)).value().last_id;
    }
    std::vector<std::string> contents() {
        std::vector<std::string> all;
        for (const auto& each :
             await(backend->history().messages_after(room, {}, 100)).value().messages)
            all.push_back(each.message.content);
        return all;
    }
    model::UserId anna, bert;
    model::RoomId room;
};

TEST_P(RetentionContract, WhatIsOlderGoesAndTheRestIsTheEndOfTheLog) {
    const auto old = world->post(room, anna, "old", "n1");
    world->event(chat::Composer::react(room, bert, old, "x", true));
    clock.advance(3 * kDay);
    const auto young = world->post(room, bert, "young");
    EXPECT_EQ(pass(0), 0u);
    EXPECT_EQ(pass(4), 0u);
    EXPECT_EQ(pass(2), 3u) << "the creation, the message, the reaction";
    EXPECT_THAT(contents(), testing::ElementsAre("young"));
    const auto left = events();
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].id, young);
    EXPECT_EQ(left[0].prev_id, model::EventId{});
    EXPECT_EQ(events(old).size(), 1u) << "a since that is older than what is kept";
    EXPECT_EQ(pass(2), 0u);
    const auto next = world->event(chat::Composer::post(
        room, anna,
        {.nonce = "n1", .type = "TEXT", .content = "new", .media_id = {}, .reply_to = {}}));
    EXPECT_EQ(next.prev_id, young) << "a nonce goes with its message";
}

TEST_P(RetentionContract, StateStaysAndTheLastIdNeverGoesBack) {
    const auto last = world->post(room, anna, "old");
    clock.advance(10 * kDay);
    ASSERT_GT(pass(1), 0u);
    EXPECT_TRUE(events().empty());
    EXPECT_TRUE(contents().empty());
    EXPECT_EQ(last_id(), last);
    const auto snapshot = await(backend->rooms().load_room(room)).value();
    EXPECT_EQ(snapshot.last_id, last);
    EXPECT_EQ(snapshot.members.size(), 2u);
    EXPECT_EQ(snapshot.room.name, "one");
    const auto list = await(backend->rooms().rooms_of(bert, {}, 10)).value();
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].unread_count, 0u);
    EXPECT_FALSE(list[0].last_message);
    model::RoomDraft draft;
    draft.topic = "goes on";
    EXPECT_GT(world->event(chat::Composer::room(room, anna, draft)).id, last);
    EXPECT_EQ(await(backend->rooms().load_room(room)).value().room.topic, "goes on");
}

TEST_P(RetentionContract, TheShorterOfServerAndRoomCounts) {
    world->post(room, anna, "old");
    keep_room_for(5);
    EXPECT_EQ(await(backend->rooms().load_room(room)).value().room.retention_days, 5u);
    clock.advance(4 * kDay);
    EXPECT_EQ(pass(0), 0u);
    EXPECT_EQ(pass(30), 0u);
    clock.advance(2 * kDay);
    keep_room_for({});
    EXPECT_EQ(pass(0), 0u);
    EXPECT_EQ(pass(30), 0u);
    keep_room_for(5);
    EXPECT_GT(pass(30), 0u);
    EXPECT_TRUE(contents().empty());
}

TEST_P(RetentionContract, AnEditOfWhatIsGoneIsShownAsItsEnd) {
    const auto old = world->post(room, anna, "old");
    clock.advance(3 * kDay);
    const auto edit = world->event(chat::Composer::edit(room, anna, old, "edited")).id;
    ASSERT_GT(pass(2), 0u);
    const auto left = events();
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].id, edit);
    const auto* deleted = std::get_if<model::MessageDeleted>(&left[0].body);
    ASSERT_TRUE(deleted);
    EXPECT_EQ(deleted->message_id, old);
    EXPECT_EQ(world->submit(chat::Composer::edit(room, anna, old, "again")).error->code,
              Errc::unknown_message);
}

TEST_P(RetentionContract, MuchIsTakenOutInManySteps) {
    world->post_many(room, anna, 2 * limits::kRetentionBatch + 50);
    clock.advance(3 * kDay);
    const auto other = world->room(bert, "two");
    world->post(other, bert, "young");
    EXPECT_EQ(pass(2), 2 * limits::kRetentionBatch + 51);
    EXPECT_TRUE(contents().empty());
    EXPECT_EQ(await(backend->history().messages_after(other, {}, 10)).value().messages.size(), 1u);
}

PARLEY_ON_EACH_STORE(RetentionContract);

} // namespace
} // namespace parley::contract
