// RoomDirectory over the shards: what concerns one room is asked of the room's shard, what concerns
// a user or all rooms is asked of every shard at once and merged by room id. Names of members come
// from the directory.
//
// A list of rooms costs, for each room, its newest message and a count of at most
// limits::kUnreadCountMax rows; both look at no more than limits::kUnreadScanMax of the newest
// messages, so that a member's own or deleted messages cannot make them long.
//
// A shard is a moment behind the log: who must see what was acknowledged waits first
// (ports/read_barrier.hpp). Threading: any core. Owner: app/wiring.
#pragma once

#include "adapters/postgres/shard_map.hpp"
#include "adapters/postgres/user_names.hpp"
#include "ports/room_directory.hpp"

namespace parley::postgres {

class RoomDirectory final : public ports::RoomDirectory {
public:
    RoomDirectory(const ShardMap& shards, UserNames& names) : x_shards(shards), x_names(names) {}

    Task<Result<ports::RoomSnapshot>> load_room(model::RoomId room) override;
    Task<Result<std::vector<ports::RoomListItem>>> rooms_of(model::UserId user, model::RoomId after,
                                                            std::size_t limit) override;
    Task<Result<std::vector<model::Room>>> search(ports::Groups among, std::string query,
                                                  model::RoomId after, std::size_t limit) override;
    Task<Result<std::vector<model::Member>>> members(model::RoomId room, model::UserId after,
                                                     std::size_t limit) override;
    Task<Result<bool>> share_room(model::UserId one, model::UserId other) override;
    Task<Result<ports::Readers>> readers(model::RoomId room, model::MessageId message,
                                         std::size_t limit) override;
    Task<Result<std::vector<ports::MarkOutcome>>>
    set_read(std::vector<ports::ReadMark> marks) override;

private:
    const ShardMap& x_shards;
    UserNames& x_names;
};

} // namespace parley::postgres
