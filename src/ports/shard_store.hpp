// One shard of the cluster's store, as the worker that owns some partitions of the log uses it:
// what it must know to sequence, and the writing of what it has sequenced. What people read
// (History, RoomDirectory) are ports of their own on the same rows.
//
// A partition's rows and its position stand in one shard, and move in one transaction: after a
// crash the position says exactly which drafts are in the rows. Fencing: take_over() raises the
// partition's generation; a write with an older one changes nothing.
//
// Threading: one thread at a time; calls block, at most for limits::kShardCallTimeout. Errors:
// unavailable.
#pragma once

#include "base/result.hpp"
#include "model/stages.hpp"
#include "ports/event_store.hpp"
#include "ports/room_directory.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley::ports {

using Partition = std::uint32_t;

struct PartitionPosition {
    std::uint64_t generation = 0;
    std::int64_t next_offset = 0; // of the log: the first draft that the rows do not have
    model::EventId last_id;       // the greatest id given out in this partition
};

// Events in the order of the log, and where that leaves the partition. May be without events: then
// only the position moves (all drafts were refused, or repeated).
struct ShardBatch {
    Partition partition = 0;
    PartitionPosition position; // generation: the writer's own
    std::vector<model::Sequenced> events;
};

// A room with everything that rights depend on.
struct ShardRoom {
    StoredRoom stored;
    std::vector<RoomMember> members;
};

struct NonceKey {
    model::RoomId room_id;
    model::UserId user_id;
    std::string nonce;
};

class ShardStore {
public:
    // The caller owns the partition from now on. A partition that was never written begins at
    // offset 0 with last id 0.
    virtual Result<PartitionPosition> take_over(Partition partition) = 0;
    // Whether nobody has taken the partition over since: what was read before this was asked is of
    // this generation.
    virtual Result<bool> owns(Partition partition, std::uint64_t generation) = 0;
    // All of it durable, or nothing. False: somebody else has taken the partition over; nothing was
    // written. Events that the rows have already (a commit whose answer was lost) are no error.
    virtual Result<bool> write(const ShardBatch& batch) = 0;

    // Those of the rooms that exist and are not deleted, in any order.
    virtual Result<std::vector<ShardRoom>> rooms(std::span<const model::RoomId> rooms) = 0;
    // For each key in its order: the message that the nonce made, with its present state.
    virtual Result<std::vector<std::optional<StoredNonce>>>
    nonces(std::span<const NonceKey> keys) = 0;
    // The greatest nonce in the shard that begins with model::NewNonces::kFirst; "": none.
    virtual Result<std::string> newest_nonce() = 0;
    virtual Result<std::optional<model::Message>> message(model::RoomId room,
                                                          model::MessageId message) = 0;
    virtual Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) = 0;
    // Emoji and user of each reaction of a message.
    struct Reaction {
        std::string emoji;
        model::UserId user_id;
    };
    virtual Result<std::vector<Reaction>> reactions(model::RoomId room,
                                                    model::MessageId message) = 0;
    virtual ~ShardStore() = default;
};

} // namespace parley::ports
