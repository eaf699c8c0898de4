// Rooms: what people see, in which order.
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
