// Layout: where rooms are. A room is in one of limits::kBuckets buckets for ever; a table says
// which partition of the log a bucket has, and which shard of the store a partition has. The
// directory keeps both tables, so that all processes see the same; the first process fills them.
// Buckets keep their partition; a partition may move to another shard (partition_move.hpp), with
// which the epoch grows (layout_watch.hpp tells).
//
// Threading: a plain value.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <vector>

namespace parley::postgres {

struct Layout {
    std::vector<std::uint32_t> partition_of_bucket; // limits::kBuckets of them
    std::vector<std::uint16_t> shard_of_partition;
    std::size_t shards = 0;
    std::int64_t epoch = 0;

    std::size_t partitions() const { return shard_of_partition.size(); }
    std::uint32_t partition_of(model::RoomId room) const;
    std::uint16_t shard_of(model::RoomId room) const {
        return shard_of_partition[partition_of(room)];
    }
    // By bucket.
    std::vector<std::uint16_t> shard_of_bucket() const;
};

// What the directory says. Where it says nothing yet: bucket b in partition b % partitions,
// partition p in shard p % shards; later starts find that, whatever they would choose themselves.
// Throws DatabaseError (internal: the tables have holes).
Layout load_layout(Connection& database, std::uint32_t partitions, std::uint16_t shards);
// Shards that the directory does not know yet, without partitions; answers how many are new.
std::size_t add_shards(Connection& database, std::uint16_t shards);
// What the tables say now. Throws as above.
Layout read_layout(Connection& database);

} // namespace parley::postgres
