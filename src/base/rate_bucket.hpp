// RateBucket: a token bucket in one atomic number, by the generic cell rate algorithm (GCRA, ITU-T
// I.371; the form with a theoretical arrival time is that of I.371's Annex A).
//
// The number is the time at which the bucket would be full again. A take of `cost` tokens moves it
// on by cost / rate; it is refused when the bucket would then need longer than burst / rate to
// fill. So there is no refill to run, nothing to lock, and a bucket whose time has passed is a full
// one.
//
// Threading: any thread. Pure; time comes in. Bound: 8 bytes.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace parley {

struct RateLimit {
    double per_second = 0; // 0: no limit
    double burst = 0;      // how many at once, from a full bucket
    bool is_unlimited() const { return per_second <= 0; }
};

class RateBucket {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Wait = std::chrono::milliseconds;

    // nullopt: taken. Otherwise nothing was taken, and would be after that time. What costs more
    // than the burst costs the burst: it passes when the bucket is full.
    std::optional<Wait> take(const RateLimit& limit, Time now, double cost = 1) {
        if (limit.is_unlimited()) return std::nullopt;
        const std::int64_t at = count(now), most = nanoseconds(limit, limit.burst);
        const std::int64_t step = std::min(nanoseconds(limit, cost), most);
        std::int64_t full_at = x_full_at.load(std::memory_order_relaxed);
        for (;;) {
            const std::int64_t next = std::max(full_at, at) + step;
            if (next - at > most) return rounded_up(next - at - most);
            if (x_full_at.compare_exchange_weak(full_at, next, std::memory_order_relaxed))
                return std::nullopt;
        }
    }
    // For what has happened already: always taken; a debt is worked off before the next take.
    // Answers how long that is, 0 for none. A debt is never longer than kDebtMax.
    Wait charge(const RateLimit& limit, Time now, double cost) {
        if (limit.is_unlimited()) return Wait(0);
        const std::int64_t at = count(now), most = nanoseconds(limit, limit.burst);
        const std::int64_t step = nanoseconds(limit, cost);
        std::int64_t full_at = x_full_at.load(std::memory_order_relaxed);
        std::int64_t next = 0;
        do {
            next = std::min(std::max(full_at, at) + step, at + most + kDebtMax.count());
        } while (!x_full_at.compare_exchange_weak(full_at, next, std::memory_order_relaxed));
        return next - at > most ? rounded_up(next - at - most) : Wait(0);
    }
    // After a take that turned out to cost nothing.
    void give_back(const RateLimit& limit, double cost = 1) {
        if (!limit.is_unlimited())
            x_full_at.fetch_sub(nanoseconds(limit, cost), std::memory_order_relaxed);
    }
    void fill() { x_full_at.store(0, std::memory_order_relaxed); }

    // How long until the bucket is full; 0 when it is. A full one may be forgotten: a new one is
    // the same.
    std::chrono::nanoseconds until_full(Time now) const {
        return std::chrono::nanoseconds(
            std::max<std::int64_t>(0, x_full_at.load(std::memory_order_relaxed) - count(now)));
    }

private:
    static constexpr std::chrono::nanoseconds kDebtMax = std::chrono::minutes(1);

    static std::int64_t count(Time time) {
        return std::chrono::nanoseconds(time.time_since_epoch()).count();
    }
    static std::int64_t nanoseconds(const RateLimit& limit, double tokens) {
        constexpr double kAges = 1e18; // 31 years: no sum of these and a time overflows
        return static_cast<std::int64_t>(std::min(tokens * 1e9 / limit.per_second, kAges));
    }
    static Wait rounded_up(std::int64_t ns) { return Wait((ns + 999'999) / 1'000'000); }

    std::atomic<std::int64_t> x_full_at{0}; // of the steady clock
};

} // namespace parley
