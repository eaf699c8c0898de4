#include "base/limits.hpp"
#include "service/connection_rates.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace parley::service {
namespace {

using namespace std::chrono_literals;

const RateLimits::Time kStart{1h};
constexpr model::UserId kAnn{1};

class ConnectionRatesTest : public ::testing::Test {
protected:
    static RateSettings settings() {
        RateSettings s;
        const auto set = [&](Limit limit, double rate, double burst) {
            s.rates[static_cast<std::size_t>(limit)] = {.per_second = rate, .burst = burst};
        };
        set(Limit::connection_sends, 10, 20);
        set(Limit::user_sends, 10, 20);
        set(Limit::connection_bytes, 1'000, 10'000);
        set(Limit::address_bytes, 1'000, 1'000'000);
        return s;
    }
    std::unique_ptr<ConnectionRates> connect(std::string_view address = "192.0.2.1") {
        auto rates = std::make_unique<ConnectionRates>(x_limits, address_block(address), kStart);
        EXPECT_TRUE(rates->sign_in(kAnn, kStart));
        return rates;
    }
    // Sends every `gap` for `time`; how many were let through. Ends when it is a flood.
    static int send_for(ConnectionRates& rates, std::chrono::milliseconds time,
                        std::chrono::microseconds gap) {
        int taken = 0;
        for (auto at = kStart; at < kStart + time && !rates.is_flooding(); at += gap)
            if (rates.send(at)) ++taken;
        return taken;
    }

    Metrics x_metrics;
    RateLimits x_limits{settings(), x_metrics};
};

TEST_F(ConnectionRatesTest, AThousandSendsASecondIsAFloodWithinASecond) {
    const auto held_rates = connect();
    ConnectionRates& rates = *held_rates;
    const int taken = send_for(rates, 1s, 1ms);
    EXPECT_TRUE(rates.is_flooding());
    EXPECT_LE(taken, 30);
}

TEST_F(ConnectionRatesTest, ALittleTooFastIsNoFloodHoweverLong) {
    const auto held_rates = connect();
    ConnectionRates& rates = *held_rates;
    const int taken = send_for(rates, 10min, 66ms); // 15 a second where 10 are allowed
    EXPECT_FALSE(rates.is_flooding());
    EXPECT_GT(taken, 5'900);
}

TEST_F(ConnectionRatesTest, ComingBackGivesNoFreshBudget) {
    const auto held_first = connect();
    ConnectionRates& first = *held_first;
    send_for(first, 1s, 1ms);
    const auto held_second = connect("198.51.100.7");
    ConnectionRates& second = *held_second;
    const auto now = kStart + 500ms;
    int taken = 0;
    for (int i = 0; i < 100; ++i)
        if (second.send(now)) ++taken;
    EXPECT_LE(taken, 10);
}

TEST_F(ConnectionRatesTest, BytesSlowAConnectionDownAndForLongAreAFlood) {
    const auto held_rates = connect();
    ConnectionRates& rates = *held_rates;
    EXPECT_EQ(rates.received(10'000, kStart), 0ms);
    EXPECT_EQ(rates.received(500, kStart), 500ms);
    EXPECT_EQ(rates.received(0, kStart + 500ms), 0ms);
    for (auto at = kStart; at < kStart + limits::kBytesFloodTime; at += 1s)
        rates.received(100'000, at);
    EXPECT_FALSE(rates.is_flooding());
    rates.received(100'000, kStart + limits::kBytesFloodTime + 2s);
    EXPECT_TRUE(rates.is_flooding());
}

TEST_F(ConnectionRatesTest, AnAddressFullOfOthersSlowsButIsNoFloodOfThisOne) {
    const auto held_rates = connect();
    ConnectionRates& rates = *held_rates;
    x_limits.charge(Limit::address_bytes, *x_limits.of_address(address_block("192.0.2.1"), kStart),
                    kStart, 1e9);
    for (auto at = kStart; at < kStart + 3 * limits::kBytesFloodTime; at += 1s)
        EXPECT_GT(rates.received(10, at) + 50s, 0ms);
    EXPECT_FALSE(rates.is_flooding());
}

} // namespace
} // namespace parley::service
