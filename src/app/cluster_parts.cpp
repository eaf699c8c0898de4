#include "app/cluster_parts.hpp"

#include <boost/asio/ip/host_name.hpp>

#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace parley::app {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    while (from <= text.size()) {
        const std::size_t to = std::min(text.find(at, from), text.size());
        std::string part = text.substr(from, to - from);
        const std::size_t first = part.find_first_not_of(" \t\n");
        if (first != std::string::npos)
            parts.push_back(part.substr(first, part.find_last_not_of(" \t\n") - first + 1));
        from = to + 1;
    }
    return parts;
}

const std::string& needed(const std::string& value, const char* name) {
    if (value.empty())
        throw std::runtime_error(std::string("a cluster's process needs the setting ") + name);
    return value;
}

} // namespace

std::vector<std::string> shard_targets(const Settings& settings) {
    return split(needed(settings.cluster.shard_dbs, "shard-dbs"), ';');
}

std::string cluster_node_name(const Settings& settings, const std::string& role) {
    if (!settings.cluster.node_name.empty()) return settings.cluster.node_name;
    return role + "-" + boost::asio::ip::host_name() + "-" + std::to_string(settings.port);
}

kafka::Settings kafka_settings(const Settings& settings) {
    kafka::Settings kafka;
    kafka.brokers = needed(settings.cluster.kafka_brokers, "kafka-brokers");
    kafka.topic = settings.cluster.kafka_topic;
    for (const std::string& option : split(settings.cluster.kafka_options, ','))
        kafka.options.push_back(kafka::option_of(option));
    return kafka;
}

redis::Settings redis_settings(const Settings& settings) {
    redis::Settings redis;
    redis.addresses.clear();
    for (const std::string& text : split(settings.cluster.redis, ',')) {
        redis::Address address;
        const std::size_t colon = text.rfind(':');
        const char* const end = text.data() + text.size();
        if (colon == std::string::npos || colon == 0 ||
            std::from_chars(text.data() + colon + 1, end, address.port).ptr != end)
            throw std::runtime_error("setting redis: \"" + text + "\" is not HOST:PORT");
        address.host = text.substr(0, colon);
        redis.addresses.push_back(std::move(address));
    }
    if (redis.addresses.empty())
        throw std::runtime_error("a cluster's process needs the setting redis");
    redis.password = settings.cluster.redis_password;
    return redis;
}

s3::Settings s3_settings(const Settings& settings) {
    const FileSettings& files = settings.files;
    s3::Settings s3;
    s3.endpoint = files.s3_endpoint;
    s3.public_endpoint = files.s3_public_endpoint;
    s3.bucket = files.s3_bucket;
    s3.credentials.access_key = files.s3_access_key;
    s3.credentials.secret_key = files.s3_secret_key;
    s3.credentials.region = files.s3_region;
    s3.path_style = files.s3_path_style;
    s3.allowed_origins = settings.allowed_origins;
    using Kind = s3::CdnSettings::Kind;
    if (files.cdn == "edge") s3.cdn.kind = Kind::edge;
    if (files.cdn == "cloudfront") s3.cdn.kind = Kind::cloudfront;
    s3.cdn.url = files.cdn_url;
    s3.cdn.secret = files.cdn_secret;
    s3.cdn.key_id = files.cdn_key_id;
    s3.cdn.purge_url = files.cdn_purge_url;
    s3.cdn.window = std::chrono::seconds(files.cdn_window_s);
    if (s3.cdn.kind != Kind::cloudfront) return s3;
    std::ifstream key(files.cdn_key_file, std::ios::binary);
    s3.cdn.key_pem.assign(std::istreambuf_iterator<char>(key), {});
    if (!key || s3.cdn.key_pem.empty())
        throw std::runtime_error("setting cdn-key-file: " + files.cdn_key_file.string() +
                                 " cannot be read");
    return s3;
}

void check_shards(const Settings& settings, const postgres::Layout& layout) {
    const std::size_t known = shard_targets(settings).size();
    if (known > layout.shards)
        throw std::runtime_error("the directory knows " + std::to_string(layout.shards) +
                                 " shards, the setting shard-dbs names " + std::to_string(known) +
                                 ": run parley migrate");
    for (const std::uint16_t shard : layout.shard_of_partition)
        if (shard >= known)
            throw std::runtime_error("partitions are in shard " + std::to_string(shard) +
                                     ", which the setting shard-dbs does not name");
}

Shards::Shards(const Settings& settings, const postgres::Layout& layout, Metrics& metrics)
    : x_homes(layout.partitions()) {
    check_shards(settings, layout);
    const std::vector<std::string> targets = shard_targets(settings);
    for (std::size_t i = 0; i < targets.size(); ++i)
        x_pools.push_back(
            std::make_unique<postgres::Pool>("shard" + std::to_string(i), targets[i], metrics));
    x_map = std::make_unique<postgres::ShardMap>(pools(), layout.shard_of_bucket());
    follow(layout);
}

bool Shards::follow(const postgres::Layout& layout) {
    for (const std::uint16_t shard : layout.shard_of_partition)
        if (shard >= x_pools.size()) return false;
    x_map->assign(layout.shard_of_bucket());
    for (std::size_t i = 0; i < x_homes.size(); ++i)
        x_homes[i].store(layout.shard_of_partition[i], std::memory_order_release);
    return true;
}

std::vector<postgres::Pool*> Shards::pools() const {
    std::vector<postgres::Pool*> pools;
    for (const auto& pool : x_pools) pools.push_back(pool.get());
    return pools;
}

void Shards::stop() {
    for (const auto& pool : x_pools) pool->stop();
}

} // namespace parley::app
