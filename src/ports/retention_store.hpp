// Taking out what is older than it may be kept: messages and the other events of a room, with the
// nonces and reactions of the messages. Rooms, members and read marks are state and stay.
//
// Threading: any core. Durable when it answers. Errors: overloaded, unavailable.
#pragma once

#include "base/task.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>

namespace parley::ports {

struct RetentionStep {
    model::RoomId room_id;     // go on from this room; 0: all rooms have been looked at
    std::uint64_t removed = 0; // messages and events
};

class RetentionStore {
public:
    // Looks at some rooms from `room` on (0: from the first), and removes a bounded number of the
    // oldest events of the first that has too old ones. `server_days` 0: for ever. The first event
    // that remains has no prev_id then. The room's newest id stays what it was.
    virtual Task<Result<RetentionStep>> remove_old(model::RoomId room, std::uint32_t server_days,
                                                   model::Time now) = 0;

protected:
    ~RetentionStore() = default;
};

} // namespace parley::ports
