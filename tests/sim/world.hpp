// What everything in the simulator stands on: one seed's random numbers, virtual time, the faults
// of this run, and the trace.
//
// Threading: one thread. Nothing here or above it may depend on anything but the seed: no time of
// the day, no address, no order of an unordered container.
#pragma once

#include "chat/snowflake.hpp"
#include "ports/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace parley::sim {

// xoshiro256** (Blackman, Vigna), seeded by splitmix64.
class Random {
public:
    explicit Random(std::uint64_t seed) {
        for (std::uint64_t& word : x_state) {
            std::uint64_t z = (seed += 0x9E3779B97F4A7C15ull);
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
            word = z ^ (z >> 31);
        }
    }
    std::uint64_t next() {
        const std::uint64_t result = rotate(x_state[1] * 5, 7) * 9, t = x_state[1] << 17;
        x_state[2] ^= x_state[0];
        x_state[3] ^= x_state[1];
        x_state[1] ^= x_state[2];
        x_state[0] ^= x_state[3];
        x_state[2] ^= t;
        x_state[3] = rotate(x_state[3], 45);
        return result;
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::size_t>(high - low + 1)));
    }
    bool chance(int per_mille) { return below(1000) < static_cast<std::size_t>(per_mille); }
    template <class T>
    T& pick(std::vector<T>& from) {
        return from[below(from.size())];
    }

private:
    static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
    std::uint64_t x_state[4];
};

// Virtual time and what will happen. Events of the same moment happen in the order of at().
class Scheduler {
public:
    std::int64_t now_ms() const { return x_now_ms; }
    void at(std::int64_t time_ms, std::function<void()> what) {
        x_queue.push_back({std::max(time_ms, x_now_ms), ++x_count, std::move(what)});
        std::ranges::push_heap(x_queue, later);
    }
    void after(std::int64_t delay_ms, std::function<void()> what) {
        at(x_now_ms + delay_ms, std::move(what));
    }
    bool run_one() {
        if (x_queue.empty()) return false;
        std::ranges::pop_heap(x_queue, later);
        Entry next = std::move(x_queue.back());
        x_queue.pop_back();
        x_now_ms = next.time_ms;
        next.what();
        return true;
    }

private:
    struct Entry {
        std::int64_t time_ms;
        std::uint64_t order;
        std::function<void()> what;
    };
    static bool later(const Entry& a, const Entry& b) {
        return std::pair(a.time_ms, a.order) > std::pair(b.time_ms, b.order);
    }
    std::vector<Entry> x_queue;
    std::int64_t x_now_ms = 0;
    std::uint64_t x_count = 0;
};

// The server's clock: it is off by an offset that faults change.
class VirtualClock final : public ports::Clock {
public:
    explicit VirtualClock(const Scheduler& scheduler) : x_scheduler(scheduler) {}
    model::Time now() const override {
        return {chat::kEpochMs + 30ll * 86'400'000 + x_scheduler.now_ms() + offset_ms};
    }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(
            std::chrono::milliseconds(x_scheduler.now_ms()));
    }
    std::int64_t offset_ms = 0;

private:
    const Scheduler& x_scheduler;
};

enum class Bug : std::uint8_t {
    none,
    ack_before_commit,
    no_nonce_check,
    resume_skips_one,
    edit_before_commit,
    deleted_text_stays,
    reaction_doubled,
    removed_still_hears,
    demotion_ignored,
    last_owner_goes,
    mark_before_store,
    slow_mode_forgotten,
    // Of a cluster only.
    ack_before_produce,
    offset_apart,
    stale_owner_writes,
    bus_gap_ignored,
    reads_do_not_wait,
    time_of_reading,
};

// How often what goes wrong, per mille. Each run draws its own, many of them 0: a run that has
// every fault all the time gets nowhere, and one without a fault often shows what faults would
// cover.
struct Faults {
    int cut = 0, stall = 0, doubled_send = 0, slow_packet = 0;
    int crash_before = 0, crash_during = 0, crash_after = 0, commit_error = 0, put_error = 0;
    int clock_step = 0, bus_double = 0, bus_drop = 0;

    static Faults draw(Random& random) {
        const auto rate = [&random](int most) {
            return random.chance(400) ? 0 : static_cast<int>(random.between(1, most));
        };
        return {.cut = rate(40),
                .stall = rate(15),
                .doubled_send = rate(80),
                .slow_packet = rate(60),
                .crash_before = rate(15),
                .crash_during = rate(15),
                .crash_after = rate(15),
                .commit_error = rate(40),
                .put_error = rate(20),
                .clock_step = rate(30),
                .bus_double = rate(50),
                .bus_drop = random.chance(750) ? 0 : rate(30)};
    }
};

// What a run met; the test asks that the runs together met everything.
struct Stats {
    std::uint64_t stored = 0, acknowledged = 0, repeated = 0, refused = 0, given_up = 0;
    std::uint64_t crashes = 0, failed_batches = 0, resumes = 0, further_pages = 0, gaps = 0;
    std::uint64_t ended = 0, edits = 0, conflicts = 0, marks = 0, slowed = 0;
};

struct World {
    World(std::uint64_t seed, Bug planted, bool traced)
        : random(seed), bug(planted), tracing(traced), faults(Faults::draw(random)) {}

    template <class... Parts>
    void trace(const Parts&... parts) {
        if (!tracing) return;
        std::string line = std::to_string(scheduler.now_ms()) + " ms";
        ((line += ' ', line += text_of(parts)), ...);
        trace_lines.push_back(std::move(line));
    }
    void violated(const char* invariant, const std::string& what) {
        trace("VIOLATED", invariant, what);
        violations.push_back(std::string(invariant) + ": " + what);
    }

    Random random;
    Scheduler scheduler;
    VirtualClock clock{scheduler};
    const Bug bug;
    const bool tracing;
    Faults faults;
    Stats stats;
    std::int64_t answer_timeout_ms = 2'500; // of a client
    // A cluster answers a sender before it can show what came before, when the store is away for
    // long.
    bool answers_may_overtake = false;
    std::vector<std::string> trace_lines, violations;

private:
    static std::string text_of(const char* text) { return text; }
    static std::string text_of(const std::string& text) { return text; }
    static std::string text_of(bool yes) { return yes ? "yes" : "no"; }
    template <class Number>
        requires std::is_integral_v<Number>
    static std::string text_of(Number number) {
        return std::to_string(number);
    }
    template <class Tag>
    static std::string text_of(model::Id<Tag> id) {
        return id.to_string();
    }
};

} // namespace parley::sim
