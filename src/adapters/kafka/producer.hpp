// Producer: ports::DraftProducer on Kafka: idempotent, acks=all, so that what was acknowledged is
// on all replicas that count, once, in the order of the calls for each partition.
//
// The offset is -1 for a draft that Kafka has told a repeated attempt was there already. After a
// fatal error of librdkafka (its sequence is broken: the broker has lost what it acknowledged) what
// waits is refused and a new client goes on.
// Threading: produce() from any thread; `done` on the producer's thread (on the one that
// stops it, at the end). Owner: app/wiring, which
// outlives every `done`. Bounds: limits::kDraftQueue, kDraftQueueBytes, kProduceTimeout. Shutdown:
// stop() gives what waits limits::kProducerStop, refuses the rest, and joins: no `done` is left;
// later calls get shutting_down.
#pragma once

#include "adapters/kafka/client.hpp"
#include "base/metrics.hpp"

#include <atomic>
#include <shared_mutex>
#include <thread>

namespace parley::kafka {

class Producer final : public ports::DraftProducer {
public:
    Producer(Settings settings, Metrics& metrics, Logger& logger);
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    void produce(ports::Partition partition, std::string key, std::string value,
                 Done done) override;
    void stop();

private:
    static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);
    void make_client();
    void run();
    void replace();
    void end_client();

    const Settings x_settings;
    Logger& x_logger;
    Opaque x_opaque;
    std::shared_mutex x_mutex; // alone: whoever replaces the client
    Client x_client;
    Topic x_topic; // of the client, gone before it
    std::atomic<bool> x_stopping{false};
    Counter &x_produced, &x_failures, &x_refusals, &x_replaced;
    Gauge& x_waiting;
    Histogram& x_seconds;
    std::thread x_thread;
};

} // namespace parley::kafka
