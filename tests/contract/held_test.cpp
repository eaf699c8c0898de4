// What every ports::HeldStore must do.
#include "base/limits.hpp"
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <gmock/gmock.h>

namespace parley::contract {
namespace {

using ports::HeldState;
using testing::ElementsAre;

class HeldStoreContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        anna = world->user("anna");
        bert = world->user("bert");
        room = world->room(anna, "one", {bert});
        other = world->room(anna, "two", {bert});
    }
    ports::HeldMessage message(std::string nonce, std::string text = "a word") {
        ports::HeldMessage held;
        held.room_id = room;
        held.user_id = bert;
        held.draft.nonce = std::move(nonce);
        held.draft.content = std::move(text);
        held.draft.reply_to = model::MessageId{77};
        held.draft.body_hash = std::hash<std::string>{}(held.draft.content);
        held.words = {"word", "two words"};
        held.created_at = clock.now();
        return held;
    }
    Result<HeldState> hold(ports::HeldMessage held) { return await(store().hold(std::move(held))); }
    std::vector<std::string> waiting(model::RoomId where, model::HeldId after = {},
                                     std::size_t limit = 10) {
        std::vector<std::string> nonces;
        for (const auto& held : await(store().waiting(where, after, limit)).value())
            nonces.push_back(held.draft.nonce);
        return nonces;
    }
    ports::HeldMessage first(model::RoomId where) {
        return await(store().waiting(where, {}, 1)).value().at(0);
    }
    ports::HeldStore& store() { return backend->held(); }
    model::UserId anna, bert;
    model::RoomId room, other;
};

TEST_P(HeldStoreContract, WhatIsHeldWaitsAsItWasSent) {
    ASSERT_EQ(hold(message("n1")).value(), HeldState::waiting);
    const auto found = first(room);
    EXPECT_TRUE(found.id);
    EXPECT_EQ(found.user_id, bert);
    EXPECT_EQ(found.draft.content, "a word");
    EXPECT_EQ(found.draft.reply_to, model::MessageId{77});
    EXPECT_FALSE(found.draft.media_id);
    EXPECT_EQ(found.draft.body_hash, message("n1").draft.body_hash);
    EXPECT_EQ(found.created_at, clock.now());
    EXPECT_THAT(found.words, ElementsAre("word", "two words"));
    EXPECT_EQ(await(store().find_waiting(room, found.id)).value().draft.nonce, "n1");
    EXPECT_EQ(await(store().find_waiting(other, found.id)).error().code, Errc::unknown_message);
}

TEST_P(HeldStoreContract, TheSameNonceIsHeldOnce) {
    ASSERT_TRUE(hold(message("n1")));
    EXPECT_EQ(hold(message("n1")).value(), HeldState::waiting);
    EXPECT_EQ(hold(message("n1", "another word")).error().code, Errc::nonce_conflict);
    auto elsewhere = message("n1");
    elsewhere.room_id = other;
    EXPECT_EQ(hold(elsewhere).value(), HeldState::waiting);
    auto by_anna = message("n1");
    by_anna.user_id = anna;
    EXPECT_EQ(hold(by_anna).value(), HeldState::waiting);
    EXPECT_THAT(waiting(room), ElementsAre("n1", "n1"));
    EXPECT_EQ(waiting({}).size(), 3u) << "of all rooms";
    EXPECT_THAT(waiting(room, first(room).id), ElementsAre("n1"));
    EXPECT_EQ(waiting({}, {}, 2).size(), 2u);
}

TEST_P(HeldStoreContract, ADecisionIsMadeOnceAndARejectionIsRemembered) {
    ASSERT_TRUE(hold(message("n1")));
    ASSERT_TRUE(hold(message("n2")));
    const auto one = first(room).id;
    EXPECT_EQ(await(store().decide(other, one, false, clock.now())).error().code,
              Errc::unknown_message);
    ASSERT_TRUE(await(store().decide(room, one, false, clock.now())));
    EXPECT_EQ(await(store().decide(room, one, true, clock.now())).error().code,
              Errc::unknown_message);
    EXPECT_EQ(hold(message("n1")).value(), HeldState::rejected);
    EXPECT_EQ(hold(message("n1", "another")).error().code, Errc::nonce_conflict);
    EXPECT_THAT(waiting(room), ElementsAre("n2"));
    const auto two = first(room).id;
    ASSERT_TRUE(await(store().decide(room, two, true, clock.now())));
    EXPECT_TRUE(waiting(room).empty());
    EXPECT_TRUE(waiting({}).empty());
}

TEST_P(HeldStoreContract, WhatTheLogHasIsNotHeld) {
    world->post(room, bert, "said before", "n1");
    EXPECT_EQ(hold(message("n1")).value(), HeldState::in_log);
    EXPECT_TRUE(waiting(room).empty());
}

TEST_P(HeldStoreContract, ARoomHoldsABoundedNumber) {
    for (std::size_t i = 0; i < limits::kHeldPerRoom; ++i)
        ASSERT_TRUE(hold(message("n" + std::to_string(i))));
    EXPECT_EQ(hold(message("one more")).error().code, Errc::content_rejected);
    EXPECT_EQ(hold(message("n5")).value(), HeldState::waiting) << "one that waits already";
    auto elsewhere = message("one more");
    elsewhere.room_id = other;
    EXPECT_TRUE(hold(elsewhere));
    ASSERT_TRUE(await(store().decide(room, first(room).id, false, clock.now())));
    EXPECT_TRUE(hold(message("one more")));
}

TEST_P(HeldStoreContract, ADeletedRoomsMessagesAreNotListed) {
    ASSERT_TRUE(hold(message("n1")));
    model::RoomDraft remove;
    remove.remove = true;
    world->event(chat::Composer::room(room, anna, remove));
    EXPECT_TRUE(waiting({}).empty());
}

PARLEY_ON_EACH_STORE(HeldStoreContract);

} // namespace
} // namespace parley::contract
