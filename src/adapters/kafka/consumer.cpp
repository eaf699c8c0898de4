#include "adapters/kafka/consumer.hpp"

#include "base/assert.hpp"
#include "base/cluster_limits.hpp"

#include <pthread.h>

namespace parley::kafka {

namespace {

constexpr int kPollMs = 100;

std::string ms(std::chrono::milliseconds time) { return std::to_string(time.count()); }

std::vector<ports::Partition> numbers_of(const rd_kafka_topic_partition_list_t& list) {
    std::vector<ports::Partition> numbers;
    for (int i = 0; i < list.cnt; ++i)
        numbers.push_back(static_cast<ports::Partition>(list.elems[i].partition));
    return numbers;
}

} // namespace

Consumer::Consumer(ConsumerSettings settings, Metrics& metrics, Logger& logger)
    : x_settings(std::move(settings)),
      x_logger(logger),
      x_opaque{logger, this},
      x_consumed(metrics.counter("parley_log_consumed_total", "Drafts read from the log")),
      x_rebalances(metrics.counter("parley_log_rebalances_total",
                                   "Times that partitions were given or taken")),
      x_losses(metrics.counter("parley_log_lost_total",
                               "Partitions whose next record the log does not have")),
      x_errors(metrics.counter("parley_log_consume_errors_total", "Errors that Kafka reported")),
      x_partitions(metrics.gauge("parley_log_partitions", "Partitions that are this process's")) {
    Config config(x_settings.client);
    config.set("group.id", x_settings.group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", ms(x_settings.session_timeout))
        .set("heartbeat.interval.ms", "250")
        .set("max.poll.interval.ms", ms(limits::kConsumerStall))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.min.bytes", "1")
        .set("fetch.error.backoff.ms", "100")
        .set("queued.max.messages.kbytes", std::to_string(limits::kConsumerReadAheadKib));
    rd_kafka_conf_set_rebalance_cb(config.get(), on_rebalance);
    x_client = config.make_client(RD_KAFKA_CONSUMER, x_opaque);
    rd_kafka_poll_set_consumer(x_client.get());
    x_queue.reset(rd_kafka_queue_get_consumer(x_client.get()));
}

Consumer::~Consumer() { stop(); }

void Consumer::join(ports::DraftHandler& handler) {
    PARLEY_ASSERT(!x_handler);
    x_handler = &handler;
    x_thread = std::thread([this] { run(); });
    ::pthread_setname_np(x_thread.native_handle(), "consumer");
}

void Consumer::stop() {
    x_stopping = true;
    wake();
    if (x_thread.joinable()) x_thread.join();
}

void Consumer::start(ports::Partition partition, std::int64_t offset) {
    {
        std::lock_guard lock(x_mutex);
        x_wishes[partition] = {.start = offset, .paused = std::nullopt};
    }
    wake();
}

void Consumer::pause(ports::Partition partition) {
    {
        std::lock_guard lock(x_mutex);
        x_wishes[partition].paused = true;
    }
    wake();
}

void Consumer::resume(ports::Partition partition) {
    {
        std::lock_guard lock(x_mutex);
        x_wishes[partition].paused = false;
    }
    wake();
}

void Consumer::note_stored(ports::Partition partition, std::int64_t next_offset) {
    std::lock_guard lock(x_mutex);
    x_stored[partition] = next_offset;
}

void Consumer::wake() {
    if (x_queue) rd_kafka_queue_yield(x_queue.get());
}

void Consumer::run() {
    const Partitions topics = partition_list();
    rd_kafka_topic_partition_list_add(topics.get(), x_settings.client.topic.c_str(),
                                      RD_KAFKA_PARTITION_UA);
    const auto failed = rd_kafka_subscribe(x_client.get(), topics.get());
    PARLEY_ASSERT(failed == RD_KAFKA_RESP_ERR_NO_ERROR); // it only takes the wish
    while (!x_stopping) {
        obey();
        read();
        hand_over();
        report_lost();
        commit_stored();
    }
    rd_kafka_consumer_close(x_client.get()); // calls on_rebalance()
    revoke_all();
}

void Consumer::read() {
    // hand_over() runs after each read, so what was read last is never kept back by a full batch.
    for (int wait_ms = kPollMs; x_batch < limits::kConsumerBatch; wait_ms = 0) {
        const Message message(rd_kafka_consumer_poll(x_client.get(), wait_ms));
        if (!message) return;
        take(*message);
    }
}

void Consumer::take(const rd_kafka_message_t& message) {
    const auto found = x_owned.find(static_cast<ports::Partition>(message.partition));
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
            if (found != x_owned.end() && found->second.started) lose(found->second, std::nullopt);
            return;
        }
        x_errors.add();
        const char* said = rd_kafka_message_errstr(&message);
        return x_logger.warning("kafka's consumer", {{"says", said ? said : ""}});
    }
    if (found == x_owned.end() || !found->second.started || found->second.lost) return;
    Owned& owned = found->second;
    if (message.offset < owned.next) return; // read before a pause
    if (message.offset > owned.next) return lose(owned, message.offset);
    rd_kafka_timestamp_type_t type{};
    const std::int64_t at = rd_kafka_message_timestamp(&message, &type);
    if (type != RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME && !x_complained_of_time) {
        x_complained_of_time = true;
        x_logger.error("the topic's message.timestamp.type is not LogAppendTime",
                       {{"topic", std::string_view(x_settings.client.topic)}});
    }
    ports::DraftRecord& record = owned.read.emplace_back();
    record.offset = message.offset;
    record.at.ms = at;
    record.value.assign(static_cast<const char*>(message.payload), message.len);
    owned.next = message.offset + 1;
    ++x_batch;
}

void Consumer::hand_over() {
    if (x_batch == 0) return;
    x_consumed.add(x_batch);
    x_batch = 0;
    // A handler cannot change x_owned: partitions come and go inside a poll only.
    for (auto& [partition, owned] : x_owned)
        if (!owned.read.empty()) x_handler->on_records(partition, std::exchange(owned.read, {}));
}

void Consumer::lose(Owned& owned, std::optional<std::int64_t> first_offset) {
    owned.lost = true;
    owned.first_offset = first_offset;
}

void Consumer::report_lost() {
    for (auto& [partition, owned] : x_owned) {
        if (!owned.lost) continue;
        std::int64_t first = 0, end = 0;
        if (owned.first_offset) {
            first = *owned.first_offset;
        } else if (rd_kafka_query_watermark_offsets(
                       x_client.get(), x_settings.client.topic.c_str(),
                       static_cast<std::int32_t>(partition), &first, &end,
                       static_cast<int>(
                           std::chrono::milliseconds(limits::kLogEndsTimeout).count())) !=
                   RD_KAFKA_RESP_ERR_NO_ERROR) {
            continue; // it stands still; asked again after the next turn
        }
        x_losses.add();
        x_logger.error("the log does not have the next record of a partition",
                       {{"partition", partition}, {"next", owned.next}, {"first", first}});
        give_up({partition});
        owned.lost = owned.started = false;
        x_handler->on_lost_records(partition, first);
    }
}

void Consumer::obey() {
    std::map<ports::Partition, Wish> wishes;
    {
        std::lock_guard lock(x_mutex);
        wishes.swap(x_wishes);
    }
    for (const auto& [partition, wish] : wishes) {
        const auto found = x_owned.find(partition);
        if (found == x_owned.end()) continue; // taken away meanwhile
        if (wish.start) {
            if (found->second.started) give_up({partition});
            found->second = {};
            found->second.started = true;
            found->second.next = *wish.start;
            add(partition, *wish.start);
            set_paused(partition, false); // as it may have been for its last owner here
        }
        if (wish.paused && found->second.started) set_paused(partition, *wish.paused);
    }
}

void Consumer::commit_stored() {
    const auto now = std::chrono::steady_clock::now();
    if (now < x_commit_at) return;
    x_commit_at = now + limits::kConsumerCommit;
    std::map<ports::Partition, std::int64_t> stored;
    {
        std::lock_guard lock(x_mutex);
        stored.swap(x_stored);
    }
    const Partitions list = partition_list(static_cast<int>(stored.size()));
    for (const auto& [partition, offset] : stored)
        if (x_owned.contains(partition))
            rd_kafka_topic_partition_list_add(list.get(), x_settings.client.topic.c_str(),
                                              static_cast<std::int32_t>(partition))
                ->offset = offset;
    // Not waited for: whatever becomes of it, the next one says more.
    if (list->cnt > 0) rd_kafka_commit(x_client.get(), list.get(), 1);
}

void Consumer::on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                            rd_kafka_topic_partition_list_t* partitions, void* opaque) {
    auto& self = *static_cast<Consumer*>(static_cast<Opaque*>(opaque)->owner);
    self.x_rebalances.add();
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        self.assign(numbers_of(*partitions));
    } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        self.revoke(numbers_of(*partitions));
    } else {
        self.x_errors.add();
        self.x_logger.warning("kafka's group", {{"says", rd_kafka_err2str(code)}});
        self.revoke_all();
        rd_kafka_assign(client, nullptr); // as librdkafka asks
    }
}

void Consumer::assign(std::vector<ports::Partition> partitions) {
    for (const ports::Partition partition : partitions) x_owned[partition] = {};
    x_partitions.set(static_cast<std::int64_t>(x_owned.size()));
    // librdkafka gets them one by one, at start(); here it waits for the call alone.
    const Partitions none = partition_list();
    complain("assign", rd_kafka_incremental_assign(x_client.get(), none.get()));
    if (!partitions.empty()) x_handler->on_assigned(std::move(partitions));
}

void Consumer::revoke(std::vector<ports::Partition> partitions) {
    std::vector<ports::Partition> started;
    for (const ports::Partition partition : partitions) {
        const auto found = x_owned.find(partition);
        if (found == x_owned.end()) continue;
        if (found->second.started) started.push_back(partition);
        x_batch -= found->second.read.size();
        x_owned.erase(found);
    }
    x_partitions.set(static_cast<std::int64_t>(x_owned.size()));
    {
        std::lock_guard lock(x_mutex);
        for (const ports::Partition partition : partitions) {
            x_wishes.erase(partition);
            x_stored.erase(partition);
        }
    }
    x_handler->on_revoked(std::move(partitions));
    give_up(started);
}

void Consumer::revoke_all() {
    if (x_owned.empty()) return;
    std::vector<ports::Partition> all;
    for (const auto& [partition, owned] : x_owned) all.push_back(partition);
    revoke(std::move(all));
}

void Consumer::add(ports::Partition partition, std::int64_t offset) {
    const Partitions list = list_of({partition});
    list->elems[0].offset = offset;
    complain("assign", rd_kafka_incremental_assign(x_client.get(), list.get()));
}

void Consumer::give_up(const std::vector<ports::Partition>& partitions) {
    complain("unassign", rd_kafka_incremental_unassign(x_client.get(), list_of(partitions).get()));
}

void Consumer::set_paused(ports::Partition partition, bool paused) {
    const Partitions list = list_of({partition});
    if (paused)
        rd_kafka_pause_partitions(x_client.get(), list.get());
    else
        rd_kafka_resume_partitions(x_client.get(), list.get());
}

Partitions Consumer::list_of(const std::vector<ports::Partition>& partitions) const {
    Partitions list = partition_list(static_cast<int>(partitions.size()));
    for (const ports::Partition partition : partitions)
        rd_kafka_topic_partition_list_add(list.get(), x_settings.client.topic.c_str(),
                                          static_cast<std::int32_t>(partition));
    return list;
}

void Consumer::complain(const char* doing, rd_kafka_error_t* error) {
    const Failure failure(error);
    if (!failure) return;
    x_errors.add();
    x_logger.error("kafka's consumer",
                   {{"doing", doing}, {"says", rd_kafka_error_string(failure.get())}});
}

} // namespace parley::kafka
