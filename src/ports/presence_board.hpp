// Who is online on which node of the cluster, shared by the nodes and kept nowhere for good: nodes
// write it again by themselves after it was lost. A node that has not said beat() for its lease is
// dead, and whoever sweeps takes its users off the board.
//
// Threading: any core. Errors: unavailable (then a node knows of its own users only), overloaded.
#pragma once

#include "base/task.hpp"
#include "model/ids.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace parley::ports {

class PresenceBoard {
public:
    // This node lives, for `lease` from now. False: the board did not know it (the board is new, or
    // somebody took the node off): put all users on again.
    virtual Task<Result<bool>> beat(std::string node, std::chrono::milliseconds lease) = 0;
    // Answers those that were on no node before.
    virtual Task<Result<std::vector<model::UserId>>> put(std::string node,
                                                         std::vector<model::UserId> users) = 0;
    // Answers those that are on no node any more.
    virtual Task<Result<std::vector<model::UserId>>> take_off(std::string node,
                                                              std::vector<model::UserId> users) = 0;
    virtual Task<Result<std::vector<bool>>> online(std::vector<model::UserId> users) = 0;
    // Nodes whose lease has ended, by the board's own clock. Each is answered to one sweeper at a
    // time: another may have it when this one has not said removed() within `lease`.
    virtual Task<Result<std::vector<std::string>>> dead_nodes(std::chrono::milliseconds lease) = 0;
    // Some of the users of a node, at most `limit`.
    virtual Task<Result<std::vector<model::UserId>>> users_of(std::string node,
                                                              std::size_t limit) = 0;
    virtual Task<Result<void>> removed(std::string node) = 0;

protected:
    ~PresenceBoard() = default;
};

} // namespace parley::ports
