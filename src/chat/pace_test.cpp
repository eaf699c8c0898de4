#include "chat/pace.hpp"
#include "chat/typing.hpp"

#include <gmock/gmock.h>

namespace parley::chat {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Values = Pace<int, int, int>;
constexpr Values::Instant kStart{1h};

TEST(Pace, AQuietGroupHasNoDelayAndABusyOneItsNewestInTurn) {
    Values pace(250ms, 100);
    EXPECT_EQ(pace.offer(1, 10, 100, kStart), 100);
    EXPECT_EQ(pace.offer(2, 10, 200, kStart), 200) << "another group";
    EXPECT_FALSE(pace.offer(1, 10, 101, kStart + 1ms));
    EXPECT_FALSE(pace.offer(1, 11, 110, kStart + 2ms));
    EXPECT_FALSE(pace.offer(1, 10, 102, kStart + 3ms));
    EXPECT_EQ(pace.take_folded(), 1u);
    EXPECT_THAT(pace.due(kStart + 249ms), IsEmpty());
    EXPECT_THAT(pace.due(kStart + 250ms), ElementsAre(102));
    EXPECT_THAT(pace.due(kStart + 499ms), IsEmpty());
    EXPECT_FALSE(pace.offer(1, 10, 103, kStart + 499ms));
    EXPECT_THAT(pace.due(kStart + 500ms), ElementsAre(110));
    EXPECT_THAT(pace.due(kStart + 750ms), ElementsAre(103));
    EXPECT_THAT(pace.due(kStart + 1s), IsEmpty());
    EXPECT_EQ(pace.groups(), 0u);
    EXPECT_EQ(pace.waiting(), 0u);
}

TEST(Pace, AThousandItemsAreFourASecondAndAllOfThemComeOnce) {
    Values pace(250ms, 10'000);
    int out = pace.offer(1, 0, 0, kStart) ? 1 : 0;
    for (int item = 1; item < 1'000; ++item) out += pace.offer(1, item, item, kStart).has_value();
    EXPECT_EQ(out, 1);
    for (int tick = 1; tick <= 10; ++tick) {
        out += static_cast<int>(pace.due(kStart + tick * 100ms).size());
    }
    EXPECT_LE(out, 5);
    std::vector<int> seen;
    for (int tick = 0; pace.waiting() > 0; ++tick)
        for (const int value : pace.due(kStart + 1s + tick * 250ms)) seen.push_back(value);
    EXPECT_EQ(seen.size() + static_cast<std::size_t>(out), 1'000u);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(Pace, WhatDoesNotFitIsDropped) {
    Values pace(250ms, 2);
    pace.offer(1, 1, 1, kStart);
    for (const int item : {2, 3, 4, 3}) pace.offer(1, item, item, kStart);
    EXPECT_EQ(pace.waiting(), 2u);
    EXPECT_EQ(pace.take_dropped(), 1u);
    EXPECT_EQ(pace.take_folded(), 1u);
}

TEST(TypingTest, OncePerUserAndRoomInAWhile) {
    Typing typing;
    EXPECT_TRUE(typing.may({1}, {2}, kStart));
    EXPECT_FALSE(typing.may({1}, {2}, kStart + limits::kTypingEvery - 1ms));
    EXPECT_TRUE(typing.may({1}, {3}, kStart + 1s));
    EXPECT_TRUE(typing.may({9}, {2}, kStart + 1s));
    EXPECT_TRUE(typing.may({1}, {2}, kStart + limits::kTypingEvery));
    EXPECT_FALSE(typing.may({1}, {2}, kStart + limits::kTypingEvery + 1ms));
}

TEST(TypingTest, IsBounded) {
    Typing typing;
    for (std::size_t i = 0; i < limits::kTypingRemembered; ++i)
        ASSERT_TRUE(typing.may({static_cast<std::int64_t>(i + 1)}, {1}, kStart));
    EXPECT_FALSE(typing.may({1}, {2}, kStart));
    EXPECT_TRUE(typing.may({1}, {2}, kStart + limits::kTypingEvery));
}

} // namespace
} // namespace parley::chat
