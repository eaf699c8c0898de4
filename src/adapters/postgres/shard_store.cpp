#include "adapters/postgres/shard_store.hpp"

#include "adapters/postgres/event_rows.hpp"
#include "adapters/postgres/event_writer.hpp"
#include "model/new_nonces.hpp"

#include <algorithm>

namespace parley::postgres {

Result<ports::PartitionPosition> ShardStore::take_over(ports::Partition partition) {
    return guarded([&]() -> Result<ports::PartitionPosition> {
        // Waits for a write of the one before, which is then in the position.
        const auto rows = x_connection.query(
            "INSERT INTO partitions (partition, generation, next_offset, last_id) "
            "VALUES ($1, 1, 0, 0) ON CONFLICT (partition) DO UPDATE SET "
            "generation = partitions.generation + 1 WHERE partitions.moved = 0 AND "
            "coalesce(partitions.frozen_until <= clock_timestamp(), true) "
            "RETURNING generation, next_offset, last_id",
            Params(partition));
        if (rows.empty())
            return Error(Errc::unavailable, "the partition is moving to another shard");
        ports::PartitionPosition position;
        position.generation = static_cast<std::uint64_t>(rows.front().integer(0));
        position.next_offset = rows.front().integer(1);
        position.last_id = rows.front().id<model::EventId>(2);
        return position;
    });
}

Result<bool> ShardStore::owns(ports::Partition partition, std::uint64_t generation) {
    return guarded([&]() -> Result<bool> {
        return !x_connection
                    .query("SELECT 1 FROM partitions WHERE partition = $1 AND generation = $2",
                           Params(partition, generation))
                    .empty();
    });
}

Result<bool> ShardStore::write(const ports::ShardBatch& batch) {
    return guarded([&]() -> Result<bool> {
        Transaction transaction(x_connection);
        const auto fence = x_connection.query("SELECT last_id FROM partitions WHERE "
                                              "partition = $1 AND generation = $2 FOR UPDATE",
                                              Params(batch.partition, batch.position.generation));
        if (fence.empty()) return false;
        const auto last = fence.front().id<model::EventId>(0);
        const auto is_there = [&](const model::Sequenced& s) { return s.event().id <= last; };
        const auto first_new = std::ranges::find_if_not(batch.events, is_there);
        EventWriter::check_stored(x_connection, {batch.events.begin(), first_new});
        EventWriter writer(x_connection);
        for (auto at = first_new; at != batch.events.end(); ++at) writer.put(*at);
        writer.finish();
        x_connection.queue("UPDATE partitions SET next_offset = greatest(next_offset, $2), "
                           "last_id = greatest(last_id, $3) WHERE partition = $1",
                           Params(batch.partition, batch.position.next_offset,
                                  batch.position.last_id));
        transaction.commit();
        return true;
    });
}

Result<std::vector<ports::ShardRoom>> ShardStore::rooms(std::span<const model::RoomId> rooms) {
    return guarded([&]() -> Result<std::vector<ports::ShardRoom>> {
        const std::vector<model::RoomId> ids(rooms.begin(), rooms.end());
        const auto rows = x_connection.query(
            "SELECT " PARLEY_ROOM_COLUMNS ", r.owner_count, " PARLEY_NEWEST_EVENT ", b.users, "
            "b.roles FROM unnest($1::bigint[]) k (id) JOIN rooms r ON r.id = k.id, "
            "LATERAL (SELECT array_agg(user_id) AS users, array_agg(role) AS roles FROM members "
            "WHERE room_id = r.id) b WHERE r.deleted = 0",
            Params(ids));
        std::vector<ports::ShardRoom> found;
        for (const Row row : rows) {
            ports::ShardRoom& room = found.emplace_back();
            room.stored.room = read_room(row, 0);
            room.stored.owners = static_cast<std::size_t>(row.integer(kRoomColumns));
            room.stored.last_id = row.id<model::EventId>(kRoomColumns + 1);
            const auto users = row.integers(kRoomColumns + 2);
            const auto roles = row.integers(kRoomColumns + 3);
            for (std::size_t i = 0; i < users.size(); ++i)
                room.members.push_back({{users[i]}, static_cast<model::Role>(roles.at(i))});
        }
        return found;
    });
}

Result<std::vector<std::optional<ports::StoredNonce>>>
ShardStore::nonces(std::span<const ports::NonceKey> keys) {
    using Found = std::vector<std::optional<ports::StoredNonce>>;
    return guarded([&]() -> Result<Found> {
        std::vector<model::RoomId> rooms;
        std::vector<model::UserId> users;
        std::vector<std::string_view> nonces;
        for (const ports::NonceKey& key : keys) {
            rooms.push_back(key.room_id);
            users.push_back(key.user_id);
            nonces.emplace_back(key.nonce);
        }
        // `<> ''` lets PostgreSQL see that the partial index has the answer.
        const auto rows = x_connection.query(
            "SELECT " PARLEY_MESSAGE_COLUMNS ", m.prev_id, m.body_hash, k.at "
            "FROM unnest($1::bigint[], $2::bigint[], $3::text[]) WITH ORDINALITY "
            "AS k (room_id, user_id, nonce, at) JOIN messages m ON m.nonce = k.nonce AND "
            "m.nonce <> '' AND m.room_id = k.room_id AND m.user_id = k.user_id",
            Params(rooms, users, nonces));
        Found found(keys.size());
        for (const Row row : rows) {
            const auto at = static_cast<std::size_t>(row.integer(kMessageColumns + 2)) - 1;
            const ports::NonceKey& key = keys[at];
            model::MessagePosted posted{read_message(row, key.room_id, 0), key.nonce};
            ports::StoredNonce& stored = found.at(at).emplace();
            stored.event.id = posted.message.id;
            stored.event.prev_id = row.id<model::EventId>(kMessageColumns);
            stored.event.room_id = key.room_id;
            stored.event.user_id = key.user_id;
            stored.event.at = posted.message.created_at;
            stored.event.body = std::move(posted);
            stored.body_hash = static_cast<std::uint64_t>(row.integer(kMessageColumns + 1));
        }
        return found;
    });
}

Result<std::string> ShardStore::newest_nonce() {
    return guarded([&]() -> Result<std::string> {
        const auto rows = x_connection.query(
            "SELECT nonce FROM messages WHERE nonce >= $1 AND nonce < $2 AND nonce <> '' "
            "ORDER BY nonce DESC LIMIT 1",
            Params(model::NewNonces::kFirst, model::NewNonces::kEnd));
        return rows.empty() ? std::string() : rows.front().string(0);
    });
}

Result<std::optional<model::Message>> ShardStore::message(model::RoomId room,
                                                          model::MessageId message) {
    return guarded([&]() -> Result<std::optional<model::Message>> {
        const auto rows =
            x_connection.query("SELECT " PARLEY_MESSAGE_COLUMNS
                               " FROM messages m WHERE m.room_id = $1 AND m.id = $2",
                               Params(room, message));
        if (rows.empty()) return std::optional<model::Message>{};
        return std::optional(read_message(rows.front(), room, 0));
    });
}

Result<std::optional<model::Time>> ShardStore::paced_at(model::RoomId room, model::UserId user) {
    return guarded([&]() -> Result<std::optional<model::Time>> {
        const auto rows = x_connection.query(
            "SELECT at FROM paced_posts WHERE room_id = $1 AND user_id = $2", Params(room, user));
        if (rows.empty()) return std::optional<model::Time>{};
        return std::optional(rows.front().time(0));
    });
}

Result<std::vector<ShardStore::Reaction>> ShardStore::reactions(model::RoomId room,
                                                                model::MessageId message) {
    return guarded([&]() -> Result<std::vector<Reaction>> {
        std::vector<Reaction> found;
        for (const Row row : x_connection.query(
                 "SELECT emoji, user_id FROM reactions WHERE room_id = $1 AND message_id = $2",
                 Params(room, message)))
            found.push_back({row.string(0), row.id<model::UserId>(1)});
        return found;
    });
}

Task<Result<std::vector<StoredOffset>>> positions(Pool& shard) {
    return shard.run([](Connection& connection) -> Result<std::vector<StoredOffset>> {
        std::vector<StoredOffset> found;
        for (const Row row : connection.query("SELECT partition, next_offset FROM partitions"))
            found.push_back(
                {static_cast<ports::Partition>(row.integer(0)), row.integer(1)});
        return found;
    });
}

} // namespace parley::postgres
