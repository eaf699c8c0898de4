// ReadMarks: the read marks of one core on their way to the store. While one write is under way,
// marks collect, of each user and room only the newest; then they go together in the next. So a
// thousand readers of one message cost a few writes, and each mark is durable when it is answered.
//
// A mark of a message that does not exist is refused for itself: older ones that it covered go into
// the next write.
//
// Threading: its core. Owner: service::Rooms. Bounds: who waits is bounded by
// limits::kRequestsInFlightPerConnection, a write by limits::kReadMarksBatch. Shutdown: with the
// gate.
#pragma once

#include "base/core.hpp"
#include "base/gate.hpp"
#include "base/metrics.hpp"
#include "base/one_shot.hpp"
#include "ports/room_directory.hpp"

#include <map>
#include <utility>
#include <vector>

namespace parley::service {

class ReadMarks {
public:
    ReadMarks(Core& core, ports::RoomDirectory& directory, Gate& gate, Metrics& metrics);

    // True for the one mark that moved it. Errors: unknown_message, unavailable, shutting_down.
    Task<Result<bool>> mark(model::UserId user, model::RoomId room, model::MessageId message);

private:
    struct Waiter {
        Waiter(boost::asio::any_io_executor executor, model::MessageId m)
            : message(m), done(std::move(executor)) {}
        void answer(Result<bool> with) {
            moved = std::move(with);
            done.set();
        }
        model::MessageId message;
        OneShot done;
        Result<bool> moved = false;
    };
    using Key = std::pair<model::UserId, model::RoomId>;
    using Waiters = std::vector<Waiter*>; // on the frames of mark()

    Task<void> write();
    void take(std::vector<ports::ReadMark>& marks, std::vector<Waiters>& waiters);
    void answer(const ports::ReadMark& mark, const Waiters& waiters, ports::MarkOutcome outcome);

    Core& x_core;
    ports::RoomDirectory& x_directory;
    Gate& x_gate;
    std::map<Key, Waiters> x_waiting;
    bool x_writing = false;
    Counter& x_writes;
    Counter& x_folded;
};

} // namespace parley::service
