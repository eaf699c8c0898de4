#include "adapters/kafka/producer.hpp"

#include "base/cluster_limits.hpp"

#include <pthread.h>

namespace parley::kafka {

namespace {

constexpr int kPollMs = 100;

std::string ms(std::chrono::milliseconds time) { return std::to_string(time.count()); }

int whole_ms(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

} // namespace

Producer::Producer(Settings settings, Metrics& metrics, Logger& logger)
    : x_settings(std::move(settings)),
      x_logger(logger),
      x_opaque{logger, this},
      x_produced(metrics.counter("parley_log_produced_total", "Drafts that are in the log")),
      x_failures(metrics.counter("parley_log_produce_failures_total",
                                 "Drafts of which it is not known whether they are in the log")),
      x_refusals(
          metrics.counter("parley_log_produce_refused_total", "Drafts that a full queue refused")),
      x_replaced(metrics.counter("parley_log_producers_replaced_total",
                                 "Clients of Kafka given up after a fatal error")),
      x_waiting(metrics.gauge("parley_log_produce_queue", "Drafts on their way to the log")),
      x_seconds(metrics.histogram("parley_log_produce_seconds",
                                  "From a draft's coming to its being in the log",
                                  latency_bounds())) {
    make_client();
    x_thread = std::thread([this] { run(); });
    ::pthread_setname_np(x_thread.native_handle(), "producer");
}

Producer::~Producer() { stop(); }

void Producer::make_client() {
    Config config(x_settings);
    config.set("acks", "all")
        .set("enable.idempotence", "true")
        .set("linger.ms", "2")
        .set("message.timeout.ms", ms(limits::kProduceTimeout))
        .set("request.timeout.ms", ms(limits::kProduceTimeout))
        .set("message.max.bytes", std::to_string(limits::kDraftRecordBytes * 4))
        .set("queue.buffering.max.messages", std::to_string(limits::kDraftQueue))
        .set("queue.buffering.max.kbytes", std::to_string(limits::kDraftQueueBytes / 1024));
    rd_kafka_conf_set_dr_msg_cb(config.get(), on_delivery);
    x_client = config.make_client(RD_KAFKA_PRODUCER, x_opaque);
    x_topic.reset(rd_kafka_topic_new(x_client.get(), x_settings.topic.c_str(), nullptr));
}

void Producer::produce(ports::Partition partition, std::string key, std::string value, Done done) {
    if (value.size() > limits::kDraftRecordBytes)
        return done(Error(Errc::too_long, "the draft is too long for the log"));
    auto held = std::make_unique<Done>(std::move(done));
    rd_kafka_resp_err_t refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    {
        std::shared_lock lock(x_mutex);
        if (x_stopping) {
            lock.unlock();
            return (*held)(Error(Errc::shutting_down, "this process is going away"));
        }
        x_waiting.add(1);
        if (rd_kafka_produce(x_topic.get(), static_cast<std::int32_t>(partition),
                             RD_KAFKA_MSG_F_COPY, value.data(), value.size(), key.data(),
                             key.size(), held.get()) == 0) {
            static_cast<void>(held.release()); // on_delivery() has it
            return;
        }
        refused = rd_kafka_last_error();
        x_waiting.add(-1);
    }
    if (refused == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        x_refusals.add();
        return (*held)(Error(Errc::overloaded, "too many drafts are on their way to the log"));
    }
    x_failures.add();
    (*held)(unavailable(refused));
}

void Producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& self = *static_cast<Producer*>(static_cast<Opaque*>(opaque)->owner);
    const std::unique_ptr<Done> done(static_cast<Done*>(message->_private));
    self.x_waiting.add(-1);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        self.x_failures.add();
        return (*done)(unavailable(message->err));
    }
    self.x_produced.add();
    self.x_seconds.observe(static_cast<double>(rd_kafka_message_latency(message)) / 1e6);
    (*done)(message->offset >= 0 ? message->offset : -1);
}

void Producer::run() {
    // No other thread replaces the client, so this one needs no lock to look at it.
    while (!x_stopping) {
        rd_kafka_poll(x_client.get(), kPollMs);
        if (rd_kafka_fatal_error(x_client.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
            replace();
    }
}

void Producer::replace() {
    char why[512] = "";
    rd_kafka_fatal_error(x_client.get(), why, sizeof why);
    x_logger.error("kafka's producer has failed for good and is made anew", {{"why", why}});
    x_replaced.add();
    // What produce() adds to the old one before the lock is refused by it, and reported as failed.
    end_client();
    Client old_client;
    Topic old_topic;
    {
        std::unique_lock lock(x_mutex);
        old_topic = std::move(x_topic);
        old_client = std::move(x_client);
        make_client();
    }
    rd_kafka_flush(old_client.get(), whole_ms(limits::kProducerStop));
}

// Every draft that waits gets its answer.
void Producer::end_client() {
    rd_kafka_purge(x_client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(x_client.get(), whole_ms(limits::kProducerStop));
}

void Producer::stop() {
    {
        std::unique_lock lock(x_mutex);
        if (x_stopping) return;
        x_stopping = true;
    }
    x_thread.join();
    rd_kafka_flush(x_client.get(), whole_ms(limits::kProducerStop));
    end_client();
    x_topic.reset();
    x_client.reset();
}

} // namespace parley::kafka
