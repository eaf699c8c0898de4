// `parley ingest`: sequences the partitions of the log that it is given, and stores what came of
// them. One ingest::ShardWorker for each shard, so that one that does not answer stops nobody
// else's partitions.
#include "adapters/kafka/consumer.hpp"
#include "adapters/kafka/producer.hpp"
#include "adapters/kafka/topic.hpp"
#include "adapters/postgres/layout.hpp"
#include "adapters/postgres/layout_watch.hpp"
#include "adapters/postgres/migrations.hpp"
#include "adapters/postgres/shard_store.hpp"
#include "adapters/redis/bus.hpp"
#include "app/cluster_parts.hpp"
#include "app/span_exporter.hpp"
#include "app/worker_application.hpp"
#include "app/trace_teller.hpp"
#include "ingest/shard_worker.hpp"

#include <mutex>
#include <set>

namespace parley::app {
namespace {

postgres::Layout read_layout(const Settings& settings) {
    postgres::Connection directory(settings.cluster.directory_db);
    postgres::check_schema(directory, postgres::kDirectorySteps);
    auto layout =
        postgres::load_layout(directory, settings.cluster.partitions,
                              static_cast<std::uint16_t>(shard_targets(settings).size()));
    check_shards(settings, layout);
    return layout;
}

class IngestWorker final : public Worker, public ports::DraftHandler {
public:
    explicit IngestWorker(const WorkerParts& parts);
    void start() override;
    std::vector<std::string> what_is_missing() const override;
    void stop() override;

    void on_assigned(std::vector<ports::Partition> partitions) override;
    void on_revoked(std::vector<ports::Partition> partitions) override;
    void on_records(ports::Partition partition, std::vector<ports::DraftRecord> records) override;
    void on_lost_records(ports::Partition partition, std::int64_t first_offset) override;

private:
    struct OfShard {
        explicit OfShard(const std::string& target)
            : reads(target), writes(target), takes(target) {}
        postgres::ShardStore reads, writes, takes;
        std::unique_ptr<ingest::ShardWorker> worker;
    };
    // Under x_mutex.
    ingest::ShardWorker& worker_of(ports::Partition partition) {
        return *x_shards[x_shard_of.at(partition)]->worker;
    }
    bool follow(const postgres::Layout& layout);
    void bury(ingest::DeadLetter letter);

    const WorkerParts x_parts;
    const postgres::Layout x_layout; // as it was at the start
    std::mutex x_mutex;
    std::vector<std::uint16_t> x_shard_of; // by partition, of now; guarded by x_mutex
    std::set<ports::Partition> x_assigned; // guarded by x_mutex
    postgres::LayoutWatch x_watch;
    redis::Bus x_bus;
    TraceTeller x_teller;
    const std::unique_ptr<otlp::Exporter> x_spans; // null: none are sent
    kafka::Producer x_dead_letters;
    kafka::Consumer x_consumer;
    std::vector<std::unique_ptr<OfShard>> x_shards;
    Counter& x_lost;
};

kafka::Settings dead_letters(const Settings& settings) {
    kafka::Settings kafka = kafka_settings(settings);
    kafka.topic += "-dead";
    return kafka;
}

IngestWorker::IngestWorker(const WorkerParts& parts)
    : x_parts(parts),
      x_layout(read_layout(parts.settings)),
      x_shard_of(x_layout.shard_of_partition),
      x_watch({.target = parts.settings.cluster.directory_db,
               .node = cluster_node_name(parts.settings, "ingest"),
               .shards = shard_targets(parts.settings).size(),
               .epoch = x_layout.epoch},
              parts.log, parts.metrics),
      x_bus(redis_settings(parts.settings), parts.metrics, parts.log),
      x_teller(cluster_node_name(parts.settings, "ingest"), parts.settings.trace_messages, x_bus),
      x_spans(make_span_exporter(parts.settings, "ingest",
                                 cluster_node_name(parts.settings, "ingest"), parts.log,
                                 parts.metrics)),
      x_dead_letters(dead_letters(parts.settings), parts.metrics, parts.log),
      x_consumer({.client = kafka_settings(parts.settings),
                  .session_timeout =
                      std::chrono::milliseconds(parts.settings.cluster.session_timeout_ms)},
                 parts.metrics, parts.log),
      x_lost(parts.metrics.counter("parley_ingest_lost_records_total",
                                   "Times that the log no longer had what was not stored yet")) {
    kafka::check_topic(kafka_settings(parts.settings),
                       static_cast<ports::Partition>(x_layout.partitions()), parts.log);
    const auto targets = shard_targets(parts.settings);
    for (std::size_t shard = 0; shard < targets.size(); ++shard) {
        OfShard& one = *x_shards.emplace_back(std::make_unique<OfShard>(targets[shard]));
        one.worker = std::make_unique<ingest::ShardWorker>(ingest::ShardWorkerParts{
            .shard = shard,
            .reads = one.reads,
            .writes = one.writes,
            .takes = one.takes,
            .bus = x_bus,
            .consumer = x_consumer,
            .clock = parts.clock,
            .bury = [this](ingest::DeadLetter letter) { bury(std::move(letter)); },
            .log = parts.log,
            .metrics = parts.metrics,
            .published = &x_teller.published(),
            .stored = &x_teller.stored(),
            .spans = x_spans.get()});
    }
}

void IngestWorker::start() {
    x_teller.start();
    x_bus.start(x_teller);
    for (const auto& one : x_shards) one->worker->start();
    x_consumer.join(*this);
    x_watch.start([this](const postgres::Layout& layout) { return follow(layout); });
}

void IngestWorker::on_assigned(std::vector<ports::Partition> partitions) {
    const std::lock_guard lock(x_mutex);
    for (const ports::Partition partition : partitions) {
        x_assigned.insert(partition);
        worker_of(partition).assign(partition);
    }
}

void IngestWorker::on_revoked(std::vector<ports::Partition> partitions) {
    const std::lock_guard lock(x_mutex);
    for (const ports::Partition partition : partitions) {
        x_assigned.erase(partition);
        worker_of(partition).revoke(partition);
    }
}

void IngestWorker::on_records(ports::Partition partition,
                              std::vector<ports::DraftRecord> records) {
    const std::lock_guard lock(x_mutex);
    worker_of(partition).add(partition, std::move(records));
}

// A partition that is in another shard now is that shard's worker's: it takes it over there and
// begins to read where the rows end.
bool IngestWorker::follow(const postgres::Layout& layout) {
    const std::lock_guard lock(x_mutex);
    for (const std::uint16_t shard : layout.shard_of_partition)
        if (shard >= x_shards.size()) return false;
    for (ports::Partition partition = 0; partition < x_shard_of.size(); ++partition) {
        if (x_shard_of[partition] == layout.shard_of_partition[partition]) continue;
        const bool ours = x_assigned.contains(partition);
        if (ours) worker_of(partition).revoke(partition);
        x_shard_of[partition] = layout.shard_of_partition[partition];
        if (ours) worker_of(partition).assign(partition);
    }
    return true;
}

// Bounded by the producer: what does not fit is in this process's log, and still in the topic.
void IngestWorker::bury(ingest::DeadLetter letter) {
    const std::string key =
        std::to_string(letter.partition) + ":" + std::to_string(letter.offset) + ": " +
        letter.reason;
    x_dead_letters.produce(0, key, std::move(letter.value), [this, key](Result<std::int64_t> put) {
        if (!put) x_parts.log.error("a dead letter could not be kept", {{"record", key}});
    });
}

void IngestWorker::on_lost_records(ports::Partition partition, std::int64_t first_offset) {
    x_lost.add();
    x_parts.log.error(
        "the log no longer has what was not stored yet; the partition stands still",
        {{"partition", partition}, {"log_begins_at", first_offset}});
}

std::vector<std::string> IngestWorker::what_is_missing() const {
    std::vector<std::string> missing;
    if (!x_bus.connected()) missing.push_back("the bus is not there");
    for (std::size_t shard = 0; shard < x_shards.size(); ++shard)
        if (!x_shards[shard]->worker->ready())
            missing.push_back("partitions of shard " + std::to_string(shard) +
                              " are not taken over yet");
    return missing;
}

void IngestWorker::stop() {
    x_watch.stop();
    x_consumer.stop();
    for (const auto& one : x_shards) one->worker->stop();
    x_dead_letters.stop();
    x_bus.stop();
    if (x_spans) x_spans->stop();
}

} // namespace

std::unique_ptr<Worker> make_ingest_worker(const WorkerParts& parts) {
    return std::make_unique<IngestWorker>(parts);
}

} // namespace parley::app
