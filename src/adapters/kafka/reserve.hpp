// Reserve: how near the log is to deleting what no shard has yet. Each look asks Kafka for the
// topic's retention.ms, for what the workers have stored (the group's committed offsets, which
// never run ahead of the shards), and for the first record younger than limits::kReserveShort of
// the retention. A partition whose stored position lies before that one is short: nothing more may
// go into it until its shard is back, or what was acknowledged would be deleted unread.
//
// Threads: one, which looks. Threading: is_short() from any thread. Owner: app. A look that fails
// changes nothing, and is counted. Shutdown: stop() joins, after a call that may take
// limits::kReserveTimeout.
#pragma once

#include "adapters/kafka/client.hpp"
#include "base/metrics.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace parley::kafka {

struct ReserveSettings {
    Settings client;
    std::string group = "parley-ingest";
    ports::Partition partitions = 0;
};

class Reserve {
public:
    Reserve(ReserveSettings settings, Metrics& metrics, Logger& logger);
    ~Reserve() { stop(); }
    Reserve(const Reserve&) = delete;
    Reserve& operator=(const Reserve&) = delete;

    bool is_short(ports::Partition partition) const {
        return x_short[partition].load(std::memory_order_relaxed);
    }
    void stop();

private:
    using Time = std::chrono::milliseconds; // since 1970, or how long
    using Offsets = std::optional<std::vector<std::int64_t>>;
    void run();
    void look();
    std::optional<Time> retention() const; // zero: for ever
    Offsets stored() const;
    Offsets offsets_at(std::int64_t time) const;
    // By partition, the first record that came at `since` or later; the end where there is none.
    Offsets first_since(Time since) const;
    Time pause() const;

    const ReserveSettings x_settings;
    Opaque x_opaque;
    Logger& x_logger;
    Client x_client;
    Time x_retention{};
    std::vector<std::atomic<bool>> x_short;
    Gauge &x_aging, &x_closed;
    Counter& x_failures;
    std::mutex x_mutex;
    std::condition_variable x_wake;
    bool x_stopping = false; // guarded by x_mutex
    std::thread x_thread;
};

} // namespace parley::kafka
