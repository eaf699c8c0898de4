// The log of drafts, in place of Kafka: partitions with a time of append that may step back, a
// broker that may be down, producers that do not know what became of a record.
//
// Owner: the cluster. A producer's process may be gone when its answer comes.
#pragma once

#include "ports/draft_log.hpp"
#include "tests/sim/cluster/weather.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace parley::sim {

class DraftLog {
public:
    DraftLog(Weather& weather, ports::Partition partitions);

    std::int64_t append(ports::Partition partition, std::string value);
    // At most `most` records from there.
    std::vector<ports::DraftRecord> read(ports::Partition partition, std::int64_t from,
                                         std::size_t most) const;
    std::int64_t end(ports::Partition partition) const {
        return static_cast<std::int64_t>(x_partitions[partition].size());
    }
    ports::Partition partitions() const {
        return static_cast<ports::Partition>(x_partitions.size());
    }
    void on_append(std::function<void(ports::Partition)> listener) {
        x_listener = std::move(listener);
    }
    bool up() const { return x_up; }
    void set_up(bool up) {
        outages += x_up && !up;
        x_up = up;
    }
    std::uint64_t outages = 0;
    std::int64_t produce_timeout_ms = 8'000;
    VirtualClock clock; // the broker's

private:
    Weather& x_weather;
    bool x_up = true;
    std::vector<std::vector<ports::DraftRecord>> x_partitions;
    std::function<void(ports::Partition)> x_listener;
};

class LogProducer final : public ports::DraftProducer {
public:
    LogProducer(Weather& weather, DraftLog& log, Process& process);
    void produce(ports::Partition partition, std::string key, std::string value,
                 Done done) override;

private:
    struct Waiting {
        std::string value;
        Done done;
        std::int64_t deadline_ms = 0;
    };
    struct Queue {
        std::deque<Waiting> records;
        Pipe pipe;
        bool trying = false;
    };
    void send(ports::Partition partition);
    void try_later(ports::Partition partition, std::int64_t at_ms);
    void answer(std::int64_t after_ms, Done done, Result<std::int64_t> offset);

    Weather& x_weather;
    DraftLog& x_log;
    Process& x_process;
    std::vector<Queue> x_queues;
};

} // namespace parley::sim
