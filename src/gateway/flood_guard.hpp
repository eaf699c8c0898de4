// FloodGuard: what both surfaces say to a connection that sends too much: first a refusal with the
// time to wait, and after limits::kRefusalsBeforeClose in a row the end.
//
// Threading: its connection's core. Owner: the session.
#pragma once

#include "base/limits.hpp"
#include "chat/token_bucket.hpp"

#include <chrono>
#include <cstdint>

namespace parley::gateway {

class FloodGuard {
public:
    enum class Answer : std::uint8_t { pass, refuse, close };

    FloodGuard(bool enabled, double sends_per_second, double burst)
        : x_enabled(enabled), x_bucket(sends_per_second, burst) {}

    Answer ask(std::chrono::steady_clock::time_point now) {
        if (!x_enabled) return Answer::pass;
        if (x_bucket.take(now)) {
            x_refused_in_a_row = 0;
            return Answer::pass;
        }
        if (++x_refused_in_a_row > limits::kRefusalsBeforeClose) return Answer::close;
        return Answer::refuse;
    }
    std::chrono::milliseconds wait() const { return x_bucket.wait(); }

private:
    const bool x_enabled;
    chat::TokenBucket x_bucket;
    std::uint16_t x_refused_in_a_row = 0;
};

} // namespace parley::gateway
