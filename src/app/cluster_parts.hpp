// What every process of a cluster is made of, from its settings: where Kafka, Redis and the
// databases are, the layout, the shards' pools.
//
// Threading: the owner's thread. Owner: app. Throws std::runtime_error for the operator.
#pragma once

#include "adapters/kafka/client.hpp"
#include "adapters/postgres/directory.hpp"
#include "adapters/postgres/pool.hpp"
#include "adapters/postgres/shard_map.hpp"
#include "adapters/redis/settings.hpp"
#include "adapters/s3/settings.hpp"
#include "app/settings.hpp"
#include "ports/bus.hpp"
#include "ports/draft_log.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace parley::app {

std::vector<std::string> shard_targets(const Settings& settings);
std::string cluster_node_name(const Settings& settings, const std::string& role);
kafka::Settings kafka_settings(const Settings& settings);
redis::Settings redis_settings(const Settings& settings);
s3::Settings s3_settings(const Settings& settings); // with an s3-endpoint

// For a process that only speaks on the bus.
class Deaf final : public ports::BusListener {
public:
    void on_bus_messages(std::vector<ports::BusMessage>) override {}
    void on_bus_state(bool) override {}
};

// Throws: the settings name shards that the directory does not know, or too few of those that have
// partitions.
void check_shards(const Settings& settings, const postgres::Layout& layout);

// The shards by the directory's layout, and where each partition is now. follow() on any thread.
class Shards {
public:
    Shards(const Settings& settings, const postgres::Layout& layout, Metrics& metrics);
    const postgres::ShardMap& map() const { return *x_map; }
    std::size_t shard_of(ports::Partition partition) const {
        return x_homes[partition].load(std::memory_order_acquire);
    }
    std::function<std::size_t(model::RoomId)> shard_of_room() const {
        return [map = x_map.get()](model::RoomId room) { return map->index_of(room); };
    }
    // False: it names a shard that this process does not know; nothing has changed.
    bool follow(const postgres::Layout& layout);
    std::vector<postgres::Pool*> pools() const;
    void stop();

private:
    std::vector<std::unique_ptr<postgres::Pool>> x_pools;
    std::unique_ptr<postgres::ShardMap> x_map;
    std::vector<std::atomic<std::uint16_t>> x_homes; // by partition
};

} // namespace parley::app
