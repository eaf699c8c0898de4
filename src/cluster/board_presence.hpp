// BoardPresence: this process's part of the presence board. It says each second that it lives,
// puts on who has come (again where that failed), and puts everybody on again when the board did
// not know it any more.
//
// Threading: came() and the rest from any core; step() on core 0. Owner: app. Bound: users with a
// connection.
#pragma once

#include "base/log.hpp"
#include "ports/presence_board.hpp"
#include "service/presence_share.hpp"

#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace parley::cluster {

class BoardPresence final : public service::PresenceShare {
public:
    BoardPresence(std::string node, ports::PresenceBoard& board)
        : x_node(std::move(node)), x_board(board) {}

    Task<void> came(model::UserId user) override;
    Task<bool> gone(model::UserId user) override;
    Task<std::vector<bool>> online(std::vector<model::UserId> users) override;

    // A chore: answers when to come again.
    Task<std::chrono::milliseconds> step();
    // The process ends: nobody of it is on the board any more.
    Task<void> leave();

private:
    std::vector<model::UserId> take_new(std::size_t limit);
    Task<bool> put(std::vector<model::UserId> some);

    const std::string x_node;
    ports::PresenceBoard& x_board;
    std::mutex x_mutex;
    std::unordered_set<model::UserId> x_here, x_new; // guarded by x_mutex; x_new is part of x_here
    std::chrono::milliseconds x_since_beat{1000};    // core 0
};

} // namespace parley::cluster
