// Pool: threads that talk to one PostgreSQL database, each with a connection of its own. One pool
// for each database, so that one that hangs keeps nobody else's threads.
//
// Threading: run() from any core. Owner: app/wiring. Bounds: limits::kShardConnections threads,
// limits::kShardQueue calls that wait; then overloaded. Shutdown: stop() lets queued calls finish
// and joins; later ones get shutting_down.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "base/cluster_limits.hpp"
#include "base/metrics.hpp"
#include "base/worker_pool.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace parley::postgres {

class Pool {
public:
    // `store` names the database in metrics: "directory", "shard0". Connects at the first call.
    Pool(const std::string& store, const std::string& target, Metrics& metrics,
         std::size_t connections = limits::kShardConnections)
        : x_connections(make(target, connections)),
          x_calls(metrics.counter("parley_postgres_calls_total", "Calls of a database",
                                  label(store))),
          x_failures(metrics.counter("parley_postgres_failures_total",
                                     "Calls that a database failed", label(store))),
          x_seconds(metrics.histogram("parley_postgres_call_seconds", "Duration of calls",
                                      latency_bounds(), label(store))),
          x_pool(store, connections, limits::kShardQueue, metrics) {}

    // `function(Connection&)` gives a Result and may throw DatabaseError; a transaction that it
    // leaves open is undone. Not to be called inside a co_await expression when it captures more
    // than plain values: GCC 12 destroys the captures of a closure there twice. Make the task
    // first.
    template <class Function>
    auto run(Function function) {
        return x_pool.run([this, function = std::move(function)](std::size_t worker) mutable {
            return call(function, worker);
        });
    }
    // The same for who waits for several pools at once: `done(answer)` comes on the pool's thread,
    // or at once on the caller's with overloaded.
    template <class Function, class Done>
    void start(Function function, Done done) {
        const bool accepted = x_pool.submit(
            [this, function, done](std::size_t worker) mutable { done(call(function, worker)); });
        if (!accepted) done(Error(Errc::overloaded, "the server is busy"));
    }
    void stop() { x_pool.stop(); }

private:
    template <class Function>
    auto call(Function& function, std::size_t worker) {
        x_calls.add();
        Connection& connection = *x_connections[worker];
        const auto began = std::chrono::steady_clock::now();
        auto answer = guarded([&] { return function(connection); });
        if (connection.in_transaction()) connection.rollback();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        x_seconds.observe(took.count());
        if (answer.has_error() && (answer.error().code == Errc::unavailable ||
                                   answer.error().code == Errc::internal))
            x_failures.add();
        return answer;
    }
    static std::string label(const std::string& store) { return "store=\"" + store + "\""; }
    static std::vector<std::unique_ptr<Connection>> make(const std::string& target,
                                                         std::size_t count) {
        std::vector<std::unique_ptr<Connection>> connections;
        for (std::size_t i = 0; i < count; ++i)
            connections.push_back(std::make_unique<Connection>(target));
        return connections;
    }

    std::vector<std::unique_ptr<Connection>> x_connections;
    Counter& x_calls;
    Counter& x_failures;
    Histogram& x_seconds;
    WorkerPool x_pool; // after the connections: its threads end first
};

} // namespace parley::postgres
