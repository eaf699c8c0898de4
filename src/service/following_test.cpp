// Rooms with a feed: what people see when events come late, twice or never.
#include "tests/support/rooms_fixture.hpp"

#include <mutex>

namespace parley::service {
namespace {

// Follows at once, and says nothing by itself: the test decides what is heard.
class FakeFeed final : public RoomFeed {
public:
    Task<void> follow(model::RoomId room) override {
        std::lock_guard lock(x_mutex);
        followed.push_back(room);
        co_return;
    }
    void unfollow(model::RoomId room) override {
        std::lock_guard lock(x_mutex);
        std::erase(followed, room);
    }
    bool connected() const override { return is_connected; }
    Task<Result<std::vector<model::EventId>>> heads(std::vector<model::RoomId> rooms) override {
        std::vector<model::EventId> newest;
        for (const model::RoomId room : rooms)
            newest.push_back(store->read_events(room, {}, 1).last_id);
        co_return newest;
    }
    void tell(Transient) override {}
    std::optional<ports::Origin> claim(const model::Event&) override { return std::nullopt; }

    std::vector<model::RoomId> followed;
    std::atomic<bool> is_connected{true};
    memory::Store* store = nullptr;

private:
    std::mutex x_mutex;
};

struct HasFeed {
    FakeFeed feed;
};

class FollowingTest : protected HasFeed, public RoomsTest {
protected:
    FollowingTest() : RoomsTest(&feed) { feed.store = &store; }

    // An event that another process has made: in the store, and not heard here yet.
    ports::Outcome elsewhere(Result<model::Draft> draft) {
        std::vector<ports::Submission> one;
        one.push_back({std::get<model::Filtered>(filter.apply(std::move(*draft))), {}});
        ports::Outcome outcome = std::move(ingester->run(std::move(one)).front());
        EXPECT_FALSE(outcome.error);
        return outcome;
    }
    ports::Outcome said_elsewhere(model::RoomId room, model::UserId user, std::string nonce) {
        return elsewhere(chat::Composer::post(room, user, {nonce, "TEXT", "text", {}, {}}));
    }
    void hear(const ports::Outcome& outcome) {
        std::vector<ports::Outcome> one(1, outcome);
        node.on_outcomes(std::move(one));
        settle();
    }
    static std::string id_of(const ports::Outcome& outcome) {
        return outcome.durable->event().id.to_string();
    }
    // Until the listener has seen so many messages; healing waits in real time.
    void wait_for(int core, Listener& listener, std::ptrdiff_t messages) {
        for (int i = 0; i < 300; ++i) {
            std::ptrdiff_t seen = 0;
            on(core, [&] { seen = listener.count("message"); });
            if (seen >= messages) return;
            std::this_thread::sleep_for(10ms);
        }
    }
};

TEST_F(FollowingTest, WhatComesTwiceIsSeenOnce) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]);
    ASSERT_TRUE(listen(1, bob, room));
    const auto said = said_elsewhere(room, users[0], "a");
    for (int i = 0; i < 3; ++i) hear(said);
    EXPECT_EQ(bob.ids_of("message"), std::vector{id_of(said)});
}

TEST_F(FollowingTest, WhatWasMissedIsSeenBeforeWhatCameAfterIt) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]), ada(users[0]);
    const auto resume = listen(1, bob, room);
    ASSERT_TRUE(resume && listen(0, ada, room));
    std::vector<std::string> expected;
    std::vector<ports::Outcome> said;
    for (int i = 0; i < 6; ++i) {
        said.push_back(said_elsewhere(room, users[0], "n" + std::to_string(i)));
        expected.push_back(id_of(said.back()));
    }
    for (const int heard : {0, 3, 5, 4}) hear(said[static_cast<std::size_t>(heard)]);
    wait_for(1, bob, 6);
    wait_for(0, ada, 6);
    EXPECT_EQ(bob.ids_of("message"), expected);
    EXPECT_EQ(ada.ids_of("message"), expected);
    EXPECT_TRUE(bob.chained(resume->last_id));
    // And it goes on from there.
    const auto next = said_elsewhere(room, users[0], "next");
    hear(next);
    hear(said[1]); // very late
    expected.push_back(id_of(next));
    EXPECT_EQ(bob.ids_of("message"), expected);
}

TEST_F(FollowingTest, WhatTheLogHadBeforeIsNewsWhereItWasMissed) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]);
    const auto resume = listen(1, bob, room);
    ASSERT_TRUE(resume);
    const auto first = said_elsewhere(room, users[0], "a");
    const auto second = said_elsewhere(room, users[0], "b");
    // The answer to one who sent it again; its event was never heard.
    ports::Outcome repeated = second;
    repeated.duplicate = true;
    hear(repeated);
    wait_for(1, bob, 2);
    hear(first);
    hear(second);
    hear(repeated);
    EXPECT_EQ(bob.ids_of("message"), (std::vector{id_of(first), id_of(second)}));
    EXPECT_TRUE(bob.chained(resume->last_id));
}

TEST_F(FollowingTest, WhoHasSeenMoreElsewhereDoesNotSeeItAgain) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]);
    ASSERT_TRUE(await(0, rooms[0]->view(users[0], room)));
    const auto first = said_elsewhere(room, users[0], "a");
    const auto second = said_elsewhere(room, users[0], "b");
    const auto resume = listen(1, bob, room, second.durable->event().id);
    ASSERT_TRUE(resume && resume->recovered && resume->events.empty());
    hear(first);
    hear(second);
    EXPECT_EQ(bob.count("message"), 0);
    // What nobody has given out holds nothing back.
    const auto third = said_elsewhere(room, users[0], "c");
    Listener eve(users[1]);
    const auto strange = listen(0, eve, room, model::EventId{INT64_MAX});
    ASSERT_TRUE(strange && !strange->recovered);
    hear(third);
    const auto fourth = said_elsewhere(room, users[0], "d");
    hear(fourth);
    EXPECT_EQ(eve.ids_of("message").back(), id_of(fourth));
    EXPECT_EQ(bob.ids_of("message"), (std::vector{id_of(third), id_of(fourth)}));
}

TEST_F(FollowingTest, AFeedThatSaysNothingIsNoticed) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]);
    ASSERT_TRUE(listen(1, bob, room));
    const auto said = said_elsewhere(room, users[0], "a");
    settle();
    EXPECT_EQ(bob.count("message"), 0);
    pass(1100ms);
    wait_for(1, bob, 1);
    EXPECT_EQ(bob.ids_of("message"), std::vector{id_of(said)});
}

TEST_F(FollowingTest, WhatIsOnlyLateIsNotTakenForMissed) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]);
    ASSERT_TRUE(listen(1, bob, room));
    const auto said = said_elsewhere(room, users[0], "a");
    pass(1100ms); // the store is seen to be ahead
    hear(said);
    std::this_thread::sleep_for(500ms);
    settle();
    EXPECT_EQ(bob.ids_of("message"), std::vector{id_of(said)});
    EXPECT_EQ(metrics.counter("parley_feed_missed_events_total", "").value(), 0u);
}

TEST_F(FollowingTest, WhoWasRemovedElsewhereIsNoMemberHereEvenIfNobodySaidSo) {
    const model::RoomId room = make_room({users[1]});
    ASSERT_TRUE(await(0, rooms[0]->require(users[1], room, chat::Action::view)));
    model::MemberDraft removal;
    removal.user_id = users[1];
    removal.action = model::MemberAction::removed;
    elsewhere(chat::Composer::member(room, users[0], removal));
    clock.ms += 2000;
    EXPECT_FALSE(await(0, rooms[0]->require(users[1], room, chat::Action::view)));
}

TEST_F(FollowingTest, WhoListensAndWasRemovedElsewhereIsShutOut) {
    const model::RoomId room = make_room({users[1]});
    Listener bob(users[1]);
    ASSERT_TRUE(listen(1, bob, room));
    model::MemberDraft removal;
    removal.user_id = users[1];
    removal.action = model::MemberAction::removed;
    elsewhere(chat::Composer::member(room, users[0], removal));
    pass(1100ms);
    bool ended = false;
    for (int i = 0; i < 200 && !ended; ++i) {
        std::this_thread::sleep_for(10ms);
        on(1, [&] { ended = bob.ended; });
    }
    EXPECT_TRUE(ended);
    const auto later = said_elsewhere(room, users[0], "secret");
    hear(later);
    EXPECT_EQ(bob.count("message"), 0);
}

TEST_F(FollowingTest, WhenTheFeedIsLostRoomsThatNobodyHearsAreReadAgain) {
    const model::RoomId room = make_room({users[1]});
    ASSERT_TRUE(await(0, rooms[0]->view(users[0], room)));
    EXPECT_FALSE(feed.followed.empty());
    feed.is_connected = false;
    for (int i = 0; i < kCores; ++i) on(i, [&] { rooms[i]->on_feed_lost(); });
    const auto said = said_elsewhere(room, users[0], "a");
    const auto seen = await(0, rooms[0]->view(users[0], room));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->last_id, said.durable->event().id);
}

} // namespace
} // namespace parley::service
