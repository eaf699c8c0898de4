// What every ports::EventStore must do.
#include "chat/names.hpp"
#include "chat/sequencer.hpp"
#include "tests/contract/backend.hpp"

namespace parley::contract {
namespace {

using chat::Composer;

class EventStoreContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        alice = world->user("alice");
        bob = world->user("bob");
        world.reset();
        reopen();
    }
    // From here on the test's own thread is the log's.
    void reopen() {
        world.reset();
        backend->reopen();
        world = std::make_unique<World>(*backend, clock);
    }
    ports::EventStore& store() { return backend->events(); }
    std::optional<model::Message> message(model::RoomId room, model::MessageId id) {
        return store().message(room, id).value();
    }
    std::optional<ports::StoredNonce> nonce(model::RoomId room, model::UserId user,
                                            std::string_view text) {
        return store().nonce(room, user, text).value();
    }
    // Sequences a draft and puts it, without a commit.
    model::Event put(Result<model::Draft> draft) {
        chat::Sequencer sequencer(store(), chat::Snowflake(1, store().last_id().value()));
        auto verdict = sequencer.sequence(filtered(std::move(draft)), clock.now()).value();
        EXPECT_TRUE(store().put(verdict.event.value()));
        return verdict.event->event();
    }
    Result<model::Draft> a_post(model::RoomId room, std::string_view nonce) {
        return Composer::post(
            room, alice,
            {.nonce = nonce, .type = "TEXT", .content = "hello", .media_id = {}, .reply_to = {}});
    }

    model::UserId alice, bob;
};

TEST_P(EventStoreContract, KnowsUsers) {
    EXPECT_TRUE(store().user_exists(alice).value());
    EXPECT_FALSE(store().user_exists({alice.value + 1'000'000}).value());
}

TEST_P(EventStoreContract, ARollbackLeavesNothing) {
    const auto room = world->room(alice, "room one");
    const auto last = store().last_id().value();

    ASSERT_TRUE(store().begin());
    const auto posted = put(a_post(room, "n"));
    const auto created = put(Composer::create(alice, {.name = "room two",
                                                      .topic = {},
                                                      .kind = model::RoomKind::group,
                                                      .visibility = model::Visibility::open,
                                                      .member_ids = {bob}}));
    put(Composer::member(room, alice, {bob, model::MemberAction::joined, model::Role::admin}));
    EXPECT_TRUE(message(room, posted.id)) << "what is put is seen before the commit";
    EXPECT_TRUE(nonce(room, alice, "n"));
    EXPECT_TRUE(store().room(created.room_id).value());
    EXPECT_EQ(store().role(room, bob).value(), model::Role::admin);
    store().rollback();

    EXPECT_FALSE(message(room, posted.id));
    EXPECT_FALSE(nonce(room, alice, "n"));
    EXPECT_FALSE(store().room(created.room_id).value());
    EXPECT_FALSE(store().room_by_name_key(chat::name_key("room two")).value());
    EXPECT_FALSE(store().role(room, bob).value());
    EXPECT_FALSE(store().role(created.room_id, alice).value());
    EXPECT_EQ(store().room(room).value()->room.member_count, 1u);
    EXPECT_EQ(store().last_id().value(), last);
}

TEST_P(EventStoreContract, KnowsWhenAMemberPostedInSlowMode) {
    const auto room = world->room(alice, "room one", {bob});
    const auto slow = [&](std::uint32_t seconds) {
        model::RoomDraft draft;
        draft.slow_mode_seconds = seconds;
        return world->event(Composer::room(room, alice, std::move(draft)));
    };
    world->post(room, bob, "before", "n0");
    EXPECT_FALSE(store().paced_at(room, bob).value());
    slow(60);
    world->post(room, alice, "an owner", "n1");
    const auto posted = world->post(room, bob, "in slow mode", "n2");
    const auto at = message(room, posted)->created_at;
    EXPECT_EQ(store().paced_at(room, bob).value(), at);
    EXPECT_FALSE(store().paced_at(room, alice).value());
    reopen();
    EXPECT_EQ(store().paced_at(room, bob).value(), at);
    EXPECT_EQ(store().room(room).value()->room.slow_mode_seconds, 60u);
    slow(0);
    EXPECT_FALSE(store().paced_at(room, bob).value());
}

TEST_P(EventStoreContract, ACommitSurvivesARestart) {
    const auto room = world->room(alice, "room one", {bob}, model::Visibility::open, "of things");
    const auto posted = world->post(room, alice, "hello", "n");
    reopen();
    EXPECT_EQ(store().last_id().value(), posted) << "ids go on from there";
    EXPECT_EQ(message(room, posted)->content, "hello");
    EXPECT_EQ(nonce(room, alice, "n")->event.id, posted);
    const auto stored = store().room(room).value().value();
    EXPECT_EQ(stored.room.name, "room one");
    EXPECT_EQ(stored.room.topic, "of things");
    EXPECT_EQ(stored.room.visibility, model::Visibility::open);
    EXPECT_EQ(stored.room.kind, model::RoomKind::group);
    EXPECT_EQ(stored.room.member_count, 2u);
    EXPECT_EQ(stored.owners, 1u);
    EXPECT_EQ(stored.last_id, posted);
    EXPECT_GT(world->post(room, alice, "more"), posted);
}

TEST_P(EventStoreContract, IdsStayAboveTheLastOneWhenTheClockWasSetBack) {
    const auto room = world->room(alice, "room one");
    const auto before = world->post(room, alice, "hello");
    clock.advance(-3'600'000);
    reopen();
    EXPECT_GT(world->post(room, alice, "more"), before);
}

TEST_P(EventStoreContract, ANonceIsOfOneUserInOneRoom) {
    const auto room = world->room(alice, "room one", {bob});
    const auto other = world->room(alice, "room two");
    const auto posted = world->post(room, alice, "hello", "n");
    const auto found = nonce(room, alice, "n");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->event.id, posted);
    EXPECT_EQ(found->event.room_id, room);
    EXPECT_EQ(found->event.user_id, alice);
    EXPECT_NE(found->event.prev_id, model::EventId{});
    EXPECT_EQ(std::get<model::MessagePosted>(found->event.body).nonce, "n");
    EXPECT_FALSE(nonce(room, bob, "n"));
    EXPECT_FALSE(nonce(other, alice, "n"));
    EXPECT_FALSE(nonce(room, alice, "N"));
    EXPECT_FALSE(nonce(room, alice, "n "));
}

TEST_P(EventStoreContract, TheSameNonceGivesTheSameMessageAndAnotherBodyAConflict) {
    const auto room = world->room(alice, "room one");
    const auto first = world->submit(a_post(room, "n"));
    const auto again = world->submit(a_post(room, "n"));
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.durable->event().id, first.durable->event().id);
    const auto other = world->submit(Composer::post(
        room, alice,
        {.nonce = "n", .type = "TEXT", .content = "not hello", .media_id = {}, .reply_to = {}}));
    ASSERT_TRUE(other.error);
    EXPECT_EQ(other.error->code, Errc::nonce_conflict);
}

TEST_P(EventStoreContract, TheSameNonceTwiceInOneBatchMakesOneMessage) {
    const auto room = world->room(alice, "room one");
    std::vector<model::Filtered> batch;
    batch.push_back(filtered(a_post(room, "n")));
    batch.push_back(filtered(a_post(room, "n")));
    const auto outcomes = world->submit(std::move(batch));
    EXPECT_FALSE(outcomes[0].duplicate);
    EXPECT_TRUE(outcomes[1].duplicate);
    EXPECT_EQ(outcomes[0].durable->event().id, outcomes[1].durable->event().id);
}

TEST_P(EventStoreContract, ANonceAnswersThePresentState) {
    const auto room = world->room(alice, "room one");
    const auto id = world->post(room, alice, "hello", "n");
    world->event(Composer::edit(room, alice, id, "hello you"));
    const auto present = [&] {
        return std::get<model::MessagePosted>(nonce(room, alice, "n")->event.body).message;
    };
    EXPECT_EQ(present().content, "hello you");
    EXPECT_TRUE(present().edited_at);
    world->event(Composer::remove(room, alice, id));
    EXPECT_EQ(present().content, "");
    EXPECT_TRUE(present().deleted);
}

TEST_P(EventStoreContract, AMessageKeepsEveryField) {
    const auto room = world->room(alice, "room one");
    const auto first = world->post(room, alice, "hello");
    const auto reply = world->event(Composer::post(room, alice,
                                                   {.nonce = "reply",
                                                    .type = "TEXT",
                                                    .content = "an answer: \xE2\x82\xAC",
                                                    .media_id = {},
                                                    .reply_to = first}));
    const auto stored = message(room, reply.id).value();
    EXPECT_EQ(stored.id, reply.id);
    EXPECT_EQ(stored.room_id, room);
    EXPECT_EQ(stored.user_id, alice);
    EXPECT_EQ(stored.type, model::MessageType::text);
    EXPECT_EQ(stored.content, "an answer: \xE2\x82\xAC");
    EXPECT_EQ(stored.reply_to, first);
    EXPECT_FALSE(stored.media_id);
    EXPECT_FALSE(stored.edited_at);
    EXPECT_FALSE(stored.deleted);
    EXPECT_EQ(stored.created_at, reply.at);
    EXPECT_FALSE(message(world->room(alice, "room two"), reply.id)) << "of another room";
}

TEST_P(EventStoreContract, ADeletionClearsTextAndReactions) {
    const auto room = world->room(alice, "room one");
    const auto id = world->post(room, alice, "a secret");
    world->event(Composer::react(room, alice, id, "+1", true));
    world->event(Composer::remove(room, alice, id));
    EXPECT_EQ(message(room, id)->content, "");
    EXPECT_TRUE(message(room, id)->deleted);
    EXPECT_EQ(store().reaction(room, id, alice, "+1").value().total, 0u);
}

TEST_P(EventStoreContract, ReactionsAreOfAUserAnEmojiAndAMessage) {
    const auto room = world->room(alice, "room one", {bob});
    const auto id = world->post(room, alice, "hello");
    world->event(Composer::react(room, alice, id, "+1", true));
    world->event(Composer::react(room, bob, id, "+1", true));
    world->event(Composer::react(room, bob, id, "-1", true));
    const auto facts = [&](model::UserId user, std::string_view emoji) {
        return store().reaction(room, id, user, emoji).value();
    };
    EXPECT_TRUE(facts(alice, "+1").present);
    EXPECT_FALSE(facts(alice, "-1").present);
    EXPECT_EQ(facts(alice, "+1").total, 3u);
    world->event(Composer::react(room, bob, id, "+1", false));
    EXPECT_FALSE(facts(bob, "+1").present);
    EXPECT_TRUE(facts(bob, "-1").present);
    EXPECT_EQ(facts(bob, "+1").total, 2u);
}

TEST_P(EventStoreContract, CountsMembersAndOwners) {
    const auto room = world->room(alice, "room one");
    const auto member = [&](model::UserId actor, model::UserId user, model::MemberAction action,
                            model::Role role = model::Role::member) {
        world->event(Composer::member(room, actor, {user, action, role}));
    };
    const auto counts = [&] {
        const auto stored = store().room(room).value().value();
        return std::pair(stored.room.member_count, stored.owners);
    };
    using Counts = std::pair<std::uint64_t, std::size_t>;
    member(bob, bob, model::MemberAction::joined);
    EXPECT_EQ(counts(), Counts(2, 1));
    EXPECT_EQ(store().role(room, bob).value(), model::Role::member);
    member(alice, bob, model::MemberAction::role, model::Role::owner);
    EXPECT_EQ(counts(), Counts(2, 2));
    member(alice, alice, model::MemberAction::role, model::Role::admin);
    EXPECT_EQ(counts(), Counts(2, 1));
    EXPECT_EQ(store().role(room, alice).value(), model::Role::admin);
    member(alice, alice, model::MemberAction::left);
    EXPECT_EQ(counts(), Counts(1, 1));
    EXPECT_FALSE(store().role(room, alice).value());
    member(alice, alice, model::MemberAction::joined);
    member(bob, alice, model::MemberAction::removed);
    EXPECT_EQ(counts(), Counts(1, 1));
}

TEST_P(EventStoreContract, ANameIsFoundByItsKeyUntilItIsGivenUp) {
    const auto room = world->room(alice, "The Lounge");
    const auto holder = [&](std::string_view name) {
        return store().room_by_name_key(chat::name_key(name)).value();
    };
    EXPECT_EQ(holder("the lounge"), room);
    EXPECT_FALSE(holder("the loung"));
    world->event(Composer::room(
        room, alice,
        {.name = "The Attic", .topic = {}, .visibility = {}, .slow_mode_seconds = {}}));
    EXPECT_FALSE(holder("the lounge"));
    EXPECT_EQ(holder("THE ATTIC"), room);
    world->event(Composer::room(
        room, alice,
        {.name = {}, .topic = {}, .visibility = {}, .slow_mode_seconds = {}, .remove = true}));
    EXPECT_FALSE(holder("the attic"));
    EXPECT_NE(world->room(bob, "The Attic"), room);
}

TEST_P(EventStoreContract, ADeletedRoomIsNoRoomAndHasNoMembers) {
    const auto room = world->room(alice, "room one", {bob});
    world->event(Composer::room(
        room, alice,
        {.name = {}, .topic = {}, .visibility = {}, .slow_mode_seconds = {}, .remove = true}));
    EXPECT_FALSE(store().room(room).value());
    EXPECT_FALSE(store().role(room, alice).value());
    EXPECT_FALSE(store().role(room, bob).value());
    reopen();
    EXPECT_FALSE(store().room(room).value());
}

TEST_P(EventStoreContract, ADmIsFoundFromBothSides) {
    EXPECT_FALSE(store().dm_of(alice, bob).value());
    const auto dm = world->dm(bob, alice);
    EXPECT_EQ(store().dm_of(alice, bob).value(), dm);
    EXPECT_EQ(store().dm_of(bob, alice).value(), dm);
    EXPECT_FALSE(store().dm_of(alice, alice).value());
    EXPECT_EQ(world->dm(alice, bob), dm);
}

TEST_P(EventStoreContract, AnswersNothingForWhatIsNotThere) {
    EXPECT_FALSE(store().room({42}).value());
    EXPECT_FALSE(store().role({42}, alice).value());
    EXPECT_FALSE(message({42}, {43}));
    EXPECT_FALSE(nonce({42}, alice, "n"));
    EXPECT_EQ(store().reaction({42}, {43}, alice, "+1").value().total, 0u);
}

PARLEY_ON_EACH_BACKEND(EventStoreContract);

} // namespace
} // namespace parley::contract
