// What a read must wait for, so that it sees everything that was acknowledged before it began:
// until the store has all that the log had at that moment.
//
// Threading: its core. Errors: unavailable (the store is behind for longer than
// limits::kCaughtUpTimeout), shutting_down.
#pragma once

#include "base/task.hpp"
#include "model/ids.hpp"

#include <vector>

namespace parley::ports {

class ReadBarrier {
public:
    virtual Task<Result<void>> room(model::RoomId room) = 0;
    virtual Task<Result<void>> rooms(std::vector<model::RoomId> rooms) = 0;
    virtual Task<Result<void>> all() = 0;

protected:
    ~ReadBarrier() = default;
};

} // namespace parley::ports
