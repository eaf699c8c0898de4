// Ends: ports::DraftLogEnds on Kafka. One thread asks for all partitions together (one request to
// each broker), and answers all calls that came before it began; those that come meanwhile share
// the next look.
//
// Threading: ends() from any core. Owner: app/wiring. Bounds: limits::kLogEndsTimeout for a look,
// limits::kLogEndsWaiting calls; then overloaded. Shutdown: stop() answers what waits with
// shutting_down, and joins.
#pragma once

#include "adapters/kafka/client.hpp"
#include "base/metrics.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace parley::kafka {

class Ends final : public ports::DraftLogEnds {
public:
    Ends(Settings settings, ports::Partition partitions, Metrics& metrics, Logger& logger);
    ~Ends();
    Ends(const Ends&) = delete;
    Ends& operator=(const Ends&) = delete;

    Task<Result<std::vector<std::int64_t>>> ends() override;
    void stop();

private:
    using Answer = Result<std::vector<std::int64_t>>;
    using Waiter = std::function<void(const Answer&)>;
    void add(Waiter waiter);
    void run();
    Answer look();
    Answer ask(std::chrono::steady_clock::duration limit);

    const Settings x_settings;
    const ports::Partition x_partitions;
    Opaque x_opaque;
    Client x_client;
    std::mutex x_mutex;
    std::condition_variable x_wake;
    std::vector<Waiter> x_waiting; // guarded by x_mutex
    bool x_stopping = false;       // guarded by x_mutex
    Counter &x_looks, &x_failures;
    Histogram& x_seconds;
    std::thread x_thread;
};

} // namespace parley::kafka
