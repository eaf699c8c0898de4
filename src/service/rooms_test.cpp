// Rooms: what people see, in which order.
#include "chat/word_matcher.hpp"
#include "service/eraser.hpp"
#include "service/moderation.hpp"
#include "tests/support/account_fixture.hpp"
#include "tests/support/rooms_fixture.hpp"

namespace parley::service {
namespace {

TEST_F(RoomsTest, ListenersOnEveryCoreSeeEveryEventOnceInTheOrderOfIds) {
    const model::RoomId room = make_room({users[1]});
    Listener ada(users[0]), bob(users[1]);
    ASSERT_TRUE(listen(0, ada, room));
    ASSERT_TRUE(listen(1, bob, room));
    std::vector<std::string> expected;
    for (int i = 0; i < 20; ++i)
        expected.push_back(say(i % 2, room, users[i % 2], "n" + std::to_string(i)).to_string());
    settle();
    EXPECT_EQ(ada.ids_of("message"), expected);
    EXPECT_EQ(bob.ids_of("message"), expected);
}

TEST_F(RoomsTest, AResumeInTheMiddleOfTrafficHasNoHoleAndNoDouble) {
    const model::RoomId room = make_room({users[1]});
    const model::EventId first = say(0, room, users[0], "first");
    std::atomic<bool> stop{false};
    std::thread sender([&] {
        for (int i = 0; !stop; ++i) say(0, room, users[0], "s" + std::to_string(i));
    });
    for (int round = 0; round < 20; ++round) {
        Listener late(users[1]);
        const auto resume = listen(1, late, room, first);
        ASSERT_TRUE(resume);
        if (resume->more) break; // more than a page by now
        std::this_thread::sleep_for(5ms);
        on(1, [&] { // the hub's own last subscription is this listener's
            late.ended = true;
        });
        std::vector<std::string> seen;
        for (const model::Event& event : resume->events) seen.push_back(event.id.to_string());
        on(1, [&] {
            for (const std::string& id : late.ids_of("message")) seen.push_back(id);
            rooms[1]->hub().end_all_of(room, users[1]);
        });
        const ports::EventPage all = store.read_events(room, first, 100'000);
        std::vector<std::string> expected;
        for (const model::Event& event : all.events) expected.push_back(event.id.to_string());
        ASSERT_LE(seen.size(), expected.size());
        expected.resize(seen.size());
        ASSERT_EQ(seen, expected) << "round " << round;
    }
    stop = true;
    sender.join();
}

TEST_F(RoomsTest, WhatIsHeldIsSeenByNobodyUntilAModeratorLetsItThrough) {
    const auto words = chat::parse_word_file("t", "darn\nhold: wait").value();
    auto snapshot = std::make_shared<chat::ContentFilter::Snapshot>();
    snapshot->everywhere = chat::WordMatcher::make(filter.folding(), words).value();
    filter.publish(snapshot);
    const model::RoomId room = make_room({users[1]});
    Listener ada(users[0]);
    ASSERT_TRUE(listen(0, ada, room));
    const auto send = [&](model::UserId user, std::string nonce, std::string text) {
        auto draft = chat::Composer::post(room, user, {nonce, "TEXT", text, {}, {}});
        return *await(1, rooms[1]->submit_and_wait(std::move(*draft)));
    };
    const auto code = [&](model::UserId user, std::string nonce, std::string text) {
        const auto answer = send(user, nonce, text);
        EXPECT_EQ(answer->outcome.nonce, nonce);
        return answer->outcome.error ? answer->outcome.error->code : Errc{};
    };
    EXPECT_EQ(code(users[1], "n1", "wait, darn"), Errc::content_held);
    EXPECT_EQ(code(users[1], "n1", "wait, darn"), Errc::content_held);
    EXPECT_EQ(code(users[1], "n1", "wait, another"), Errc::nonce_conflict);
    EXPECT_EQ(code(users[2], "n1", "wait"), Errc::unknown_room) << "an outsider's is not kept";
    EXPECT_EQ(code(users[1], "n2", "wait too"), Errc::content_held);
    EXPECT_EQ(rooms[1]->changes_in_flight(), 0u);
    const auto held = await(0, store.waiting(room, {}, 10)).value();
    ASSERT_EQ(held.size(), 2u);

    test::AccountHouse house;
    Moderation moderation(*rooms[0], house.accounts, store, clock, nullptr);
    EXPECT_FALSE(await(0, moderation.approve(users[1], room, held[0].id)))
        << "a member is no moderator";
    EXPECT_EQ(await(0, moderation.approve(users[0], model::RoomId{42}, held[0].id)).error().code,
              Errc::unauthorized);
    const auto message = await(0, moderation.approve(users[0], room, held[0].id)).value();
    EXPECT_EQ(message.user_id, users[1]);
    EXPECT_EQ(message.content, "wait, ****");
    EXPECT_EQ(await(0, moderation.approve(users[0], room, held[0].id)).error().code,
              Errc::unknown_message);
    ASSERT_TRUE(await(0, moderation.reject(users[0], room, held[1].id)));
    settle();
    EXPECT_EQ(ada.ids_of("message"), std::vector{message.id.to_string()});
    const auto again = send(users[1], "n1", "wait, darn");
    EXPECT_TRUE(again->outcome.duplicate);
    EXPECT_EQ(again->event()->id, message.id);
    EXPECT_EQ(code(users[1], "n2", "wait too"), Errc::content_rejected);
}

TEST_F(RoomsTest, AHeldMessageOfOneWhoHasLeftGoesOnWaiting) {
    const auto words = chat::parse_word_file("t", "hold: wait").value();
    auto snapshot = std::make_shared<chat::ContentFilter::Snapshot>();
    snapshot->everywhere = chat::WordMatcher::make(filter.folding(), words).value();
    filter.publish(snapshot);
    const model::RoomId room = make_room({users[1]});
    auto draft = chat::Composer::post(room, users[1], {"n1", "TEXT", "wait", {}, {}});
    EXPECT_TRUE((*await(1, rooms[1]->submit_and_wait(std::move(*draft))))->outcome.error);
    auto leave = chat::Composer::member(room, users[1], {users[1], model::MemberAction::left, {}});
    ASSERT_FALSE((*await(1, rooms[1]->submit_and_wait(std::move(*leave))))->outcome.error);
    test::AccountHouse house;
    Moderation moderation(*rooms[0], house.accounts, store, clock, nullptr);
    const auto held = await(0, store.waiting(room, {}, 10)).value();
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(await(0, moderation.approve(users[0], room, held[0].id)).error().code,
              Errc::not_a_member);
    EXPECT_EQ(await(0, store.waiting(room, {}, 10)).value().size(), 1u);
}

TEST_F(RoomsTest, AnErasureIsSeenLiveAndLeavesTheRoomWithAnOwner) {
    const model::RoomId room = make_room({users[1], users[2]});
    const model::EventId said = say(0, room, users[0], "said");
    Listener bob(users[1]);
    ASSERT_TRUE(listen(1, bob, room));
    SilentLogger silent;
    Eraser eraser(*rooms[0], store, clock, silent, metrics);
    EXPECT_EQ(await(0, eraser.step()), limits::kStoreLookInterval) << "nobody is to be erased";
    ASSERT_TRUE(await(0, store.request_erasure(users[0], clock.now())));
    for (int steps = 0; await(0, eraser.step()) == limits::kErasurePause; ++steps)
        ASSERT_LT(steps, 20);
    settle();
    EXPECT_EQ(bob.ids_of("deleted").size(), 1u);
    EXPECT_EQ(bob.ids_of("member").size(), 2u) << "a new owner, and one who left";
    const auto snapshot = store.read_room(room).value();
    ASSERT_EQ(snapshot.members.size(), 2u);
    for (const auto& member : snapshot.members)
        EXPECT_EQ(member.role == model::Role::owner, member.user_id == users[1]);
    const auto done = await(0, store.find_erasure(users[0])).value();
    EXPECT_TRUE(done.done_at);
    EXPECT_EQ(done.messages, 1u);
    EXPECT_EQ(done.rooms, 1u);
    for (const auto& event : store.read_events(room, {}, 100).events)
        if (event.id == said) {
            const auto& posted = std::get<model::MessagePosted>(event.body);
            EXPECT_TRUE(posted.message.deleted);
            EXPECT_EQ(posted.nonce, "");
        }
}

TEST_F(RoomsTest, ARemovedMemberHearsOfItAndOfNothingAfterIt) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]);
    ASSERT_TRUE(listen(1, bob, room));
    auto draft =
        chat::Composer::member(room, users[0], {users[1], model::MemberAction::removed, {}});
    ASSERT_FALSE((*await(0, rooms[0]->submit_and_wait(std::move(*draft))))->outcome.error);
    say(0, room, users[0], "secret");
    settle();
    EXPECT_EQ(bob.ids_of("member").size(), 1u);
    EXPECT_TRUE(bob.ids_of("message").empty());
    EXPECT_TRUE(bob.ended);
    Listener again(users[1]);
    EXPECT_EQ(listen(1, again, room).error().code, Errc::unknown_room);
}

TEST_F(RoomsTest, AnOutsiderCannotListenOnAnyCore) {
    const model::RoomId room = make_room();
    for (int core = 0; core < kCores; ++core) {
        Listener foreign(users[2]), absent(users[2]);
        EXPECT_EQ(listen(core, foreign, room).error().code, Errc::unknown_room);
        EXPECT_EQ(listen(core, absent, model::RoomId{12345}).error().code, Errc::unknown_room);
    }
}

TEST_F(RoomsTest, MoreThanAPageIsToldAndNotLive) {
    const model::RoomId room = make_room({users[1]});
    const model::EventId first = say(0, room, users[0], "first");
    for (std::size_t i = 0; i < limits::kResumePage + 5; ++i)
        say(0, room, users[0], "m" + std::to_string(i));
    Listener bob(users[1]);
    const auto page = listen(1, bob, room, first);
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->more);
    EXPECT_EQ(page->events.size(), limits::kResumePage);
    Listener again(users[1]);
    const auto rest = listen(1, again, room, page->events.back().id);
    ASSERT_TRUE(rest);
    EXPECT_FALSE(rest->more);
    EXPECT_TRUE(rest->recovered);
    EXPECT_EQ(rest->events.size(), 5u);
}

TEST_F(RoomsTest, ASinceFromTheFutureIsNotRecovered) {
    const model::RoomId room = make_room();
    Listener ada(users[0]);
    const auto resume = listen(0, ada, room, model::EventId{INT64_MAX});
    ASSERT_TRUE(resume);
    EXPECT_FALSE(resume->recovered);
}

} // namespace
} // namespace parley::service
