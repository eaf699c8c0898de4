#include "base/rate_bucket.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace parley {
namespace {

using namespace std::chrono_literals;

const RateBucket::Time kStart{1h};
constexpr RateLimit kTenASecond{.per_second = 10, .burst = 5};

TEST(RateBucket, GivesTheBurstThenTheRate) {
    RateBucket bucket;
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(bucket.take(kTenASecond, kStart)) << i;
    EXPECT_EQ(bucket.take(kTenASecond, kStart), 100ms);
    EXPECT_EQ(bucket.take(kTenASecond, kStart + 40ms), 60ms);
    EXPECT_FALSE(bucket.take(kTenASecond, kStart + 100ms));
    EXPECT_EQ(bucket.take(kTenASecond, kStart + 100ms), 100ms);
}

TEST(RateBucket, OverAnySpanGivesNoMoreThanBurstPlusRate) {
    RateBucket bucket;
    int taken = 0;
    for (int ms = 0; ms < 10'000; ++ms)
        if (!bucket.take(kTenASecond, kStart + std::chrono::milliseconds(ms))) ++taken;
    EXPECT_EQ(taken, 5 + 99); // the last of the 100 comes at 10 s
}

TEST(RateBucket, SavesNoMoreThanTheBurst) {
    RateBucket bucket;
    bucket.take(kTenASecond, kStart);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(bucket.take(kTenASecond, kStart + 1h));
    EXPECT_TRUE(bucket.take(kTenASecond, kStart + 1h));
}

TEST(RateBucket, ARefusalTakesNothing) {
    RateBucket bucket;
    bucket.take(kTenASecond, kStart, 4);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(bucket.take(kTenASecond, kStart, 3), 200ms);
    EXPECT_FALSE(bucket.take(kTenASecond, kStart, 1));
}

TEST(RateBucket, WhatCostsMoreThanTheBurstPassesWhenItIsFull) {
    RateBucket bucket;
    EXPECT_FALSE(bucket.take(kTenASecond, kStart, 1'000));
    EXPECT_EQ(bucket.take(kTenASecond, kStart, 1'000), 500ms);
    EXPECT_FALSE(bucket.take(kTenASecond, kStart + 500ms, 1'000));
}

TEST(RateBucket, WhatCannotBeRefusedMakesADebtWithABound) {
    RateBucket bucket;
    EXPECT_EQ(bucket.charge(kTenASecond, kStart, 5), 0ms);
    EXPECT_EQ(bucket.charge(kTenASecond, kStart, 10), 1s);
    EXPECT_EQ(bucket.charge(kTenASecond, kStart + 1s, 0), 0ms);
    EXPECT_EQ(bucket.charge(kTenASecond, kStart + 1s, 1e12), 1min);
    EXPECT_EQ(bucket.take(kTenASecond, kStart + 1min, 1), 1100ms);
}

TEST(RateBucket, GivesBackAndForgets) {
    RateBucket bucket;
    EXPECT_EQ(bucket.until_full(kStart), 0ns);
    bucket.take(kTenASecond, kStart, 5);
    EXPECT_EQ(bucket.until_full(kStart), 500ms);
    bucket.give_back(kTenASecond);
    EXPECT_FALSE(bucket.take(kTenASecond, kStart));
    EXPECT_TRUE(bucket.take(kTenASecond, kStart));
    bucket.fill();
    EXPECT_FALSE(bucket.take(kTenASecond, kStart, 5));
}

TEST(RateBucket, WithoutALimitNothingIsRefused) {
    RateBucket bucket;
    for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(bucket.take(RateLimit{}, kStart, 1e9));
    EXPECT_EQ(bucket.charge(RateLimit{}, kStart, 1e18), 0ms);
}

TEST(RateBucket, ManyThreadsTakeNoMoreThanThereIs) {
    RateBucket bucket;
    constexpr RateLimit limit{.per_second = 1, .burst = 1'000};
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 1'000; ++i)
                if (!bucket.take(limit, kStart)) ++taken;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken, 1'000);
}

} // namespace
} // namespace parley
