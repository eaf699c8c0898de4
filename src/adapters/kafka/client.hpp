// What all clients of Kafka share: where it is, handles that free themselves, and its log lines.
// Threading: make_client() from any thread; librdkafka's own threads write to the logger. A setting
// that librdkafka does not take is a std::runtime_error for the operator; values are not shown.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "ports/draft_log.hpp"

#include <librdkafka/rdkafka.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace parley::kafka {

using Option = std::pair<std::string, std::string>; // of librdkafka, as in its CONFIGURATION.md

struct Settings {
    std::string brokers; // host:port, separated by commas
    std::string topic = "room-events";
    // What the product does not know of: security.protocol, sasl.*, ssl.ca.location, …
    std::vector<Option> options;
};

// "name=value" as it stands in a setting; throws std::runtime_error without a name.
Option option_of(const std::string& text);

template <class T, void (*destroy)(T*)>
struct Free {
    void operator()(T* handle) const { destroy(handle); }
};
template <class T, void (*destroy)(T*)>
using Handle = std::unique_ptr<T, Free<T, destroy>>;

using Client = Handle<rd_kafka_t, rd_kafka_destroy>;
using Topic = Handle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using Queue = Handle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Event = Handle<rd_kafka_event_t, rd_kafka_event_destroy>;
using Message = Handle<rd_kafka_message_t, rd_kafka_message_destroy>;
using Partitions = Handle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Failure = Handle<rd_kafka_error_t, rd_kafka_error_destroy>;

// What a client's callbacks find in its opaque pointer; outlives the client.
struct Opaque {
    Logger& logger;
    void* owner = nullptr;
};

class Config {
public:
    explicit Config(const Settings& settings);
    Config& set(const std::string& name, const std::string& value);
    rd_kafka_conf_t* get() const { return x_conf.get(); }
    // Once; what the operator's options name wins over set().
    Client make_client(rd_kafka_type_t type, Opaque& opaque);

private:
    void apply(const Option& option);
    Handle<rd_kafka_conf_t, rd_kafka_conf_destroy> x_conf;
    const std::vector<Option> x_options;
};

Partitions partition_list(int size = 1);
Error unavailable(rd_kafka_resp_err_t code);

} // namespace parley::kafka
