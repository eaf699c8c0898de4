// The durable, ordered log that makes a change real: a message exists once its event is in the log.
// Nothing may be shown to a member, or acknowledged to its sender, before its Outcome has come
// back.
//
// Order: the drafts of one room are sequenced in the order of the append() calls of one core, and
// outcomes come back in the order of the log. Threading: append() from any core, once per loop
// turn; the sink is called on the log's own thread, once per commit. Ownership: borrowed;
// app/wiring owns log and sink. Shutdown: the adapter's stop() commits what it has taken, reports
// it, and refuses the rest with shutting_down.
#pragma once

#include "base/result.hpp"
#include "model/stages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace parley::ports {

// Where the answer goes: a responder (a connection, or a REST call that waits) on a core.
struct Origin {
    std::uint16_t core = 0;
    std::uint64_t responder = 0;
    std::string ref; // the client's own mark, given back unread
    std::int64_t at_ms = 0; // when it was taken, for a trace; 0: nobody asks
};

struct Submission {
    model::Filtered draft;
    Origin origin;
};

struct Outcome {
    Origin origin;
    model::RoomId room_id; // 0 when a CreateDraft failed
    std::string nonce;     // of a PostDraft, also when it failed
    // Errors: unavailable (nothing stored, retry with the same nonce), shutting_down, overloaded,
    // and what the rules refuse: forbidden, not_a_member, unknown_room, unknown_user,
    // unknown_message, nonce_conflict, last_owner, room_name_taken.
    std::optional<Error> error;
    std::optional<model::Durable> durable; // set unless error, or unless nothing had to change
    bool duplicate = false; // the event was in the log before: answer it, do not broadcast it
};

class OutcomeSink {
public:
    virtual void on_outcomes(std::vector<Outcome> outcomes) = 0;

protected:
    ~OutcomeSink() = default;
};

class RoomLog {
public:
    // Each submission gets exactly one Outcome through the sink, also when the bounded queue is
    // full (overloaded) or the process ends its work (shutting_down).
    virtual void append(std::vector<Submission> submissions) = 0;

protected:
    ~RoomLog() = default;
};

} // namespace parley::ports
