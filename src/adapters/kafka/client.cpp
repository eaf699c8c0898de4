#include "adapters/kafka/client.hpp"

#include <stdexcept>
#include <syslog.h>

namespace parley::kafka {

namespace {

void write_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    Logger& logger = static_cast<Opaque*>(rd_kafka_opaque(client))->logger;
    // A broker that is away is no error of this process, and librdkafka says it as one.
    const LogLevel own = level <= LOG_CRIT      ? LogLevel::error
                         : level <= LOG_WARNING ? LogLevel::warning
                                                : LogLevel::debug;
    logger.write(own, "kafka", {{"facility", facility}, {"says", text}});
}

} // namespace

Option option_of(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        throw std::runtime_error("an option of Kafka's client is not name=value");
    return {text.substr(0, equals), text.substr(equals + 1)};
}

Config::Config(const Settings& settings)
    : x_conf(rd_kafka_conf_new()), x_options(settings.options) {
    set("bootstrap.servers", settings.brokers);
    set("client.id", "parley");
    set("socket.nagle.disable", "true");
    set("socket.timeout.ms", "5000");
    set("socket.connection.setup.timeout.ms", "2000");
    set("reconnect.backoff.ms", "50");
    set("reconnect.backoff.max.ms", "500");
    set("log.connection.close", "false");
    rd_kafka_conf_set_log_cb(x_conf.get(), write_log);
}

Config& Config::set(const std::string& name, const std::string& value) {
    apply({name, value});
    return *this;
}

void Config::apply(const Option& option) {
    char why[512];
    if (rd_kafka_conf_set(x_conf.get(), option.first.c_str(), option.second.c_str(), why,
                          sizeof why) != RD_KAFKA_CONF_OK)
        throw std::runtime_error("Kafka's client does not take the option " + option.first);
}

Client Config::make_client(rd_kafka_type_t type, Opaque& opaque) {
    for (const Option& option : x_options) apply(option);
    rd_kafka_conf_set_opaque(x_conf.get(), &opaque);
    char why[512];
    Client client(rd_kafka_new(type, x_conf.get(), why, sizeof why));
    if (!client) throw std::runtime_error("no client of Kafka: " + std::string(why));
    static_cast<void>(x_conf.release()); // the client has taken it
    return client;
}

Partitions partition_list(int size) { return Partitions(rd_kafka_topic_partition_list_new(size)); }

Error unavailable(rd_kafka_resp_err_t code) {
    return {Errc::unavailable, "the log: " + std::string(rd_kafka_err2str(code))};
}

} // namespace parley::kafka
