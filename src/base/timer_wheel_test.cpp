#include "base/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace parley {
namespace {

using namespace std::chrono_literals;

struct Probe : TimerWheel::Entry {
    int fired = 0;
    TimerWheel* again = nullptr;
    TimerWheel::Time next{};
    void on_timer() override {
        ++fired;
        if (again) again->arm(*this, next);
    }
};

const TimerWheel::Time kStart = TimerWheel::Time{} + 1h;

TEST(TimerWheel, FiresAfterTheDeadlineAndWithinOneTick) {
    TimerWheel wheel(kStart);
    Probe probe;
    wheel.arm(probe, kStart + 250ms);
    wheel.advance(kStart + 250ms);
    EXPECT_EQ(probe.fired, 0);
    wheel.advance(kStart + 350ms);
    EXPECT_EQ(probe.fired, 1);
    wheel.advance(kStart + 10min);
    EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, HoldsDeadlinesBeyondOneTurnOfTheWheel) {
    TimerWheel wheel(kStart);
    Probe probe;
    wheel.arm(probe, kStart + 5min);
    for (auto t = kStart; t < kStart + 5min; t += 100ms) wheel.advance(t);
    EXPECT_EQ(probe.fired, 0);
    wheel.advance(kStart + 5min + 200ms);
    EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, CancelAndRearm) {
    TimerWheel wheel(kStart);
    Probe a, b;
    wheel.arm(a, kStart + 1s);
    wheel.arm(b, kStart + 1s);
    a.cancel();
    wheel.arm(b, kStart + 3s);
    wheel.advance(kStart + 2s);
    EXPECT_EQ(a.fired + b.fired, 0);
    wheel.advance(kStart + 4s);
    EXPECT_EQ(b.fired, 1);
}

TEST(TimerWheel, AHandlerMayDestroyAnotherDueEntryOrArmItself) {
    TimerWheel wheel(kStart);
    auto victim = std::make_unique<Probe>();
    struct Killer : TimerWheel::Entry {
        std::unique_ptr<Probe>* target;
        void on_timer() override { target->reset(); }
    } killer;
    killer.target = &victim;
    wheel.arm(*victim, kStart + 1s);
    wheel.arm(killer, kStart + 1s);
    Probe self;
    self.again = &wheel;
    self.next = kStart + 20s;
    wheel.arm(self, kStart + 1s);
    wheel.advance(kStart + 2s);
    EXPECT_EQ(victim, nullptr);
    EXPECT_EQ(self.fired, 1);
    self.again = nullptr;
    wheel.advance(kStart + 30s);
    EXPECT_EQ(self.fired, 2);
}

TEST(TimerWheel, AfterALongPauseEverythingDueFiresOnce) {
    TimerWheel wheel(kStart);
    std::vector<std::unique_ptr<Probe>> probes;
    for (int i = 0; i < 2000; ++i) {
        probes.push_back(std::make_unique<Probe>());
        wheel.arm(*probes.back(), kStart + i * 100ms);
    }
    wheel.advance(kStart + 24h);
    for (auto& probe : probes) EXPECT_EQ(probe->fired, 1);
}

} // namespace
} // namespace parley
