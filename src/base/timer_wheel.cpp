#include "base/timer_wheel.hpp"

#include <algorithm>

namespace parley {

void TimerWheel::arm(Entry& entry, Time when) {
    entry.cancel();
    entry.x_due = std::max(tick_of(when) + 1, x_current + 1);
    Entry& head = x_slots[entry.x_due % kSlots];
    entry.x_next = head.x_next;
    entry.x_previous = &head;
    if (head.x_next) head.x_next->x_previous = &entry;
    head.x_next = &entry;
}

void TimerWheel::advance(Time now) {
    const std::uint64_t target = tick_of(now);
    // After a long pause (a stopped process) one turn of the wheel sees every slot.
    std::uint64_t tick = target > x_current + kSlots ? target - kSlots : x_current;
    while (tick < target) {
        ++tick;
        x_current = std::max(x_current, tick);
        // Take the due entries out first: on_timer may arm, cancel or destroy any of them.
        Entry due;
        Entry* entry = x_slots[tick % kSlots].x_next;
        while (entry) {
            Entry* next = entry->x_next;
            if (entry->x_due <= target) {
                entry->cancel();
                entry->x_previous = &due;
                entry->x_next = due.x_next;
                if (due.x_next) due.x_next->x_previous = entry;
                due.x_next = entry;
            }
            entry = next;
        }
        while (due.x_next) {
            Entry* first = due.x_next;
            first->cancel();
            first->on_timer();
        }
    }
    x_current = std::max(x_current, target);
}

} // namespace parley
