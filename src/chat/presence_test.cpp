#include "chat/presence.hpp"

#include <gmock/gmock.h>

namespace parley::chat {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr model::UserId kAda{1}, kBob{2};
constexpr model::RoomId kRoom{10}, kOther{11};
constexpr Presence::Instant kStart{1h};
constexpr model::Time kNow{5'000};

class PresenceTest : public ::testing::Test {
protected:
    Presence presence{10s};
};

TEST_F(PresenceTest, AGoodByeEndsAtOnceAndTellsTheRoomsThatWereTold) {
    EXPECT_EQ(presence.connected(kAda), 1u);
    EXPECT_TRUE(presence.entered(kAda, kRoom));
    EXPECT_TRUE(presence.entered(kAda, kOther));
    EXPECT_FALSE(presence.entered(kAda, kRoom));
    EXPECT_FALSE(presence.entered(kBob, kRoom)) << "not connected";
    EXPECT_TRUE(presence.left(kAda, kOther));
    const auto gone = presence.disconnected(kAda, Parting::said_goodbye, kNow, kStart);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->last_seen_at, kNow);
    EXPECT_THAT(gone->rooms, ElementsAre(kRoom));
    EXPECT_FALSE(presence.online(kAda));
}

TEST_F(PresenceTest, ADropHasAGrace) {
    presence.connected(kAda);
    presence.entered(kAda, kRoom);
    EXPECT_FALSE(presence.disconnected(kAda, Parting::dropped, kNow, kStart));
    EXPECT_TRUE(presence.online(kAda));
    EXPECT_EQ(presence.in_grace(), 1u);
    EXPECT_THAT(presence.expire(kStart + 10s - 1ms), IsEmpty());
    const auto gone = presence.expire(kStart + 10s);
    ASSERT_EQ(gone.size(), 1u);
    EXPECT_EQ(gone[0].user, kAda);
    EXPECT_EQ(gone[0].last_seen_at, kNow) << "when it dropped, not when the grace ended";
    EXPECT_FALSE(presence.online(kAda));
    EXPECT_EQ(presence.in_grace(), 0u);
}

TEST_F(PresenceTest, WhoComesBackInTheGraceIsNotShownAnew) {
    presence.connected(kAda);
    presence.entered(kAda, kRoom);
    presence.disconnected(kAda, Parting::dropped, kNow, kStart);
    EXPECT_EQ(presence.connected(kAda), 1u);
    EXPECT_FALSE(presence.entered(kAda, kRoom));
    EXPECT_THAT(presence.expire(kStart + 1h), IsEmpty());
    EXPECT_EQ(presence.in_grace(), 0u);
}

TEST_F(PresenceTest, AGoodByeOfOneConnectionDoesNotEndTheGraceOfAnother) {
    presence.connected(kAda);
    presence.connected(kAda);
    EXPECT_FALSE(presence.disconnected(kAda, Parting::dropped, kNow, kStart));
    EXPECT_FALSE(presence.disconnected(kAda, Parting::said_goodbye, kNow, kStart + 4s));
    EXPECT_THAT(presence.expire(kStart + 9s), IsEmpty());
    EXPECT_EQ(presence.expire(kStart + 10s).size(), 1u);
}

TEST_F(PresenceTest, TheStoreLearnsTheLastStateInBatches) {
    presence.connected(kAda);
    presence.connected(kBob);
    presence.disconnected(kBob, Parting::said_goodbye, kNow, kStart);
    auto note = presence.take_changes(10);
    EXPECT_THAT(note.online, ElementsAre(kAda));
    ASSERT_EQ(note.offline.size(), 1u);
    EXPECT_EQ(note.offline[0].user, kBob);
    EXPECT_EQ(note.offline[0].at, kNow);
    presence.connected(kBob);
    presence.put_back(note); // the write failed
    EXPECT_EQ(presence.take_changes(1).online.size() + presence.take_changes(1).online.size(), 2u);
    EXPECT_THAT(presence.take_changes(10).online, IsEmpty());
    presence.disconnected(kAda, Parting::dropped, {6'000}, kStart);
    presence.end({9'000});
    note = presence.take_changes(10);
    ASSERT_EQ(note.offline.size(), 2u);
    for (const auto& seen : note.offline) EXPECT_EQ(seen.at.ms, seen.user == kAda ? 6'000 : 9'000);
}

} // namespace
} // namespace parley::chat
