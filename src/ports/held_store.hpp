// Messages that a word of the filter holds until a moderator has looked at them. They are in no
// log: nobody but moderators sees them.
//
// Threading: any core. Writes are durable when they answer. Bound: limits::kHeldPerRoom that wait
// in a room. Errors besides those named: overloaded, unavailable.
#pragma once

#include "base/task.hpp"
#include "model/stages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace parley::ports {

struct HeldMessage {
    model::HeldId id;
    model::RoomId room_id;
    model::UserId user_id;
    model::PostDraft draft;         // as it was sent, not masked
    std::vector<std::string> words; // the entries of the lists that held it
    model::Time created_at;
};

enum class HeldState : std::uint8_t {
    waiting = 1,
    rejected = 2,
    in_log = 3 // the log has a message of this nonce: the log answers
};

class HeldStore {
public:
    // What is to be answered to a message that the filter holds; `held.id` is given here. The same
    // (room, user, nonce) again stores nothing. nonce_conflict: with another body;
    // content_rejected: too many wait in the room.
    virtual Task<Result<HeldState>> hold(HeldMessage held) = 0;
    // Those that wait, of one room or (0) of all that are not deleted, by id ascending, ids above
    // `after`.
    virtual Task<Result<std::vector<HeldMessage>>> waiting(model::RoomId room, model::HeldId after,
                                                           std::size_t limit) = 0;
    // unknown_message: none that waits in this room.
    virtual Task<Result<HeldMessage>> find_waiting(model::RoomId room, model::HeldId held) = 0;
    // Approved ones are forgotten, since the log has them; of rejected ones the text is.
    // unknown_message as above.
    virtual Task<Result<void>> decide(model::RoomId room, model::HeldId held, bool approved,
                                      model::Time now) = 0;

protected:
    ~HeldStore() = default;
};

} // namespace parley::ports
