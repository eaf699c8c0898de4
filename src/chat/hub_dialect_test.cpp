#include "base/limits.hpp"
#include "chat/hub.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <string>
#include <vector>

namespace parley::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr model::RoomId kRoom{1};

class Connection final : public Subscriber {
public:
    Connection(std::int64_t user, Dialect dialect) : Subscriber(dialect) { x_user_id = {user}; }
    void push(const FrameRef& frame) override { seen.emplace_back(frame.bytes()); }
    void on_ended(Subscription&) override { ++ended; }
    std::vector<std::string> seen;
    int ended = 0;
};

// "v7" and "c7"; classic shows events with even ids only.
struct Frames final : EventFrames {
    explicit Frames(std::int64_t i) : id(i) {}
    FrameRef make(Dialect dialect) override {
        ++made[static_cast<std::size_t>(dialect)];
        if (dialect == Dialect::classic && id % 2 != 0) return {};
        return FrameRef::copy_of(dialect == Dialect::v1 ? "v" : "c", std::to_string(id));
    }
    std::int64_t id;
    int made[2] = {0, 0};
};

class HubDialectTest : public ::testing::Test {
protected:
    Frames publish(std::int64_t id, const Subscriber* except = nullptr) {
        Frames frames(id);
        hub.publish(kRoom, {id}, frames, except);
        return frames;
    }
    Subscription& live(Connection& connection) {
        Subscription& subscription = hub.begin(kRoom, connection, model::Role::member);
        EXPECT_TRUE(hub.go_live(subscription, {}));
        return subscription;
    }
    Connection a{50, Dialect::v1}, b{51, Dialect::v1};
    Connection x{52, Dialect::classic}, y{53, Dialect::classic};
    Hub hub;
};

TEST_F(HubDialectTest, EachHearsItsOwnDialectAndIsSparedWhatItCannotShow) {
    for (Connection* each : {&a, &b, &x, &y}) live(*each);
    for (const int id : {1, 2, 3, 4}) publish(id);
    EXPECT_THAT(a.seen, ElementsAre("v1", "v2", "v3", "v4"));
    EXPECT_EQ(a.seen, b.seen);
    EXPECT_THAT(x.seen, ElementsAre("c2", "c4"));
    EXPECT_EQ(x.seen, y.seen);
    publish(6, &x);
    EXPECT_EQ(x.seen.size(), 2u);
    EXPECT_EQ(y.seen.back(), "c6");
}

TEST_F(HubDialectTest, AFrameIsMadeOnceAndOnlyForThoseWhoAreThere) {
    live(a);
    EXPECT_THAT(publish(2).made, ElementsAre(1, 0));
    live(x);
    live(y);
    hub.begin(kRoom, b, model::Role::member);
    EXPECT_THAT(publish(4).made, ElementsAre(1, 1));
}

TEST_F(HubDialectTest, WhatIsHeldWhileItCatchesUpIsInItsDialect) {
    Subscription& old = hub.begin(kRoom, x, model::Role::member);
    Subscription& young = hub.begin(kRoom, a, model::Role::member);
    for (const int id : {1, 2, 3, 4, 5, 6}) publish(id);
    EXPECT_TRUE(hub.go_live(old, {2}));
    EXPECT_TRUE(hub.go_live(young, {4}));
    EXPECT_THAT(x.seen, ElementsAre("c4", "c6"));
    EXPECT_THAT(a.seen, ElementsAre("v5", "v6"));
    publish(8);
    EXPECT_EQ(x.seen.back(), "c8");
}

TEST_F(HubDialectTest, OneBehindItsOwnSnapshotGoesOnBehindAnEventThatItIsNotShown) {
    Subscription& subscription = hub.begin(kRoom, x, model::Role::member);
    EXPECT_TRUE(hub.go_live(subscription, {4}));
    for (const int id : {2, 4}) publish(id);
    EXPECT_THAT(x.seen, IsEmpty());
    for (const int id : {5, 6}) publish(id);
    EXPECT_THAT(x.seen, ElementsAre("c6"));
    hub.end(subscription);
    publish(8);
    EXPECT_EQ(x.seen.size(), 1u);
}

TEST_F(HubDialectTest, EventsThatAreNotShownCannotOverflowWhatIsHeld) {
    Subscription& old = hub.begin(kRoom, x, model::Role::member);
    std::int64_t id = 1;
    for (; id < 4 * static_cast<std::int64_t>(limits::kCatchUpFrames); id += 2) publish(id);
    EXPECT_FALSE(old.overflowed());
    EXPECT_TRUE(hub.go_live(old, {}));
}

TEST_F(HubDialectTest, TransientFramesAreOfOneDialect) {
    for (Connection* each : {&a, &x, &y}) live(*each);
    hub.publish_transient(kRoom, FrameRef::copy_of("typing"));
    hub.publish_transient(kRoom, FrameRef::copy_of("notice"), &x, Dialect::classic);
    EXPECT_THAT(a.seen, ElementsAre("typing"));
    EXPECT_THAT(x.seen, IsEmpty());
    EXPECT_THAT(y.seen, ElementsAre("notice"));
    EXPECT_EQ(hub.listeners(kRoom), 3u);
    EXPECT_EQ(hub.listeners(kRoom, Dialect::classic), 2u);
}

TEST_F(HubDialectTest, WhoIsRemovedIsEndedInBothDialects) {
    Connection other{50, Dialect::classic};
    live(a);
    live(other);
    live(x);
    hub.end_all_of(kRoom, {50});
    EXPECT_EQ(a.ended, 1);
    EXPECT_EQ(other.ended, 1);
    hub.end_room(kRoom);
    EXPECT_EQ(x.ended, 1);
    EXPECT_EQ(hub.room_count(), 0u);
}

} // namespace
} // namespace parley::chat
