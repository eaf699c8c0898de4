// Revocations: which sessions were ended while their access tokens may still be alive, and who must
// hear of it (the sockets of each core, to be closed).
//
// A session is kept as long as its newest token, be it one for classic clients, could live; after
// that its tokens have expired by themselves. Threading: any thread; listen() only before the cores
// run. Listeners run on the thread that revokes, outside the lock, and post to where they belong.
// Owner: app/wiring, before Accounts and the gateway. Shutdown: nothing to do; the listeners must
// not outlive what they post to. Bound: limits::kRevokedSessions. A log-in costs a password hash,
// so that many sessions cannot be made and ended in the life of one token; if they are, the oldest
// is forgotten, and counted.
#pragma once

#include "base/limits.hpp"
#include "base/metrics.hpp"
#include "base/task.hpp"
#include "model/ids.hpp"
#include "ports/clock.hpp"
#include "ports/user_store.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <shared_mutex>
#include <unordered_set>
#include <vector>

namespace parley::service {

class Revocations {
public:
    using Listener = std::function<void(model::SessionId)>;

    // `token_life`: of the token that lives longest.
    Revocations(const ports::Clock& clock, Metrics& metrics,
                std::chrono::milliseconds token_life = limits::kAccessTokenLife);
    Revocations(const Revocations&) = delete;
    Revocations& operator=(const Revocations&) = delete;

    // Takes in what was revoked before a restart. Awaited before the first request is served.
    Task<Result<void>> load(ports::SessionStore& sessions);
    // Takes in what any process has revoked in the store since the last look, with some overlap for
    // transactions that took long, and tells the listeners. The server looks once a second, so that
    // the command line can end sessions beside it.
    Task<Result<void>> look(ports::SessionStore& sessions);
    void listen(Listener listener) { x_listeners.push_back(std::move(listener)); }

    // After the store has it. Listeners hear of a session once.
    void revoke(model::SessionId session);
    bool is_revoked(model::SessionId session) const;
    std::size_t size() const;

private:
    struct Entry {
        std::chrono::steady_clock::time_point forget_at;
        model::SessionId session;
    };
    bool insert(model::SessionId session);

    const ports::Clock& x_clock;
    std::atomic<std::int64_t> x_looked_at_ms{0}; // of the clock that the store's rows bear
    const std::chrono::milliseconds x_kept;
    Counter& x_forgotten;
    std::vector<Listener> x_listeners;
    mutable std::shared_mutex x_mutex;
    std::unordered_set<model::SessionId> x_revoked; // guarded by x_mutex
    std::deque<Entry> x_order;                      // guarded by x_mutex; oldest first
};

} // namespace parley::service
