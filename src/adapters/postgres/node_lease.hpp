// NodeLease: the number that this process has in the ids that it gives, from the directory's table:
// limits::kFirstLeasedNode and up, one process a number. It is said again every
// limits::kNodeLeaseRenew by a thread of its own, for limits::kNodeLease by the database's clock.
// When that did not succeed until limits::kNodeLeaseMargin before the end (the database is away,
// the process stood still), `on_lost` is called once: the process should end while it still can do
// so in order. At the end held() is false for good: another process may have the number. The
// greatest id given is told with each renewal, so that the next holder begins above it whatever its
// clock says.
//
// Threading: held() and number() from any thread; `on_lost` comes on the lease's own thread. Owner:
// the directory. Shutdown: stop() gives the number back and joins; ids must not be given any more.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/entropy.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace parley::postgres {

// How long a lease lasts, and so on; not the limits' own in tests.
struct LeaseTimes {
    std::chrono::milliseconds lease, renew, margin; // margin: before the end, of `on_lost`
    static LeaseTimes usual();
};

class NodeLease {
public:
    // Takes the free number whose lease ended longest ago. Throws DatabaseError: unavailable, also
    // when no number is free. `node` names the process for people who look at the table.
    NodeLease(std::unique_ptr<Connection> database, std::string_view node, ports::Entropy& entropy,
              Logger& logger, Metrics& metrics, LeaseTimes times = LeaseTimes::usual());
    ~NodeLease();
    NodeLease(const NodeLease&) = delete;
    NodeLease& operator=(const NodeLease&) = delete;

    std::uint16_t number() const { return x_number; }
    // The least id that the number's earlier holders have not given.
    std::int64_t first_id() const { return x_first_id; }
    bool held() const;

    // Once. `last_id` and `on_lost` are called on the lease's thread.
    void start(std::function<std::int64_t()> last_id, std::function<void()> on_lost);
    void stop();

private:
    using Steady = std::chrono::steady_clock;
    void take();
    void work();
    bool renew(); // false: somebody else has the number
    void give_back();
    void tell_lost(std::string_view why);
    bool held_at(Steady::time_point then) const;
    void extend(Steady::time_point asked_at);

    std::unique_ptr<Connection> x_database;
    const std::string x_holder;
    Logger& x_logger;
    Counter& x_failures;
    Gauge& x_held_gauge;
    const LeaseTimes x_times;
    std::uint16_t x_number = 0;
    std::int64_t x_first_id = 0;
    std::function<std::int64_t()> x_last_id;
    std::function<void()> x_on_lost;

    std::atomic<bool> x_lost{false};
    std::atomic<Steady::rep> x_ends_at{0};
    std::mutex x_mutex;
    std::condition_variable x_wake;
    bool x_stopping = false; // guarded by x_mutex
    std::thread x_thread;
};

} // namespace parley::postgres
