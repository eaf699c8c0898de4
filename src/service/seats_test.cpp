#include "service/seats.hpp"

#include <gtest/gtest.h>

namespace parley::service {
namespace {

TEST(Seats, TheNewestHasItAndAnOlderOneCannotGiveItAway) {
    constexpr model::RoomId room{1}, other{2};
    constexpr model::UserId user{5};
    Seats seats;
    EXPECT_FALSE(seats.take(room, user, {0, 10}));
    EXPECT_FALSE(seats.take(other, user, {0, 11}));
    EXPECT_FALSE(seats.take(room, {6}, {0, 12}));
    // The same number on another core is another connection.
    EXPECT_EQ(seats.take(room, user, {1, 10}), (Seats::Holder{0, 10}));
    seats.leave(room, user, {0, 10});
    EXPECT_EQ(seats.take(room, user, {0, 13}), (Seats::Holder{1, 10}));
    seats.leave(room, user, {0, 13});
    EXPECT_FALSE(seats.take(room, user, {0, 14}));
    EXPECT_EQ(seats.size(), 3u);
}

} // namespace
} // namespace parley::service
