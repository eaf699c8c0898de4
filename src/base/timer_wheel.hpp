// TimerWheel: a hashed wheel with a fixed tick, for the many coarse deadlines of connections
// (heartbeat, idle, hello). Arming and cancelling are O(1) and allocate nothing: the entry lives in
// the object that waits. Source: Varghese & Lauck, "Hashed and Hierarchical Timing Wheels", 1987.
//
// Precision: a deadline fires between its time and one tick later. Threading: one core.
// Owner: the core's network part. Shutdown: destroy entries before the wheel, or cancel them.
#pragma once

#include "base/assert.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace parley {

class TimerWheel {
public:
    static constexpr auto kTick = std::chrono::milliseconds(100);
    static constexpr std::size_t kSlots = 1024; // one turn of the wheel: 102.4 s
    using Time = std::chrono::steady_clock::time_point;

    class Entry {
    public:
        Entry() = default;
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        virtual ~Entry() { cancel(); }
        bool armed() const { return x_previous != nullptr; }
        void cancel() {
            if (!armed()) return;
            x_previous->x_next = x_next;
            if (x_next) x_next->x_previous = x_previous;
            x_previous = x_next = nullptr;
        }
        // The entry is disarmed when this runs, and may arm itself again or be destroyed.
        virtual void on_timer() {}

    private:
        friend class TimerWheel;
        Entry* x_previous = nullptr;
        Entry* x_next = nullptr;
        std::uint64_t x_due = 0; // tick
    };

    explicit TimerWheel(Time start) : x_start(start) {}
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    // Arms (or arms again) `entry` for `when`; a time in the past fires at the next tick.
    void arm(Entry& entry, Time when);
    // Fires everything that is due at `now`.
    void advance(Time now);

private:
    std::uint64_t tick_of(Time when) const {
        return when <= x_start ? 0 : static_cast<std::uint64_t>((when - x_start) / kTick);
    }
    const Time x_start;
    std::uint64_t x_current = 0;       // last tick that was fired
    std::array<Entry, kSlots> x_slots; // list heads
};

} // namespace parley
