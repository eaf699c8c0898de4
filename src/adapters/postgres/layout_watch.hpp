// LayoutWatch: tells a process when partitions have moved to another shard, and tells the directory
// which table this process goes by: what has moved away is removed only when all do.
//
// It looks at the epoch each limits::kLayoutLook, and reads the tables when it has grown. A failure
// is the next look's to make good.
//
// Threads: one, on which `follow` is called: it answers whether the process goes by the layout now.
// Threading: the rest on the owner's. Owner: app. Shutdown: stop() joins, and takes the process's
// row away.
#pragma once

#include "adapters/postgres/layout.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace parley::postgres {

struct LayoutWatchSettings {
    std::string target; // of the directory
    std::string node;   // of this process
    std::size_t shards = 0; // that it knows
    std::int64_t epoch = 0; // that it goes by
};

class LayoutWatch {
public:
    using Follow = std::function<bool(const Layout&)>;
    LayoutWatch(LayoutWatchSettings settings, Logger& log, Metrics& metrics);
    ~LayoutWatch() { stop(); }
    LayoutWatch(const LayoutWatch&) = delete;
    LayoutWatch& operator=(const LayoutWatch&) = delete;

    void start(Follow follow);
    void stop();
    // A partition is on its way: what walks through all shards waits.
    bool moving() const { return x_moving; }

private:
    void run();
    void look();
    void tell();

    const LayoutWatchSettings x_settings;
    Logger& x_log;
    Follow x_follow;
    Connection x_connection; // the thread's
    std::int64_t x_epoch, x_refused = 0;
    std::chrono::steady_clock::time_point x_tell_at{};
    std::atomic<bool> x_moving{false};
    Gauge &x_epoch_gauge, &x_moves_gauge;
    std::mutex x_mutex;
    std::condition_variable x_wake;
    bool x_stopping = false; // guarded by x_mutex
    std::thread x_thread;
};

} // namespace parley::postgres
