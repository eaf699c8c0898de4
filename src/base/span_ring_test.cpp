#include "base/span_ring.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(SpanRing, FindsTheFirstTimeOfAnIdUnderItsKey) {
    SpanRing ring(4);
    EXPECT_FALSE(ring.find(0, 0));
    ring.note(1, 10, 20, 1'000);
    ring.note(2, 15, 30, 2'000);
    ring.note(1, 18, 40, 3'000); // the same again, after a take-over
    EXPECT_EQ(ring.find(1, 10), 1'000);
    EXPECT_EQ(ring.find(1, 20), 1'000);
    EXPECT_EQ(ring.find(1, 21), 3'000);
    EXPECT_EQ(ring.find(2, 20), 2'000);
    EXPECT_FALSE(ring.find(2, 14));
    EXPECT_FALSE(ring.find(3, 20));
}

TEST(SpanRing, ForgetsTheOldestAndTakesNoEmptyOnes) {
    SpanRing ring(2);
    ring.note(0, 1, 1, 100);
    ring.note(0, 5, 4, 150); // nothing
    ring.note(0, 2, 2, 200);
    EXPECT_EQ(ring.find(0, 1), 100);
    ring.note(0, 3, 3, 300);
    EXPECT_FALSE(ring.find(0, 1));
    EXPECT_EQ(ring.find(0, 2), 200);
    EXPECT_EQ(ring.find(0, 3), 300);
}

TEST(SpanRing, OfNoSizeRemembersNothing) {
    SpanRing ring(0);
    EXPECT_FALSE(ring.enabled());
    ring.note(0, 1, 1, 100);
    EXPECT_FALSE(ring.find(0, 1));
}

} // namespace
} // namespace parley
