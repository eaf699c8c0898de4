#include "base/limits.hpp"
#include "chat/hub.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace parley::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Ids = std::vector<std::int64_t>;

constexpr model::RoomId kRoom{1}, kElsewhere{2};

class Connection final : public Subscriber {
public:
    explicit Connection(std::int64_t user = 50) { x_user_id = {user}; }
    void push(const FrameRef& frame) override {
        ++pushes;
        std::istringstream ids{std::string(frame.bytes())};
        for (std::int64_t id = 0; ids >> id;) seen.push_back(id);
    }
    void on_ended(Subscription& subscription) override { ended.push_back(subscription.room_id()); }

    Ids seen;
    int pushes = 0;
    std::vector<model::RoomId> ended;
};

FrameRef frame(std::int64_t id) { return FrameRef::copy_of(std::to_string(id) + " "); }

class HubTest : public ::testing::Test {
protected:
    bool publish(std::int64_t id, const Subscriber* except = nullptr) {
        return hub.publish(kRoom, {id}, frame(id), except);
    }
    Subscription& live(Connection& connection, std::int64_t through = 0) {
        Subscription& subscription = hub.begin(kRoom, connection, model::Role::member);
        EXPECT_TRUE(hub.go_live(subscription, {through}));
        return subscription;
    }
    Connection a{50}, b{51};
    Hub hub;
};

TEST_F(HubTest, HoldsWhatIsPublishedDuringTheReadAndDropsWhatTheReadHas) {
    Subscription& subscription = hub.begin(kRoom, a, model::Role::member);
    for (const int id : {1, 2, 3, 4}) publish(id);
    EXPECT_THAT(a.seen, IsEmpty());
    EXPECT_TRUE(hub.go_live(subscription, {2}));
    EXPECT_THAT(a.seen, ElementsAre(3, 4));
    publish(5);
    EXPECT_THAT(a.seen, ElementsAre(3, 4, 5));
}

TEST_F(HubTest, SkipsWhatTheReadHadBeforeItCameHere) {
    Subscription& subscription = hub.begin(kRoom, a, model::Role::member);
    live(b);
    publish(1);
    // The read saw events 2 and 3, committed but still on their way to this core.
    EXPECT_TRUE(hub.go_live(subscription, {3}));
    EXPECT_TRUE(subscription.live());
    for (const int id : {2, 3, 4, 5}) publish(id);
    EXPECT_THAT(a.seen, ElementsAre(4, 5));
    EXPECT_THAT(b.seen, ElementsAre(1, 2, 3, 4, 5));
}

// Every interleaving of five commits with begin, read and go_live, and every delay of the way from
// the commit to this core: each event comes once, in order, from the read or live.
TEST_F(HubTest, EveryInterleavingGivesEachEventOnce) {
    constexpr int kEvents = 5;
    int cases = 0;
    for (int begin = 0; begin <= kEvents; ++begin)
        for (int read = begin; read <= kEvents; ++read)
            for (int go = begin; go <= kEvents; ++go) {
                // Events come here in order; `begin`, `go` count those published before that step,
                // `read` those committed, which may be more than those published at `go`.
                Hub local;
                Connection other(51), me(50);
                local.go_live(local.begin(kRoom, other, model::Role::member), {});
                Subscription* mine = nullptr;
                Ids got;
                for (int id = 0; id <= kEvents; ++id) {
                    if (id > 0) local.publish(kRoom, {id}, frame(id));
                    if (id == begin) mine = &local.begin(kRoom, me, model::Role::member);
                    if (id == go) {
                        for (int have = 1; have <= read; ++have) me.seen.push_back(have);
                        ASSERT_TRUE(local.go_live(*mine, {read}));
                    }
                }
                ASSERT_THAT(me.seen, ElementsAre(1, 2, 3, 4, 5)) << begin << read << go;
                ++cases;
            }
    EXPECT_EQ(cases, 91);
}

TEST_F(HubTest, ARoomThatEverybodyLeftAndCameBackToStillSkips) {
    hub.end(live(a));
    EXPECT_FALSE(hub.has_subscribers(kRoom));
    live(a, 7);
    publish(6);
    publish(7);
    publish(8);
    EXPECT_THAT(a.seen, ElementsAre(8));
}

TEST_F(HubTest, DropsWhatABusDoubles) {
    live(a);
    EXPECT_TRUE(publish(1));
    EXPECT_TRUE(publish(2));
    EXPECT_FALSE(publish(2));
    EXPECT_FALSE(publish(1));
    EXPECT_THAT(a.seen, ElementsAre(1, 2));
}

TEST_F(HubTest, LeavesOutTheSenderOnlyWhereItIsLive) {
    live(a);
    live(b);
    publish(1, &a);
    publish(2, &b);
    EXPECT_THAT(a.seen, ElementsAre(2));
    EXPECT_THAT(b.seen, ElementsAre(1));
    Connection c(52);
    Subscription& subscription = hub.begin(kRoom, c, model::Role::member);
    publish(3, &c);
    hub.go_live(subscription, {2});
    EXPECT_THAT(c.seen, ElementsAre(3));
}

TEST_F(HubTest, LeavesOutTheSenderThatIsLiveAndBehindItsSnapshot) {
    Subscription& subscription = hub.begin(kRoom, a, model::Role::member);
    hub.go_live(subscription, {5});
    publish(6, &a);
    publish(7);
    EXPECT_THAT(a.seen, ElementsAre(7));
}

TEST_F(HubTest, TooMuchHeldIsReadAgain) {
    Subscription& subscription = hub.begin(kRoom, a, model::Role::member);
    const auto many = static_cast<std::int64_t>(limits::kCatchUpFrames) + 10;
    for (std::int64_t id = 1; id <= many; ++id) publish(id);
    EXPECT_TRUE(subscription.overflowed());
    EXPECT_FALSE(hub.go_live(subscription, {0}));
    EXPECT_FALSE(subscription.live());
    EXPECT_FALSE(subscription.overflowed());
    EXPECT_THAT(a.seen, IsEmpty());
    publish(many + 1);
    EXPECT_TRUE(hub.go_live(subscription, {many}));
    publish(many + 2);
    EXPECT_THAT(a.seen, ElementsAre(many + 1, many + 2));
}

TEST_F(HubTest, ExactlyAsMuchAsIsHeldIsNotReadAgain) {
    Subscription& subscription = hub.begin(kRoom, a, model::Role::member);
    for (std::size_t id = 1; id <= limits::kCatchUpFrames; ++id)
        publish(static_cast<std::int64_t>(id));
    EXPECT_TRUE(hub.go_live(subscription, {0}));
    EXPECT_EQ(a.seen.size(), limits::kCatchUpFrames);
}

TEST_F(HubTest, TransientFramesAreNeverHeld) {
    Subscription& subscription = hub.begin(kRoom, a, model::Role::member);
    live(b);
    hub.publish_transient(kRoom, frame(-1));
    hub.go_live(subscription, {9}); // live, though behind its snapshot
    hub.publish_transient(kRoom, frame(-2), &b);
    EXPECT_THAT(a.seen, ElementsAre(-2));
    EXPECT_THAT(b.seen, ElementsAre(-1));
    hub.publish_transient(kElsewhere, frame(-3));
}

TEST_F(HubTest, RemovingAUserEndsAllOfThatUsersSubscriptionsThere) {
    Connection second(50);
    live(a);
    live(b);
    live(second, 9);
    hub.begin(kRoom, a, model::Role::member);
    Subscription& elsewhere = hub.begin(kElsewhere, a, model::Role::member);
    EXPECT_TRUE(hub.is_subscribed(kRoom, second));
    EXPECT_EQ(hub.listeners(kRoom), 3u);
    hub.end_all_of(kRoom, {50});
    EXPECT_EQ(a.ended.size(), 2u);
    EXPECT_THAT(second.ended, ElementsAre(kRoom));
    EXPECT_FALSE(hub.is_subscribed(kRoom, second));
    EXPECT_TRUE(hub.is_subscribed(kElsewhere, a));
    publish(10);
    EXPECT_THAT(a.seen, IsEmpty());
    EXPECT_THAT(second.seen, IsEmpty());
    EXPECT_THAT(b.seen, ElementsAre(10));
    EXPECT_EQ(hub.subscription_count(), 2u);
    hub.end(elsewhere);
    EXPECT_EQ(hub.room_count(), 1u);
}

TEST_F(HubTest, AGoneRoomEndsEverySubscription) {
    live(a);
    hub.begin(kRoom, b, model::Role::member);
    hub.end_room(kRoom);
    EXPECT_THAT(a.ended, ElementsAre(kRoom));
    EXPECT_THAT(b.ended, ElementsAre(kRoom));
    EXPECT_EQ(hub.subscription_count(), 0u);
    EXPECT_EQ(hub.room_count(), 0u);
}

TEST_F(HubTest, ANewRoleReachesEachSubscriptionOfTheUser) {
    Subscription& one = live(a);
    Subscription& two = hub.begin(kRoom, a, model::Role::member);
    Subscription& other = live(b);
    hub.set_role(kRoom, {50}, model::Role::admin);
    EXPECT_EQ(one.role(), model::Role::admin);
    EXPECT_EQ(two.role(), model::Role::admin);
    EXPECT_EQ(other.role(), model::Role::member);
}

TEST_F(HubTest, EndingInAnyOrderKeepsTheOthers) {
    std::vector<Connection> all;
    for (int i = 0; i < 8; ++i) all.emplace_back(100 + i);
    std::vector<Subscription*> subscriptions;
    for (Connection& one : all) subscriptions.push_back(&live(one));
    for (const std::size_t i : {0u, 7u, 3u, 4u}) hub.end(*subscriptions[i]);
    publish(1);
    for (const std::size_t i : {1u, 2u, 5u, 6u}) EXPECT_THAT(all[i].seen, ElementsAre(1));
    for (const std::size_t i : {0u, 7u, 3u, 4u}) EXPECT_THAT(all[i].seen, IsEmpty());
}

TEST_F(HubTest, KnowsAUsersConnections) {
    Connection second(50);
    hub.add(a);
    hub.add(second);
    hub.add(b);
    EXPECT_EQ(hub.connections_of({50}), 2u);
    std::vector<Subscriber*> met;
    hub.for_each_of({50}, [&](Subscriber& one) {
        met.push_back(&one);
        hub.remove(one); // as a connection that is closed does
    });
    EXPECT_THAT(met, ElementsAre(&a, &second));
    EXPECT_EQ(hub.connections_of({50}), 0u);
    EXPECT_EQ(hub.connections_of({51}), 1u);
    hub.remove(a); // again: nothing happens
    hub.remove(b);
}

// --- events that can wait

using namespace std::chrono_literals;
constexpr Hub::Instant kStart{1h};

TEST_F(HubTest, WhatWaitsComesInOnePieceBeforeTheNextEvent) {
    live(a);
    publish(1);
    for (const int id : {2, 3, 4}) EXPECT_TRUE(hub.publish_later(kRoom, {id}, frame(id), kStart));
    EXPECT_FALSE(hub.publish_later(kRoom, {4}, frame(4), kStart)) << "doubled";
    EXPECT_EQ(a.pushes, 1);
    publish(5);
    EXPECT_THAT(a.seen, ElementsAre(1, 2, 3, 4, 5));
    EXPECT_EQ(a.pushes, 3);
}

TEST_F(HubTest, WhatWaitsLongEnoughGoesOut) {
    live(a);
    hub.publish_later(kRoom, {1}, frame(1), kStart);
    hub.publish_later(kRoom, {2}, frame(2), kStart + 9s);
    hub.flush_waiting_since(kStart - 1s);
    EXPECT_THAT(a.seen, IsEmpty());
    hub.flush_waiting_since(kStart);
    EXPECT_THAT(a.seen, ElementsAre(1, 2));
    hub.flush_waiting_since(kStart + 1h);
    EXPECT_THAT(a.seen, ElementsAre(1, 2));
}

TEST_F(HubTest, TooManyThatWaitGoOut) {
    live(a);
    for (std::size_t i = 1; i <= limits::kWaitingEvents; ++i) {
        const auto id = static_cast<std::int64_t>(i);
        hub.publish_later(kRoom, {id}, frame(id), kStart);
    }
    EXPECT_EQ(a.seen.size(), limits::kWaitingEvents);
    EXPECT_EQ(a.pushes, 1);
}

TEST_F(HubTest, WhoIsEndedGetsWhatWaitedFirst) {
    live(a);
    live(b);
    hub.publish_later(kRoom, {1}, frame(1), kStart);
    hub.end_all_of(kRoom, a.user_id());
    EXPECT_THAT(a.seen, ElementsAre(1));
    EXPECT_EQ(a.ended.size(), 1u);
    EXPECT_THAT(b.seen, IsEmpty());
    hub.publish_later(kRoom, {2}, frame(2), kStart);
    hub.end_room(kRoom);
    EXPECT_THAT(b.seen, ElementsAre(1, 2));
    EXPECT_THAT(a.seen, ElementsAre(1));
}

// Events of both kinds, subscriptions that begin, read (ahead of this core by some) and go live,
// flushes, in any order: everybody sees every event after the read once and in order.
TEST_F(HubTest, AnyMixOfWaitingAndOtherEventsGivesEachEventOnce) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        std::mt19937 random(seed);
        const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
        Hub local;
        struct Reader {
            Connection connection;
            Subscription* subscription = nullptr;
            std::int64_t through = 0;
            bool live = false;
        };
        std::vector<std::unique_ptr<Reader>> readers;
        std::int64_t committed = 0, here = 0;
        for (int step = 0; step < 200 || here < committed; ++step) {
            if (step < 200 && chance(40)) committed += 1 + random() % 3;
            if (here < committed && chance(60)) {
                ++here;
                if (chance(70))
                    local.publish_later(kRoom, {here}, frame(here), kStart + step * 1s);
                else
                    local.publish(kRoom, {here}, frame(here));
            }
            if (step < 200 && chance(10)) {
                auto& reader = *readers.emplace_back(std::make_unique<Reader>());
                reader.subscription = &local.begin(kRoom, reader.connection, model::Role::member);
            }
            for (auto& reader : readers)
                if (!reader->live && chance(30)) {
                    // The read sees what was committed, which may not have come here yet.
                    reader->through = committed;
                    reader->live = local.go_live(*reader->subscription, {committed});
                }
            if (chance(10)) local.flush_waiting_since(kStart + (step - 5) * 1s);
        }
        for (auto& reader : readers)
            if (!reader->live) {
                reader->through = committed;
                ASSERT_TRUE(local.go_live(*reader->subscription, {committed}));
            }
        local.publish(kRoom, {committed + 1}, frame(committed + 1));
        for (auto& reader : readers) {
            Ids expected;
            for (std::int64_t id = reader->through + 1; id <= committed + 1; ++id)
                expected.push_back(id);
            ASSERT_EQ(reader->connection.seen, expected) << "seed " << seed;
        }
    }
}

} // namespace
} // namespace parley::chat
