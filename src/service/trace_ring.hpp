// TraceRing: what one core remembers of the newest events that it has given to people: when their
// sender's draft was taken here, when the event was queued for connections, and for how many. An
// entry is written in place, once for each event and core: nothing is allocated, and nothing is
// done for each recipient.
//
// Threading: its core. Owner: service::Rooms. Shutdown: nothing. Size 0: nothing is remembered;
// when it is full the oldest is forgotten.
#pragma once

#include "model/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace parley::service {

struct CoreTrace {
    model::EventId event;
    std::int64_t accepted_ms = 0; // 0: the draft came elsewhere
    std::int64_t delivered_ms = 0;
    std::uint32_t connections = 0; // the sender's included, to which the answer is the event
};

// What one process knows of an event; 0: it does not.
struct NodeTrace {
    std::string node;
    std::int64_t accepted_ms = 0, published_ms = 0, stored_ms = 0, delivered_ms = 0;
    std::uint32_t connections = 0;

    bool knows() const { return accepted_ms || published_ms || stored_ms || delivered_ms; }
};

class TraceRing {
public:
    explicit TraceRing(std::size_t size) : x_entries(size) {}

    bool enabled() const { return !x_entries.empty(); }
    void note(const CoreTrace& entry) {
        x_entries[x_next] = entry;
        if (++x_next == x_entries.size()) x_next = 0;
    }
    const CoreTrace* find(model::EventId event) const {
        for (const CoreTrace& entry : x_entries)
            if (entry.event == event) return &entry;
        return nullptr;
    }

private:
    std::vector<CoreTrace> x_entries; // its size never changes
    std::size_t x_next = 0;
};

} // namespace parley::service
