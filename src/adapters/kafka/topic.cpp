#include "adapters/kafka/topic.hpp"

#include "base/cluster_limits.hpp"

#include <stdexcept>
#include <thread>

namespace parley::kafka {

namespace {

using NewTopic = Handle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using AdminOptions = Handle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using Time = std::chrono::steady_clock::time_point;

constexpr int kAttemptMs = 5'000;
constexpr auto kPause = std::chrono::milliseconds(100);

NewTopic describe(const Settings& settings, const TopicSettings& topic) {
    char why[512] = "";
    NewTopic made(rd_kafka_NewTopic_new(settings.topic.c_str(), static_cast<int>(topic.partitions),
                                        topic.replication, why, sizeof why));
    if (!made) throw std::runtime_error("the topic " + settings.topic + ": " + why);
    auto set = [&made](const char* name, const std::string& value) {
        rd_kafka_NewTopic_set_config(made.get(), name, value.c_str());
    };
    // The broker's clock: one that all readers see the same, and that ids are made of.
    set("message.timestamp.type", "LogAppendTime");
    set("cleanup.policy", "delete");
    set("retention.ms", std::to_string(topic.retention.count()));
    // What was acknowledged stands on one broker more than may die.
    set("min.insync.replicas", std::to_string(topic.replication > 2 ? 2 : 1));
    set("unclean.leader.election.enable", "false");
    return made;
}

// One attempt. Empty: it is there now.
std::string make_once(rd_kafka_t* client, rd_kafka_NewTopic_t* topic) {
    const Queue queue(rd_kafka_queue_new(client));
    const AdminOptions options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
    char why[512];
    rd_kafka_AdminOptions_set_request_timeout(options.get(), kAttemptMs, why, sizeof why);
    rd_kafka_CreateTopics(client, &topic, 1, options.get(), queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), 2 * kAttemptMs));
    if (!event) return "no answer";
    if (rd_kafka_event_error(event.get())) return rd_kafka_event_error_string(event.get());
    std::size_t count = 0;
    const auto* results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    if (count != 1) return "no answer";
    const auto code = rd_kafka_topic_result_error(results[0]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return {};
    const char* said = rd_kafka_topic_result_error_string(results[0]);
    return said ? said : rd_kafka_err2str(code);
}

// Empty: as it should be.
std::string look_once(rd_kafka_t* client, const Settings& settings, ports::Partition partitions) {
    const Topic topic(rd_kafka_topic_new(client, settings.topic.c_str(), nullptr));
    const rd_kafka_metadata_t* raw = nullptr;
    const auto failed = rd_kafka_metadata(client, 0, topic.get(), &raw, kAttemptMs);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_kafka_err2str(failed);
    const Handle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy> metadata(raw);
    if (metadata->topic_cnt != 1) return "no answer";
    const rd_kafka_metadata_topic_t& found = metadata->topics[0];
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_kafka_err2str(found.err);
    if (found.partition_cnt != static_cast<int>(partitions))
        throw std::runtime_error("the topic " + settings.topic + " has " +
                                 std::to_string(found.partition_cnt) + " partitions in place of " +
                                 std::to_string(partitions));
    for (int i = 0; i < found.partition_cnt; ++i)
        if (found.partitions[i].leader < 0) return "a partition has no leader";
    return {};
}

// Until `attempt` answers with an empty text.
template <class Attempt>
void insist(const Settings& settings, Time deadline, Attempt attempt) {
    for (;;) {
        const std::string why = attempt();
        if (why.empty()) return;
        if (std::chrono::steady_clock::now() >= deadline)
            throw std::runtime_error("the topic " + settings.topic + " at " + settings.brokers +
                                     ": " + why);
        std::this_thread::sleep_for(kPause);
    }
}

} // namespace

void ensure_topic(const Settings& settings, const TopicSettings& topic, Logger& logger) {
    const Time deadline = std::chrono::steady_clock::now() + limits::kTopicTimeout;
    Opaque opaque{logger};
    const Client client = Config(settings).make_client(RD_KAFKA_PRODUCER, opaque);
    const NewTopic made = describe(settings, topic);
    insist(settings, deadline, [&] { return make_once(client.get(), made.get()); });
    insist(settings, deadline, [&] { return look_once(client.get(), settings, topic.partitions); });
}

void check_topic(const Settings& settings, ports::Partition partitions, Logger& logger) {
    const Time deadline = std::chrono::steady_clock::now() + limits::kTopicTimeout;
    Opaque opaque{logger};
    const Client client = Config(settings).make_client(RD_KAFKA_PRODUCER, opaque);
    insist(settings, deadline, [&] { return look_once(client.get(), settings, partitions); });
}

} // namespace parley::kafka
