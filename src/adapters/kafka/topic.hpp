// The topic: made when it is missing, and looked at before it is used, since a number of partitions
// that differs from the table of buckets would put rooms into the wrong order.
//
// Threading: at start, on the calling thread, for at most limits::kTopicTimeout. Errors:
// std::runtime_error for the operator.
#pragma once

#include "adapters/kafka/client.hpp"

#include <chrono>

namespace parley::kafka {

struct TopicSettings {
    ports::Partition partitions = 8;
    int replication = 1;
    // Of what is in PostgreSQL long since: it only has to outlast the longest outage of the stores.
    std::chrono::milliseconds retention = std::chrono::hours(24 * 7);
};

// Makes it unless it is there, then as check_topic(). For any number of processes at once.
void ensure_topic(const Settings& settings, const TopicSettings& topic, Logger& logger);
// Waits until every partition has a leader. Throws when their number is another one.
void check_topic(const Settings& settings, ports::Partition partitions, Logger& logger);

} // namespace parley::kafka
