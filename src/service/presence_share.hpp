// PresenceShare: what the other processes of a cluster know of who is online. Without one (null)
// this process knows all.
//
// Threading: any core. Owner: app.
#pragma once

#include "base/task.hpp"
#include "model/ids.hpp"

#include <vector>

namespace parley::service {

class PresenceShare {
public:
    // The user's first connection in this process.
    virtual Task<void> came(model::UserId user) = 0;
    // The last one has gone. Answers whether the user is nowhere now; true also when nobody can be
    // asked.
    virtual Task<bool> gone(model::UserId user) = 0;
    // Of each user whether a connection is open in any process.
    virtual Task<std::vector<bool>> online(std::vector<model::UserId> users) = 0;

protected:
    ~PresenceShare() = default;
};

} // namespace parley::service
