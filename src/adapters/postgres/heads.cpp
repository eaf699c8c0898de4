#include "adapters/postgres/heads.hpp"

#include "adapters/postgres/event_rows.hpp"

#include <unordered_map>

namespace parley::postgres {
namespace {

using Found = std::vector<std::pair<model::RoomId, model::EventId>>;

Result<Found> read_heads(Connection& connection, const std::vector<model::RoomId>& rooms) {
    const Rows rows = connection.query(
        "SELECT r.id, " PARLEY_NEWEST_EVENT " FROM rooms r WHERE r.id = ANY($1)",
        Params(rooms));
    Found found;
    found.reserve(rows.size());
    for (const Row row : rows)
        found.emplace_back(row.id<model::RoomId>(0), row.id<model::EventId>(1));
    return found;
}

} // namespace

Task<std::vector<model::EventId>> heads(const ShardMap& shards, std::vector<model::RoomId> rooms) {
    std::vector<std::vector<model::RoomId>> by_shard(shards.size());
    for (const model::RoomId room : rooms) by_shard[shards.index_of(room)].push_back(room);
    std::unordered_map<model::RoomId, model::EventId> newest;
    for (std::size_t shard = 0; shard < by_shard.size(); ++shard) {
        if (by_shard[shard].empty()) continue;
        auto reading = shards[shard].run([some = std::move(by_shard[shard])](Connection& one) {
            return read_heads(one, some);
        });
        const auto found = co_await std::move(reading);
        if (!found) continue;
        for (const auto& [room, head] : *found) newest[room] = head;
    }
    std::vector<model::EventId> answer;
    answer.reserve(rooms.size());
    for (const model::RoomId room : rooms) answer.push_back(newest[room]);
    co_return answer;
}

} // namespace parley::postgres
