// Rooms of a cluster fall into buckets by their id, for ever; tables say which partition of the log
// and which shard of the store a bucket is in. Pure.
#pragma once

#include "base/cluster_limits.hpp"
#include "model/ids.hpp"

#include <cstddef>
#include <cstdint>

namespace parley::model {

// Not the hash's lowest bits: those give a room its home core.
inline std::uint32_t bucket_of(RoomId room) {
    return static_cast<std::uint32_t>((std::hash<RoomId>{}(room) >> 7) % limits::kBuckets);
}

} // namespace parley::model
