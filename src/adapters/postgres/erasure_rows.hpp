// What an erasure looks up and writes in one shard.
//
// Threading: functions of a connection to a shard.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "ports/erasure_store.hpp"

#include <vector>

namespace parley::postgres {

// A room that the user is in, before it is known which of the others are not disabled.
struct ShardMembership {
    model::RoomId room_id;
    bool alone = false;
    // Where no owner would be left: who may follow, best first, some of them.
    std::vector<model::UserId> successors;
};
std::vector<ShardMembership> shard_memberships(Connection& database, model::UserId user,
                                               std::size_t limit);

// The next limits::kErasureScan messages of the shard.
struct ShardSlice {
    std::vector<std::pair<model::RoomId, model::MessageId>> messages; // of the user, by id
    model::MessageId scanned; // the greatest id that was looked at
    bool at_end = false;      // there is none above it
};
ShardSlice shard_slice(Connection& database, model::UserId user, model::MessageId after,
                       std::size_t limit);
// One walk over all of them: as far as the slice that ends first, and no more than `limit`.
ports::ErasedMessages merge_slices(const std::vector<ShardSlice>& slices, model::MessageId after,
                                   std::size_t limit);

std::vector<ports::ErasedReaction> shard_reactions(Connection& database, model::UserId user,
                                                   std::size_t limit);

void blank_messages(Connection& database, model::UserId user,
                    const std::vector<model::MessageId>& messages);
bool blank_room(Connection& database, model::RoomId room); // false: there is no deleted one
void remove_reactions(Connection& database, model::UserId user,
                      const std::vector<ports::ErasedReaction>& reactions);
// Some of the user's emoji in events; false: there may be more.
bool blank_emoji(Connection& database, model::UserId user);
// Held messages, the names of rooms that the user has deleted, read marks. Answers how many
// messages were held.
std::int64_t blank_rest(Connection& database, model::UserId user);

} // namespace parley::postgres
