// Token bucket: `rate` tokens a second, at most `burst` saved. Pure; time comes in. One owner, one
// core.
#pragma once

#include <algorithm>
#include <chrono>

namespace parley::chat {

class TokenBucket {
public:
    using Time = std::chrono::steady_clock::time_point;

    TokenBucket(double rate_per_second, double burst)
        : x_rate(rate_per_second), x_burst(burst), x_tokens(burst) {}

    bool take(Time now, double tokens = 1.0) {
        refill(now);
        if (x_tokens < tokens) return false;
        x_tokens -= tokens;
        return true;
    }
    // How long until `tokens` are there.
    std::chrono::milliseconds wait(double tokens = 1.0) const {
        const double missing = std::max(0.0, tokens - x_tokens);
        return std::chrono::milliseconds(static_cast<long>(missing / x_rate * 1000.0) + 1);
    }

private:
    void refill(Time now) {
        if (x_last != Time{})
            x_tokens = std::min(
                x_burst, x_tokens + x_rate * std::chrono::duration<double>(now - x_last).count());
        x_last = std::max(x_last, now);
    }
    double x_rate, x_burst, x_tokens;
    Time x_last{};
};

} // namespace parley::chat
