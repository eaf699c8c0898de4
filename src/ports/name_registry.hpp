// What must be unique over all shards: names of groups, and the one room of each pair of users. A
// claim is made before the draft goes into the log, and given back when the log refused it.
//
// Threading: any core. Durable when it answers. Errors: overloaded, unavailable.
#pragma once

#include "base/task.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

#include <optional>
#include <string>

namespace parley::ports {

class NameRegistry {
public:
    struct Claim {
        model::RoomId holder;       // the claimer itself, or who had it before
        model::Time claimed_at;     // by the holder
    };
    // `key` is the folded name. The room may claim several (an old and a new name).
    virtual Task<Result<Claim>> claim_name(std::string key, model::RoomId room,
                                           model::Time now) = 0;
    // Takes a name from a holder that does not use it; false: it is no longer that holder's.
    virtual Task<Result<bool>> take_name(std::string key, model::RoomId from, model::RoomId to,
                                         model::Time now) = 0;
    // Gives back all names of the room but `keep` (nullopt: all).
    virtual Task<Result<void>> release_names(model::RoomId room,
                                             std::optional<std::string> keep) = 0;
    // The room of the two: `room` if they had none. No order of the two.
    virtual Task<Result<model::RoomId>> claim_dm(model::UserId a, model::UserId b,
                                                 model::RoomId room) = 0;
    virtual Task<Result<void>> release_dm(model::RoomId room) = 0;

protected:
    ~NameRegistry() = default;
};

} // namespace parley::ports
