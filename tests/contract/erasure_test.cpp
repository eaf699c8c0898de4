// What every ports::ErasureStore must do.
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <gmock/gmock.h>
#include <map>

namespace parley::contract {
namespace {

class ErasureContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        anna = world->user("anna");
        bert = world->user("bert");
        carl = world->user("carl");
    }
    ports::ErasureStore& store() { return backend->erasures(); }
    std::vector<ports::ErasedMembership> memberships(model::UserId user) {
        return await(store().memberships_of(user, 100)).value();
    }
    void ask(model::UserId user) { ASSERT_TRUE(await(store().request_erasure(user, clock.now()))); }
    model::UserId anna, bert, carl;
};

TEST_P(ErasureContract, AskingEndsTheSessionsAndIsRemembered) {
    const auto session = await(backend->sessions().create_session({.user_id = anna,
                                                                   .refresh_hash = "h",
                                                                   .created_at = clock.now(),
                                                                   .expires_at = clock.now()}))
                             .value();
    EXPECT_FALSE(await(store().next_erasure()).value());
    EXPECT_EQ(await(store().find_erasure(anna)).error().code, Errc::unknown_user);
    EXPECT_EQ(await(store().request_erasure({42}, clock.now())).error().code, Errc::unknown_user);
    const auto asked = await(store().request_erasure(anna, clock.now())).value();
    EXPECT_EQ(asked.sessions, 1u);
    EXPECT_FALSE(asked.done_at);
    EXPECT_THAT(await(backend->sessions().revoked_since(clock.now())).value(),
                testing::ElementsAre(session.id));
    clock.advance(5);
    EXPECT_EQ(await(store().request_erasure(anna, clock.now())).value().requested_at,
              asked.requested_at)
        << "asked again, it is the same";
    EXPECT_EQ(await(store().next_erasure()).value()->user_id, anna);
    EXPECT_TRUE(await(backend->users().find_user(anna)).value().disabled);
    EXPECT_EQ(await(backend->users().change_standing(anna, {{}, false}, clock.now())).error().code,
              Errc::forbidden)
        << "there is no way back";
}

TEST_P(ErasureContract, TheLastAdminIsNotErased) {
    using model::ServerRole;
    ASSERT_TRUE(
        await(backend->users().change_standing(anna, {ServerRole::admin, {}}, clock.now())));
    EXPECT_EQ(await(store().request_erasure(anna, clock.now())).error().code, Errc::last_admin);
    EXPECT_FALSE(await(store().next_erasure()).value());
}

TEST_P(ErasureContract, WhoOwnsAloneIsFollowedByWhoHasBeenThereLongest) {
    const auto alone = world->room(anna, "alone");
    const auto shared = world->room(anna, "shared", {carl});
    world->event(chat::Composer::member(shared, bert, {bert, model::MemberAction::joined, {}}));
    const auto guest = world->room(bert, "guest", {anna});
    const auto dm = world->dm(anna, bert);
    auto found = memberships(anna);
    ASSERT_EQ(found.size(), 4u);
    std::map<model::RoomId, ports::ErasedMembership> by_room;
    for (const auto& each : found) by_room[each.room_id] = each;
    EXPECT_TRUE(by_room[alone].alone);
    EXPECT_EQ(by_room[shared].successor, carl);
    EXPECT_FALSE(by_room[guest].successor);
    EXPECT_FALSE(by_room[dm].successor);
    EXPECT_FALSE(by_room[dm].alone);
    world->event(chat::Composer::member(shared, anna,
                                        {bert, model::MemberAction::role, model::Role::admin}));
    for (const auto& each : memberships(anna))
        if (each.room_id == shared) {
            EXPECT_EQ(each.successor, bert) << "admins first";
        }
}

TEST_P(ErasureContract, TheServerTakesBackWhateverTheRights) {
    const auto room = world->room(anna, "one", {bert});
    const auto said = world->post(room, bert, "said");
    world->event(chat::Composer::member(room, anna, {bert, model::MemberAction::removed, {}}));
    EXPECT_TRUE(world->submit(chat::Composer::remove(room, bert, said)).error);
    const auto event =
        world->event(chat::Composer::take_back(room, bert, model::DeleteDraft{said}));
    EXPECT_TRUE(std::holds_alternative<model::MessageDeleted>(event.body));
    EXPECT_EQ(event.user_id, bert);
    model::MemberDraft leave{anna, model::MemberAction::left, model::Role::member};
    EXPECT_FALSE(world->submit(chat::Composer::take_back(room, anna, leave)).error)
        << "also the last owner";
    EXPECT_EQ(world->submit(chat::Composer::take_back({42}, anna, leave)).error->code,
              Errc::unknown_room);
}

TEST_P(ErasureContract, MessagesAndReactionsAreFoundAndBlanked) {
    const auto room = world->room(anna, "one", {bert});
    const auto gone = world->room(bert, "gone", {anna});
    const auto one = world->post(room, anna, "one", "n1"), two = world->post(gone, anna, "two");
    const auto kept = world->post(room, bert, "kept");
    const auto before =
        world->event(chat::Composer::react(room, anna, kept, "secret", true)).prev_id;
    world->event(chat::Composer::react(room, bert, kept, "open", true));
    model::RoomDraft remove;
    remove.remove = true;
    world->event(chat::Composer::room(gone, bert, remove));
    ask(anna);
    auto found = await(store().messages_of(anna, {}, 10)).value();
    EXPECT_TRUE(found.at_end);
    EXPECT_THAT(found.messages,
                testing::UnorderedElementsAre(std::pair(room, one), std::pair(gone, two)));
    EXPECT_EQ(await(store().messages_of(anna, {}, 1)).value().messages.size(), 1u);
    EXPECT_FALSE(await(store().messages_of(anna, {}, 1)).value().at_end);
    world->event(chat::Composer::take_back(room, anna, model::DeleteDraft{one}));
    ASSERT_TRUE(await(store().blank_messages(anna, {one, two}, found.scanned)));
    EXPECT_TRUE(await(store().messages_of(anna, {}, 10)).value().messages.empty());
    EXPECT_EQ(await(store().next_erasure()).value()->scanned, found.scanned);
    const auto reactions = await(store().reactions_of(anna, 10)).value();
    ASSERT_EQ(reactions.size(), 1u);
    EXPECT_EQ(reactions[0].emoji, "secret");
    world->event(chat::Composer::take_back(room, anna, model::ReactDraft{kept, "secret", false}));
    EXPECT_FALSE(await(store().blank_reactions(anna, reactions)).value());
    EXPECT_TRUE(await(store().blank_reactions(anna, {})).value());
    for (const auto& event :
         await(backend->history().events_after(room, before, 100)).value().events)
        if (const auto* change = std::get_if<model::ReactionChanged>(&event.body)) {
            EXPECT_NE(change->emoji, "secret");
        }
    const auto history = await(backend->history().messages_after(room, {}, 10)).value().messages;
    ASSERT_EQ(history.size(), 2u);
    EXPECT_TRUE(history[0].message.deleted);
    EXPECT_EQ(history[0].message.content, "");
    ASSERT_EQ(history[1].reactions.size(), 1u);
    EXPECT_EQ(history[1].reactions[0].emoji, "open");
}

TEST_P(ErasureContract, AtItsEndTheAccountHasNoName) {
    const auto room = world->room(bert, "one", {anna});
    ports::HeldMessage held;
    held.room_id = room;
    held.user_id = anna;
    held.draft.nonce = "n";
    ASSERT_TRUE(await(backend->held().hold(held)));
    ask(anna);
    ask(carl);
    clock.advance(5);
    const auto done = await(store().finish_erasure(anna, clock.now())).value();
    EXPECT_EQ(done.done_at, clock.now());
    EXPECT_EQ(done.held, 1u);
    const auto user = await(backend->users().find_user(anna)).value();
    EXPECT_EQ(user.username, "deleted-" + anna.to_string());
    EXPECT_EQ(user.email, "");
    EXPECT_TRUE(user.disabled);
    EXPECT_EQ(await(backend->users().find_login("anna", false)).error().code, Errc::unknown_user);
    EXPECT_EQ(await(backend->users().find_login("anna@example.org", true)).error().code,
              Errc::unknown_user);
    EXPECT_TRUE(await(backend->held().waiting(room, {}, 10)).value().empty());
    EXPECT_EQ(await(store().next_erasure()).value()->user_id, carl);
    world->user("anna"); // the name is free
    EXPECT_EQ(
        world
            ->submit(chat::Composer::create(bert, {.name = {},
                                                   .topic = {},
                                                   .kind = model::RoomKind::dm,
                                                   .visibility = model::Visibility::restricted,
                                                   .member_ids = {anna}}))
            .error->code,
        Errc::unknown_user);
}

PARLEY_ON_EACH_STORE(ErasureContract);

} // namespace
} // namespace parley::contract
