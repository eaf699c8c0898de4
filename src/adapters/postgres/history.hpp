// History on PostgreSQL: a page is one range of the index by room in the room's shard, so that its
// cost depends on the page and not on the room. A resume merges the ranges of the tables messages
// and events in one statement, which sees one moment.
//
// A shard is a moment behind the log: who must see what was acknowledged waits first
// (ports/read_barrier.hpp). Threading: any core. Owner: app/wiring.
#pragma once

#include "adapters/postgres/shard_map.hpp"
#include "ports/history.hpp"

namespace parley::postgres {

class History final : public ports::History {
public:
    explicit History(const ShardMap& shards) : x_shards(shards) {}

    Task<Result<ports::MessagePage>> messages_before(model::RoomId room, model::MessageId before,
                                                     std::size_t limit) override;
    Task<Result<ports::MessagePage>> messages_after(model::RoomId room, model::MessageId after,
                                                    std::size_t limit) override;
    Task<Result<ports::EventPage>> events_after(model::RoomId room, model::EventId since,
                                                std::size_t limit) override;

private:
    const ShardMap& x_shards;
};

} // namespace parley::postgres
