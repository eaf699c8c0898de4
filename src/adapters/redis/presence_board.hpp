// PresenceBoard: ports::PresenceBoard in Redis. Each call is one Lua script, so one moment.
//
//   parley:nodes            zset: node -> end of its lease, ms by Redis's clock (so one clock
//   counts) parley:node:{n}:users   set: the users that node n has put on parley:user:{id} set: the
//   nodes that the user is on; no key: offline parley:sweep:{n}        "1" with a lease: somebody
//   sweeps node n
//
// What can cross each other, and what comes out:
//   - FLUSHALL, or a Redis that starts empty: the next beat() does not know the node and answers
//     false; what was put before that beat gives the node a lease that has ended, which a beat
//     answers with false, too.
//   - A node that was slow, or cut off, comes back while it is swept: its beat() answers false and
//     gives no lease as long as the sweep's does not end, so that the put() after the last false
//     comes after the sweeper's last take_off().
//   - removed() of a node that still has users leaves it dead, for the next sweeper.
//
// Threading: any core; a call waits for a worker, which has a connection of its own. A failure
// (nothing within limits::kBusCallTimeout) refuses all calls for limits::kPresenceBreak, so that a
// dead Redis costs its callers no time. More users than limits::kPresenceStep are several scripts.
// Bounds: limits::kPresenceThreads, kPresenceQueue; then overloaded. Owner: app/wiring. Shutdown:
// stop() lets what is queued finish, and joins.
#pragma once

#include "adapters/redis/command.hpp"
#include "adapters/redis/settings.hpp"
#include "base/log.hpp"
#include "base/worker_pool.hpp"
#include "ports/presence_board.hpp"

#include <functional>

namespace parley::redis {

class PresenceBoard final : public ports::PresenceBoard {
public:
    PresenceBoard(Settings settings, Metrics& metrics, Logger& logger);

    Task<Result<bool>> beat(std::string node, std::chrono::milliseconds lease) override;
    Task<Result<std::vector<model::UserId>>> put(std::string node,
                                                 std::vector<model::UserId> users) override;
    Task<Result<std::vector<model::UserId>>> take_off(std::string node,
                                                      std::vector<model::UserId> users) override;
    Task<Result<std::vector<bool>>> online(std::vector<model::UserId> users) override;
    Task<Result<std::vector<std::string>>> dead_nodes(std::chrono::milliseconds lease) override;
    Task<Result<std::vector<model::UserId>>> users_of(std::string node, std::size_t limit) override;
    Task<Result<void>> removed(std::string node) override;

    void stop() { x_pool.stop(); }

private:
    using Words = std::vector<std::string>;
    // The script gets `words` as its ARGV; throws what the calls catch.
    Result<Reply> call(std::size_t worker, std::string_view script, const Words& words);
    // One script for each step of the users, ARGV = node, users; its answers one after the other.
    Result<std::vector<std::string>> call_steps(std::size_t worker, std::string_view script,
                                                const std::string& node,
                                                const std::vector<model::UserId>& users);
    Result<Context> connect() const;
    Result<Reply> exchange(redisContext& context, const std::string& command) const;
    Task<Result<std::vector<model::UserId>>> change(std::string_view script, std::string node,
                                                    std::vector<model::UserId> users);
    Error fail(const Error& error);

    const Settings x_settings;
    Logger& x_logger;
    std::vector<Context> x_contexts;             // of each worker; null: not connected
    std::atomic<std::int64_t> x_broken_until{0}; // ticks of the steady clock
    Counter &x_calls, &x_failures, &x_refusals;
    WorkerPool x_pool; // after the contexts: its threads end first
};

} // namespace parley::redis
