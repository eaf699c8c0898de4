// What the log's outcomes become on their way to people.
#pragma once

#include "chat/hub.hpp"
#include "ports/room_log.hpp"

#include <memory>
#include <string>

namespace parley::service {

// One outcome, shared by the cores that need it. Immutable once it has left the room's home core.
struct Delivery {
    ports::Outcome outcome;
    std::string payload; // the event as a v1 frame, encoded once; "" when there is nothing to show

    std::int64_t arrived_us = 0; // at the room's home core, for spans; 0: nobody collects them

    // Somebody came to or left a large room: only those concerned hear of it at once.
    bool may_wait = false;

    const model::Event* event() const {
        return outcome.durable ? &outcome.durable->event() : nullptr;
    }
};
using DeliveryRef = std::shared_ptr<const Delivery>;

// Waits for outcomes: a connection, or a REST call. Called on its own core.
class Responder {
public:
    virtual void on_outcome(const DeliveryRef& delivery) = 0;
    // The connection behind it, which is shown a message that it sent by its answer alone.
    virtual chat::Subscriber* as_subscriber() { return nullptr; }
    // The user has more connections than may be, over all cores; this one is the last that came.
    virtual void on_too_many_connections() {}
    // A newer connection of the same user has taken its seat in the room.
    virtual void on_replaced() {}

protected:
    ~Responder() = default;
};

} // namespace parley::service
