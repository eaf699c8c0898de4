// Eraser: works off the erasures that were asked for, in small steps with pauses, one user at a
// time.
//
//   1  rooms: another owner where none would be left, then the user leaves; a room in which nobody
//      else is is deleted. From here on the log takes nothing more of the user.
//   2  messages: deleted through the log, so that live clients and resumes see it; then their rows
//      are blanked
//   3  reactions: the same
//   4  held messages, read marks, sessions, name and e-mail; the account stays as deleted-<id>
//
// Each step asks the store what is left, so it can be done again after a crash.
//
// Threading: one core. Owner: app/wiring, which calls step() again and again. Shutdown: the call in
// progress is waited for.
#pragma once

#include "base/log.hpp"
#include "ports/erasure_store.hpp"
#include "service/rooms.hpp"

#include <chrono>

namespace parley::service {

class Eraser {
public:
    Eraser(Rooms& rooms, ports::ErasureStore& store, const ports::Clock& clock, Logger& log,
           Metrics& metrics);

    // Does a little, and answers how long to wait before the next time.
    Task<std::chrono::milliseconds> step();

private:
    enum class Progress : std::uint8_t { did_something, nothing_left };
    Task<Result<void>> work(const ports::Erasure& erasure);
    Task<Result<Progress>> leave_rooms(model::UserId user);
    Task<Result<void>> leave(model::UserId user, ports::ErasedMembership membership);
    Task<Result<Progress>> erase_messages(const ports::Erasure& erasure);
    Task<Result<Progress>> erase_reactions(model::UserId user);
    Task<Result<void>> take_back(std::vector<model::Draft> drafts);

    Rooms& x_rooms;
    ports::ErasureStore& x_store;
    const ports::Clock& x_clock;
    Logger& x_log;
    Gauge& x_running;
    Counter &x_done, &x_messages;
};

} // namespace parley::service
