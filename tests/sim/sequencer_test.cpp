#include "base/limits.hpp"
#include "tests/sim/core_fixture.hpp"

#include <gtest/gtest.h>

namespace parley::test {
namespace {

using model::MemberAction;
using model::Role;
using model::Visibility;

class SequencerTest : public CoreTest {
protected:
    SequencerTest() : room(make_group("general", {bob})) {}
    template <class Body>
    static const Body& body(const ports::Outcome& outcome) {
        return std::get<Body>(outcome.durable->event().body);
    }
    model::RoomId room;
};

TEST_F(SequencerTest, EachEventNamesTheOneBeforeIt) {
    say(room, alice, "1");
    const auto elsewhere = make_group("other");
    say(elsewhere, alice, "1");
    say(room, bob, "2");
    run(member(room, alice, carol, MemberAction::joined));
    reopen();
    say(room, carol, "3");
    model::EventId last;
    for (const model::Event& event : log_of(room)) {
        EXPECT_EQ(event.prev_id, last);
        EXPECT_GT(event.id, last);
        last = event.id;
    }
    EXPECT_EQ(log_of(room).size(), 5u);
}

TEST_F(SequencerTest, IdsRiseAcrossARestartWithTheClockSetBack) {
    const auto before = say(room, alice, "1");
    clock.now_ms -= 3'600'000;
    reopen();
    EXPECT_GT(say(room, alice, "2"), before);
}

TEST_F(SequencerTest, ARepeatedNonceAnswersTheFirstMessage) {
    const auto first = run(post(room, bob, "n", "hello"));
    clock.now_ms += 365ll * 86'400'000; // there is no time window
    reopen();
    const auto again = run(post(room, bob, "n", " hello "));
    EXPECT_EQ(code_of(again), "duplicate");
    EXPECT_EQ(again.durable->event().id, first.durable->event().id);
    EXPECT_EQ(again.durable->event().prev_id, first.durable->event().prev_id);
    EXPECT_EQ(code_of(run(post(room, bob, "n", "other"))), "nonce_conflict");
    EXPECT_EQ(log_of(room).size(), 2u);
}

TEST_F(SequencerTest, ANonceIsOfOneUserInOneRoom) {
    EXPECT_EQ(code_of(run(post(room, bob, "n", "a"))), "ok");
    EXPECT_EQ(code_of(run(post(room, alice, "n", "b"))), "ok");
    const auto other = make_group("other", {bob});
    EXPECT_EQ(code_of(run(post(other, bob, "n", "c"))), "ok");
}

TEST_F(SequencerTest, ARepeatAfterAnEditOrADeletionShowsThePresentState) {
    const auto id = say(room, bob, "n");
    run(chat::Composer::edit(room, bob, id, "new"));
    const auto edited = run(post(room, bob, "n", "text of n"));
    EXPECT_EQ(body<model::MessagePosted>(edited).message.content, "new");
    run(chat::Composer::remove(room, bob, id));
    const auto deleted = run(post(room, bob, "n", "text of n"));
    EXPECT_EQ(code_of(deleted), "duplicate");
    EXPECT_TRUE(body<model::MessagePosted>(deleted).message.deleted);
    EXPECT_EQ(body<model::MessagePosted>(deleted).message.content, "");
}

TEST_F(SequencerTest, OneRemovedAMomentAgoCannotPostNorRepeat) {
    say(room, bob, "n");
    std::vector<ports::Submission> batch;
    batch.push_back(submission(member(room, alice, bob, MemberAction::removed)));
    batch.push_back(submission(post(room, bob, "new", "text")));
    batch.push_back(submission(post(room, bob, "n", "text of n")));
    const auto outcomes = ingester->run(std::move(batch));
    EXPECT_EQ(code_of(outcomes[0]), "ok");
    EXPECT_EQ(code_of(outcomes[1]), "not_a_member");
    EXPECT_EQ(code_of(outcomes[2]), "not_a_member");
}

TEST_F(SequencerTest, AReplyNeedsAMessageOfTheSameRoom) {
    const auto id = say(room, alice, "1");
    const auto elsewhere = say(make_group("other"), alice, "1");
    const auto reply = run(post(room, bob, "2", "yes", id));
    EXPECT_EQ(body<model::MessagePosted>(reply).message.reply_to, id);
    EXPECT_EQ(code_of(run(post(room, bob, "3", "yes", elsewhere))), "unknown_message");
    // The id of an event that is no message.
    EXPECT_EQ(code_of(run(post(room, bob, "4", "yes", log_of(room).front().id))),
              "unknown_message");
}

TEST_F(SequencerTest, OnlyItsAuthorEditsAMessage) {
    const auto id = say(room, bob, "1");
    clock.now_ms += 5;
    const auto edited = run(chat::Composer::edit(room, bob, id, "new"));
    EXPECT_EQ(body<model::MessageEdited>(edited).message.content, "new");
    EXPECT_EQ(body<model::MessageEdited>(edited).message.id, id);
    EXPECT_EQ(body<model::MessageEdited>(edited).message.edited_at, clock.now());
    EXPECT_EQ(code_of(run(chat::Composer::edit(room, bob, id, "new"))), "ok");
    EXPECT_EQ(code_of(run(chat::Composer::edit(room, alice, id, "x"))), "forbidden");
    EXPECT_EQ(code_of(run(chat::Composer::edit(room, carol, id, "x"))), "not_a_member");
    EXPECT_EQ(code_of(run(chat::Composer::edit(room, bob, {id.value + 1'000'000}, "x"))),
              "unknown_message");
    run(chat::Composer::remove(room, bob, id));
    EXPECT_EQ(code_of(run(chat::Composer::edit(room, bob, id, "x"))), "unknown_message");
}

TEST_F(SequencerTest, AuthorAndAdminsDelete) {
    const auto by_alice = say(room, alice, "1"), by_bob = say(room, bob, "2");
    EXPECT_EQ(code_of(run(chat::Composer::remove(room, bob, by_alice))), "forbidden");
    EXPECT_EQ(code_of(run(chat::Composer::remove(room, alice, by_bob))), "ok");
    EXPECT_EQ(code_of(run(chat::Composer::remove(room, alice, by_bob))), "nothing");
    EXPECT_EQ(code_of(run(chat::Composer::remove(room, alice, {77}))), "unknown_message");
    for (const model::Event& event : log_of(room)) {
        const auto* posted = std::get_if<model::MessagePosted>(&event.body);
        if (!posted) continue;
        EXPECT_EQ(posted->message.content, event.id == by_bob ? "" : "text of 1");
    }
}

TEST_F(SequencerTest, AReactionStandsOnceForEachUser) {
    const auto id = say(room, alice, "1");
    const auto react = [&](model::UserId user, bool added, model::MessageId message) {
        return code_of(run(chat::Composer::react(room, user, message, "+1", added)));
    };
    EXPECT_EQ(react(bob, false, id), "nothing");
    EXPECT_EQ(react(bob, true, id), "ok");
    EXPECT_EQ(react(bob, true, id), "nothing");
    EXPECT_EQ(react(alice, true, id), "ok");
    EXPECT_EQ(react(bob, false, id), "ok");
    EXPECT_EQ(react(carol, true, id), "not_a_member");
    EXPECT_EQ(react(bob, true, {5}), "unknown_message");
    run(chat::Composer::remove(room, alice, id));
    EXPECT_EQ(react(bob, true, id), "unknown_message");
}

TEST_F(SequencerTest, AMessageHasABoundedNumberOfReactions) {
    const auto id = say(room, alice, "1");
    for (std::size_t i = 0; i < limits::kReactionsPerMessage; ++i)
        ASSERT_EQ(code_of(run(chat::Composer::react(room, bob, id, std::to_string(i), true))),
                  "ok");
    EXPECT_EQ(code_of(run(chat::Composer::react(room, bob, id, "more", true))), "forbidden");
    EXPECT_EQ(code_of(run(chat::Composer::react(room, bob, id, "7", false))), "ok");
    EXPECT_EQ(code_of(run(chat::Composer::react(room, bob, id, "more", true))), "ok");
}

TEST_F(SequencerTest, PeopleJoinAndLeave) {
    EXPECT_EQ(code_of(run(member(room, carol, carol, MemberAction::joined, Role::owner))), "ok");
    EXPECT_EQ(*store.role(room, carol), Role::member); // not what one asks for oneself
    EXPECT_EQ(code_of(run(member(room, carol, carol, MemberAction::joined))), "nothing");
    // An owner who joins again stays owner.
    EXPECT_EQ(code_of(run(member(room, alice, alice, MemberAction::joined))), "nothing");
    EXPECT_EQ(*store.role(room, alice), Role::owner);
    EXPECT_EQ(code_of(run(member(room, carol, carol, MemberAction::left))), "ok");
    EXPECT_EQ(code_of(run(member(room, carol, carol, MemberAction::left))), "not_a_member");
    EXPECT_EQ(code_of(run(member(room, alice, alice, MemberAction::left))), "last_owner");
}

TEST_F(SequencerTest, AdminsAddChangeAndRemove) {
    const auto add = [&](model::UserId actor, model::UserId whom, Role role) {
        return run(member(room, actor, whom, MemberAction::joined, role));
    };
    EXPECT_EQ(code_of(add(bob, carol, Role::member)), "forbidden");
    EXPECT_EQ(code_of(add(alice, carol, Role::admin)), "ok");
    EXPECT_EQ(code_of(add(alice, carol, Role::admin)), "nothing");
    EXPECT_EQ(code_of(add(alice, {999}, Role::member)), "unknown_user");
    const auto changed = add(alice, bob, Role::owner);
    EXPECT_EQ(body<model::MemberChanged>(changed).action, MemberAction::role);
    EXPECT_EQ(code_of(run(member(room, carol, bob, MemberAction::role, Role::member))),
              "forbidden");
    EXPECT_EQ(code_of(run(member(room, carol, bob, MemberAction::removed))), "forbidden");
    EXPECT_EQ(code_of(run(member(room, alice, {999}, MemberAction::role))), "unknown_user");
    EXPECT_EQ(code_of(run(member(room, alice, {999}, MemberAction::removed))), "nothing");
    // To remove oneself is to leave.
    const auto left = run(member(room, bob, bob, MemberAction::removed));
    EXPECT_EQ(body<model::MemberChanged>(left).action, MemberAction::left);
    EXPECT_EQ(code_of(run(member(room, alice, alice, MemberAction::role, Role::member))),
              "last_owner");
}

TEST_F(SequencerTest, AGroupsNameIsUniqueUnderItsKey) {
    EXPECT_EQ(code_of(run(group(bob, "GENERAL"))), "room_name_taken");
    const auto other = make_group("other");
    model::RoomDraft rename;
    rename.name = "\uFF27eneral";
    EXPECT_EQ(code_of(run(chat::Composer::room(other, alice, rename))), "room_name_taken");
    rename.name = "Other"; // its own key
    EXPECT_EQ(code_of(run(chat::Composer::room(other, alice, rename))), "ok");
    EXPECT_EQ(code_of(run(chat::Composer::room(other, alice, rename))), "nothing");
    rename.name = "third";
    EXPECT_EQ(code_of(run(chat::Composer::room(other, alice, rename))), "ok");
    EXPECT_EQ(code_of(run(group(bob, "other"))), "ok"); // the old name is free
    EXPECT_EQ(code_of(run(chat::Composer::room(room, bob, rename))), "forbidden");
}

TEST_F(SequencerTest, AChangeOfARoomCarriesAllOfIt) {
    model::RoomDraft draft;
    draft.topic = "news";
    draft.visibility = Visibility::restricted;
    const auto changed = run(chat::Composer::room(room, alice, draft));
    const model::Room& after = body<model::RoomChanged>(changed).room;
    EXPECT_EQ(after.name, "general");
    EXPECT_EQ(after.topic, "news");
    EXPECT_EQ(after.visibility, Visibility::restricted);
    EXPECT_EQ(after.member_count, 2u);
    EXPECT_EQ(code_of(run(member(room, carol, carol, MemberAction::joined))), "unknown_room");
}

TEST_F(SequencerTest, ADeletedRoomIsUnknownAndItsNameFree) {
    const auto id = say(room, bob, "n");
    model::RoomDraft remove;
    remove.remove = true;
    EXPECT_EQ(code_of(run(chat::Composer::room(room, bob, remove))), "forbidden");
    std::vector<ports::Submission> batch;
    batch.push_back(submission(chat::Composer::room(room, alice, remove)));
    batch.push_back(submission(post(room, bob, "m", "text"))); // in the same transaction
    auto outcomes = ingester->run(std::move(batch));
    EXPECT_EQ(code_of(outcomes[0]), "ok");
    EXPECT_TRUE(body<model::RoomChanged>(outcomes[0]).room.deleted);
    EXPECT_EQ(code_of(outcomes[1]), "unknown_room");
    EXPECT_EQ(code_of(run(post(room, bob, "n", "text of n"))), "unknown_room");
    EXPECT_EQ(code_of(run(chat::Composer::edit(room, bob, id, "x"))), "unknown_room");
    EXPECT_EQ(code_of(run(chat::Composer::room(room, alice, remove))), "unknown_room");
    EXPECT_EQ(code_of(run(member(room, carol, carol, MemberAction::joined))), "unknown_room");
    EXPECT_EQ(code_of(run(group(bob, "general"))), "ok");
}

TEST_F(SequencerTest, AnUnknownRoomIsUnknown) {
    EXPECT_EQ(code_of(run(post({12345}, alice, "n", "x"))), "unknown_room");
}

TEST_F(SequencerTest, ANewRoomHasTheIdOfItsFirstEvent) {
    const auto made = run(group(bob, "fresh", {carol, alice}));
    EXPECT_EQ(made.room_id.value, made.durable->event().id.value);
    EXPECT_EQ(body<model::RoomChanged>(made).room.id, made.room_id);
    EXPECT_EQ(body<model::RoomChanged>(made).room.member_count, 3u);
    EXPECT_EQ(made.durable->event().prev_id, model::EventId{});
    EXPECT_EQ(made.durable->initial_members(), (std::vector<model::UserId>{bob, carol, alice}));
    EXPECT_EQ(*store.role(made.room_id, bob), Role::owner);
    EXPECT_EQ(*store.role(made.room_id, alice), Role::member);
    const auto first_post = run(post(made.room_id, carol, "1", "hi"));
    EXPECT_EQ(first_post.durable->event().prev_id, made.durable->event().id);
    const auto refused = run(group(bob, "another", {{999}}));
    EXPECT_EQ(code_of(refused), "unknown_user");
    EXPECT_FALSE(refused.room_id);
}

TEST_F(SequencerTest, ADmIsFoundAgainFromEitherSide) {
    const auto made = run(dm(alice, bob));
    EXPECT_EQ(code_of(made), "ok");
    say(made.room_id, alice, "1");
    for (const auto& [from, to] : {std::pair(alice, bob), std::pair(bob, alice)}) {
        const auto again = run(dm(from, to));
        EXPECT_EQ(code_of(again), "duplicate");
        EXPECT_EQ(again.room_id, made.room_id);
        EXPECT_EQ(body<model::RoomChanged>(again).room.id, made.room_id);
        EXPECT_EQ(body<model::RoomChanged>(again).room.kind, model::RoomKind::dm);
    }
    EXPECT_EQ(code_of(run(dm(alice, carol))), "ok");
    EXPECT_EQ(code_of(run(dm(alice, {999}))), "unknown_user");
    EXPECT_EQ(code_of(run(member(made.room_id, alice, alice, MemberAction::left))), "forbidden");
    EXPECT_EQ(code_of(run(member(made.room_id, alice, carol, MemberAction::joined))), "forbidden");
    EXPECT_EQ(code_of(run(post(made.room_id, carol, "n", "x"))), "unknown_room");
}

// --- the room's rate and slow mode

Result<model::Draft> slow_mode(model::RoomId room, model::UserId actor, std::uint32_t seconds) {
    model::RoomDraft draft;
    draft.slow_mode_seconds = seconds;
    return chat::Composer::room(room, actor, std::move(draft));
}

TEST_F(SequencerTest, SlowModeHoldsMembersAndNoAdmins) {
    const auto changed = run(slow_mode(room, alice, 30));
    EXPECT_EQ(body<model::RoomChanged>(changed).room.slow_mode_seconds, 30u);
    EXPECT_EQ(code_of(run(slow_mode(room, alice, 30))), "nothing");
    say(room, bob, "1");
    clock.now_ms += 10'000;
    const auto refused = run(post(room, bob, "2", "x"));
    ASSERT_EQ(code_of(refused), "rate_limited");
    EXPECT_EQ(refused.error->retry_after, std::chrono::seconds(20));
    EXPECT_EQ(code_of(run(post(room, bob, "1", "text of 1"))), "duplicate");
    for (const char* nonce : {"3", "4", "5"}) say(room, alice, nonce);
    clock.now_ms += 20'000;
    EXPECT_EQ(code_of(run(post(room, bob, "2", "x"))), "ok");
    EXPECT_EQ(code_of(run(post(room, bob, "6", "x"))), "rate_limited");
    run(slow_mode(room, alice, 0));
    EXPECT_EQ(code_of(run(post(room, bob, "6", "x"))), "ok");
    EXPECT_EQ(code_of(run(post(room, bob, "7", "x"))), "ok");
}

TEST_F(SequencerTest, SlowModeOutlivesARestartAndLeaving) {
    run(slow_mode(room, alice, 600));
    say(room, bob, "1");
    reopen();
    EXPECT_EQ(code_of(run(post(room, bob, "2", "x"))), "rate_limited");
    run(member(room, bob, bob, MemberAction::left));
    run(member(room, bob, bob, MemberAction::joined));
    EXPECT_EQ(code_of(run(post(room, bob, "2", "x"))), "rate_limited");
}

TEST_F(SequencerTest, AClockSetBackMakesNoWaitLongerThanThePause) {
    run(slow_mode(room, alice, 60));
    say(room, bob, "1");
    clock.now_ms -= 3'600'000;
    const auto refused = run(post(room, bob, "2", "x"));
    ASSERT_EQ(code_of(refused), "rate_limited");
    EXPECT_EQ(refused.error->retry_after, std::chrono::seconds(60));
}

TEST_F(SequencerTest, SlowModeIsAtMostSixHoursAndNotForMembersToSet) {
    EXPECT_FALSE(slow_mode(room, alice, limits::kSlowModeSecondsMax + 1));
    EXPECT_EQ(code_of(run(slow_mode(room, bob, 10))), "forbidden");
}

TEST_F(SequencerTest, ARoomsRateIsOfItsMembersAndNotOfOutsiders) {
    Metrics metrics;
    Counter& refusals = metrics.counter("refused", "");
    room_limits.sends = {.per_second = 1, .burst = 3};
    room_limits.sends_refused = &refusals;
    reopen();
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(code_of(run(post(room, carol, std::to_string(i), "x"))), "not_a_member");
    say(room, alice, "1");
    say(room, bob, "2");
    const auto third = say(room, bob, "3");
    EXPECT_EQ(code_of(run(post(room, alice, "4", "x"))), "rate_limited");
    EXPECT_EQ(code_of(run(chat::Composer::edit(room, bob, third, "y"))), "rate_limited");
    EXPECT_EQ(code_of(run(post(room, bob, "3", "text of 3"))), "duplicate");
    EXPECT_EQ(refusals.value(), 2u);
    const auto head = log_of(room).back().id;
    say(make_group("other"), alice, "5");
    clock.now_ms += 1'000;
    reopen();
    room_limits.sends.burst = 1;
    reopen();
    const auto fourth = run(post(room, alice, "4", "x"));
    ASSERT_EQ(code_of(fourth), "ok");
    EXPECT_EQ(fourth.durable->event().prev_id, head);
    EXPECT_EQ(code_of(run(post(room, alice, "5", "x"))), "rate_limited");
    EXPECT_EQ(log_of(room).back().id, fourth.durable->event().id);
    clock.now_ms -= 3'600'000;
    EXPECT_EQ(code_of(run(post(room, alice, "6", "x"))), "ok") << "a clock set back closes no room";
}

TEST_F(SequencerTest, WhatAFileIsComesByAnEventOfItsOwn) {
    const model::MediaId file{5};
    const auto facts = [](std::uint32_t width) {
        model::MediaFacts known{.filename = "a.png", .content_type = "image/png", .size = 9};
        known.width = width;
        return std::make_shared<const model::MediaFacts>(std::move(known));
    };
    const auto found = [&](model::MessageId message, model::MediaId media, std::uint32_t width) {
        return chat::Composer::media(room, bob, {message, media, facts(width)});
    };
    const auto posted =
        run(chat::Composer::post(room, bob, {"n", "MEDIA", "look", file, {}, facts(1)}))
            .durable->event();
    // No rate is taken for it, and it is nobody's edit.
    room_limits.sends = {1, 0.001};
    reopen();
    for (const std::uint32_t width : {2u, 3u}) {
        const auto said = run(found(posted.id, file, width));
        ASSERT_EQ(code_of(said), "ok");
        const model::Message& message = body<model::MessageEdited>(said).message;
        EXPECT_EQ(message.media->width, width);
        EXPECT_EQ(message.content, "look");
        EXPECT_FALSE(message.edited_at);
    }
    EXPECT_EQ(code_of(run(found(posted.id, file, 3))), "nothing");
    EXPECT_EQ(code_of(run(found(posted.id, {6}, 4))), "unknown_message");
    EXPECT_EQ(code_of(run(found({posted.id.value + 1}, file, 4))), "unknown_message");
    model::EventId last;
    for (const model::Event& event : log_of(room)) {
        EXPECT_EQ(event.prev_id, last);
        last = event.id;
    }
    EXPECT_EQ(log_of(room).size(), 4u); // made, posted, and two of these
    room_limits.sends = {};
    reopen();
    // Its author may have left: the others see the picture all the same.
    run(member(room, bob, bob, MemberAction::left));
    EXPECT_EQ(code_of(run(found(posted.id, file, 4))), "ok");
    EXPECT_EQ(code_of(run(chat::Composer::remove(room, alice, posted.id))), "ok");
    EXPECT_EQ(code_of(run(found(posted.id, file, 5))), "unknown_message");
}

} // namespace
} // namespace parley::test
