#include "base/limits.hpp"
#include "service/rate_limits.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <set>
#include <string>

namespace parley::service {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const RateLimits::Time kNow{1h};

class RateLimitsTest : public ::testing::Test {
protected:
    static RateSettings settings() {
        RateSettings s;
        s.rates[static_cast<std::size_t>(Limit::user_sends)] = {.per_second = 1, .burst = 3};
        s.rates[static_cast<std::size_t>(Limit::address_log_ins)] = {.per_second = 1, .burst = 2};
        return s;
    }
    Metrics x_metrics;
    RateLimits x_limits{settings(), x_metrics};
};

TEST_F(RateLimitsTest, EachLimitHasAnOwnNameAndLetsSomethingThrough) {
    std::set<std::string_view> names;
    for (const LimitInfo& each : all_limits()) {
        names.insert(each.name);
        EXPECT_GT(each.standard.per_second, 0) << each.name;
        EXPECT_GE(each.standard.burst, 1) << each.name;
    }
    EXPECT_EQ(names.size(), kLimits);
}

TEST_F(RateLimitsTest, AUserHasOneBudgetHoweverOftenItIsAskedFor) {
    const model::UserId ann{1}, ben{2};
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(x_limits.take(Limit::user_sends, *x_limits.of_user(ann, kNow), kNow));
    const auto refused = x_limits.take(Limit::user_sends, *x_limits.of_user(ann, kNow), kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::rate_limited);
    EXPECT_EQ(refused.error().retry_after, 1s);
    EXPECT_TRUE(x_limits.take(Limit::user_sends, *x_limits.of_user(ben, kNow), kNow));
    EXPECT_THAT(x_metrics.render(),
                HasSubstr("parley_rate_limited_total{limit=\"sends_per_user\"} 1"));
}

TEST_F(RateLimitsTest, LimitsOfOneRecordAreApart) {
    const auto record = x_limits.of_user(model::UserId{1}, kNow);
    for (int i = 0; i < 4; ++i) (void)x_limits.take(Limit::user_sends, *record, kNow);
    EXPECT_TRUE(x_limits.take(Limit::user_joins, *record, kNow));
    EXPECT_TRUE(x_limits.take(Limit::user_connects, *record, kNow));
}

TEST_F(RateLimitsTest, AnAddressCountsByItsBlockAndGetsBackWhatWasRight) {
    const auto of = [&](std::string_view a) { return x_limits.of_address(address_block(a), kNow); };
    EXPECT_EQ(of("2001:db8::1"), of("2001:db8::2"));
    const auto record = of("192.0.2.1");
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(x_limits.take(Limit::address_log_ins, *record, kNow));
        x_limits.give_back(Limit::address_log_ins, *record);
    }
}

TEST_F(RateLimitsTest, SwitchedOffNothingIsRefused) {
    RateSettings off = settings();
    off.enabled = false;
    Metrics metrics;
    RateLimits limits(off, metrics);
    const auto record = limits.of_user(model::UserId{1}, kNow);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits.take(Limit::user_sends, *record, kNow));
}

TEST_F(RateLimitsTest, AFloodOfNamesForgetsIdleOnesAndNeitherHeldNorBusyOnes) {
    const auto held = x_limits.of_user(model::UserId{1}, kNow);
    for (int i = 0; i < 3; ++i) {
        (void)x_limits.take(Limit::user_sends, *held, kNow);
        (void)x_limits.take(Limit::user_sends, *x_limits.of_user(model::UserId{2}, kNow), kNow);
    }
    for (std::size_t i = 0; i < 3 * limits::kRateRecords; ++i)
        x_limits.of_user(model::UserId{static_cast<std::int64_t>(1000 + i)}, kNow);
    EXPECT_LE(x_limits.size(LimitScope::user), limits::kRateRecords);
    EXPECT_EQ(x_limits.of_user(model::UserId{1}, kNow), held);
    EXPECT_FALSE(x_limits.take(Limit::user_sends, *x_limits.of_user(model::UserId{2}, kNow), kNow));
}

} // namespace
} // namespace parley::service
