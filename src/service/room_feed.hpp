// RoomFeed: how a process hears of rooms whose events are made elsewhere, and tells the other
// processes what is in no log. Without one (null) all is made here, and nothing can be missed.
//
// With a feed an event may be missed. RoomHome knows by prev_id; Rooms reads what is missing from
// the history, in order, before it shows what came after. Rooms that people listen to are compared
// with the store each limits::kHeadsLook, so a feed that says nothing at all is noticed as well.
//
// Threading: any core. Owner: app. Shutdown: tasks end with the gate of who runs them.
#pragma once

#include "base/task.hpp"
#include "chat/hub.hpp"
#include "model/ids.hpp"
#include "ports/room_log.hpp"
#include "service/trace_ring.hpp"

#include <optional>
#include <string>
#include <vector>

namespace parley::service {

// What the other processes are told: shown if somebody there is concerned, and forgotten.
struct Transient {
    enum class Kind : std::uint8_t {
        frame = 1,     // to all who listen to the room in that dialect, but `user` (0: nobody)
        to_user = 2,   // to all v1 connections of `user`
        seat_taken = 3 // `user` has a new connection in the room: an older one goes
    };
    Kind kind = Kind::frame;
    chat::Dialect dialect = chat::Dialect::v1;
    model::RoomId room;
    model::UserId user;
    std::string payload;
};

class RoomFeed {
public:
    // Events of the room come from now on, as outcomes without origin. Answers when that is so, or
    // when nothing can be heard at present.
    virtual Task<void> follow(model::RoomId room) = 0;
    virtual void unfollow(model::RoomId room) = 0;
    virtual bool connected() const = 0;
    // The newest event of each room that the store has, also of deleted ones (0: none).
    virtual Task<Result<std::vector<model::EventId>>> heads(std::vector<model::RoomId> rooms) = 0;
    virtual void tell(Transient transient) = 0;
    // What the other processes remember of an event, as far as they answer in limits::kTraceWait.
    virtual Task<std::vector<NodeTrace>> ask_trace(model::EventId) {
        co_return std::vector<NodeTrace>{};
    }
    // Of an event that was read because it was missed: who waits for it in this process.
    virtual std::optional<ports::Origin> claim(const model::Event& event) = 0;

protected:
    ~RoomFeed() = default;
};

} // namespace parley::service
