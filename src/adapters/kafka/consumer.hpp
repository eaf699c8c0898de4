// Consumer: ports::DraftConsumer on Kafka: one member of a group that shares the partitions of the
// topic (cooperative-sticky: who keeps a partition does not notice a change). Kafka's own offsets
// count for nothing but displays: start() says where to begin.
//
// One thread polls, calls the handler and obeys start(), pause() and resume(). A partition is given
// to librdkafka with its offset at start() only, so there is nothing of it to be read before. Each
// turn reads until nothing is left or limits::kConsumerBatch records are there, and hands them on
// per partition. A handler may call start(), pause() and resume() from inside its calls.
//
// on_lost_records comes, and the partition stands still until the next start(), when the log does
// not have the offset that is next: it begins after it (retention), or ends before it (this is
// another log), or has a hole there. `first_offset` is where there are records.
//
// Threading: as the port says. Owner: app/wiring; the handler outlives stop(). Bounds: see above,
// and limits::kConsumerReadAheadKib; a handler that takes limits::kConsumerStall loses its
// partitions. Shutdown: stop() gives all partitions up (on_revoked) and leaves the group, so that
// others go on at once, and joins.
#pragma once

#include "adapters/kafka/client.hpp"
#include "base/metrics.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace parley::kafka {

struct ConsumerSettings {
    Settings client;
    std::string group = "parley-ingest";
    // A member that was not heard for so long is dead, and others get its partitions. At least the
    // broker's group.min.session.timeout.ms.
    std::chrono::milliseconds session_timeout{2000};
};

class Consumer final : public ports::DraftConsumer {
public:
    Consumer(ConsumerSettings settings, Metrics& metrics, Logger& logger);
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    // Once: joins the group.
    void join(ports::DraftHandler& handler);
    void stop();

    void start(ports::Partition partition, std::int64_t offset) override;
    void pause(ports::Partition partition) override;
    void resume(ports::Partition partition) override;
    void note_stored(ports::Partition partition, std::int64_t next_offset) override;

private:
    struct Owned { // a partition that is ours
        bool started = false;
        std::int64_t next = 0; // the offset that must come
        std::vector<ports::DraftRecord> read;
        bool lost = false;
        std::optional<std::int64_t> first_offset; // of a lost one, if it is known
    };
    struct Wish { // what other threads have asked for, the newest
        std::optional<std::int64_t> start;
        std::optional<bool> paused;
    };
    static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                             rd_kafka_topic_partition_list_t* partitions, void* opaque);

    void run();
    void read();
    void take(const rd_kafka_message_t& message);
    void hand_over();
    void report_lost();
    void obey();
    void commit_stored();
    void assign(std::vector<ports::Partition> partitions);
    void revoke(std::vector<ports::Partition> partitions);
    void revoke_all();
    void add(ports::Partition partition, std::int64_t offset);
    void give_up(const std::vector<ports::Partition>& partitions);
    void set_paused(ports::Partition partition, bool paused);
    void lose(Owned& owned, std::optional<std::int64_t> first_offset);
    void wake();
    Partitions list_of(const std::vector<ports::Partition>& partitions) const;
    void complain(const char* doing, rd_kafka_error_t* error);

    const ConsumerSettings x_settings;
    Logger& x_logger;
    Opaque x_opaque;
    Client x_client;
    Queue x_queue; // of the client: what wakes its poll
    ports::DraftHandler* x_handler = nullptr;
    std::map<ports::Partition, Owned> x_owned; // of the thread
    std::size_t x_batch = 0;                   // records read and not handed over
    std::mutex x_mutex;
    std::map<ports::Partition, Wish> x_wishes;         // guarded by x_mutex
    std::map<ports::Partition, std::int64_t> x_stored; // guarded by x_mutex
    std::chrono::steady_clock::time_point x_commit_at{};
    std::atomic<bool> x_stopping{false};
    bool x_complained_of_time = false;
    Counter &x_consumed, &x_rebalances, &x_losses, &x_errors;
    Gauge& x_partitions;
    std::thread x_thread;
};

} // namespace parley::kafka
