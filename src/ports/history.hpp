// What was said: pages of messages and the events that somebody missed. Reads only.
//
// Guarantee: what was acknowledged before the call is in the answer (no lag). Callers have asked
// the authoriser first; this port checks no rights. Threading: any core. Errors: overloaded,
// unavailable.
#pragma once

#include "base/task.hpp"
#include "model/message.hpp"

#include <vector>

namespace parley::ports {

struct HistoryMessage {
    model::Message message;
    std::vector<model::ReactionSummary> reactions;
};

struct MessagePage {
    std::vector<HistoryMessage> messages;
    bool more = false; // in the same direction
};

struct EventPage {
    std::vector<model::Event> events;
    bool more = false;
    model::EventId last_id; // the room's newest event at the time of the read (0: none)
};

class History {
public:
    // Newest first, ids below `before` (0: from the newest).
    virtual Task<Result<MessagePage>> messages_before(model::RoomId room, model::MessageId before,
                                                      std::size_t limit) = 0;
    // Oldest first, ids above `after`.
    virtual Task<Result<MessagePage>> messages_after(model::RoomId room, model::MessageId after,
                                                     std::size_t limit) = 0;
    // Oldest first, ids above `since`. A message shows its present state: edited or deleted since.
    virtual Task<Result<EventPage>> events_after(model::RoomId room, model::EventId since,
                                                 std::size_t limit) = 0;

protected:
    ~History() = default;
};

} // namespace parley::ports
