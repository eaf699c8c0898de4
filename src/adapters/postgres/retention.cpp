#include "adapters/postgres/retention.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace parley::postgres {
namespace {

constexpr std::int64_t kEpochMs = 1'704'067'200'000; // of ids: chat/snowflake.hpp

struct Found {
    model::RoomId room;    // that has something too old; 0: none of those looked at
    model::EventId before; // what is too old lies below
    model::RoomId next;    // where the next look begins; 0: at the end
};

// Looks at so many rooms from `from` on. least() leaves NULLs out: NULL is for ever.
Found find_old(Connection& connection, model::RoomId from, std::size_t rooms,
               std::uint32_t server_days, model::Time now) {
    const auto days = server_days ? std::optional(server_days) : std::nullopt;
    const auto rows = connection.query(
        "WITH looked AS MATERIALIZED (SELECT id, least(retention_days, $2) AS days, "
        "row_number() OVER (ORDER BY id) AS at FROM "
        "(SELECT id, retention_days FROM rooms WHERE id >= $1 ORDER BY id LIMIT $3 + 1) r), "
        "bounds AS (SELECT id, (greatest($4 - days * 86400000 - $5, 0) << 22) AS before "
        "FROM looked WHERE days IS NOT NULL AND at <= $3), "
        "old AS (SELECT id, before FROM bounds b WHERE "
        "EXISTS (SELECT 1 FROM messages WHERE room_id = b.id AND id < b.before) OR "
        "EXISTS (SELECT 1 FROM events WHERE room_id = b.id AND id < b.before) "
        "ORDER BY id LIMIT 1) "
        "SELECT (SELECT id FROM old), (SELECT before FROM old), "
        "(SELECT id FROM looked WHERE at = $3 + 1)",
        Params(from, days, rooms, now, kEpochMs));
    const Row row = rows.front();
    return {row.id<model::RoomId>(0), row.id<model::EventId>(1), row.id<model::RoomId>(2)};
}

// The id of the n-th oldest, or the greatest below `before` that there can be.
model::EventId nth(const Rows& rows, model::EventId before) {
    return rows.empty() ? model::EventId{before.value - 1} : rows.front().id<model::EventId>(0);
}

bool remove_reactions(Connection& connection, model::RoomId room, model::EventId last) {
    const auto removed = connection.query(
        "DELETE FROM reactions WHERE ctid = ANY (ARRAY (SELECT ctid FROM reactions WHERE "
        "room_id = $1 AND message_id <= $2 LIMIT $3))",
        Params(room, last, limits::kRetentionBatch));
    return removed.changes() < static_cast<std::int64_t>(limits::kRetentionBatch);
}

std::uint64_t remove_through(Connection& connection, model::RoomId room, model::EventId last) {
    const Params room_and_last(room, last);
    // The newest that goes, so that the room's last id never goes back.
    connection.queue("UPDATE rooms SET removed_id = greatest(removed_id, "
                     "(SELECT max(id) FROM messages WHERE room_id = $1 AND id <= $2), "
                     "(SELECT max(id) FROM events WHERE room_id = $1 AND id <= $2)) WHERE id = $1",
                     room_and_last);
    const auto messages = connection.query(
        "DELETE FROM messages WHERE room_id = $1 AND id <= $2", room_and_last);
    const auto events =
        connection.query("DELETE FROM events WHERE room_id = $1 AND id <= $2", room_and_last);
    // Of both only the older one is the first; the other's predecessor is above `last`.
    connection.queue("UPDATE messages SET prev_id = 0 WHERE prev_id <= $2 AND id = (SELECT id FROM "
                     "messages WHERE room_id = $1 ORDER BY id LIMIT 1)",
                     room_and_last);
    connection.queue("UPDATE events SET prev_id = 0 WHERE prev_id <= $2 AND room_id = $1 AND id = "
                     "(SELECT id FROM events WHERE room_id = $1 ORDER BY id LIMIT 1)",
                     room_and_last);
    return static_cast<std::uint64_t>(messages.changes() + events.changes());
}

// Both kinds up to one id, so that what remains is the end of the log without a hole.
std::uint64_t remove_batch(Connection& connection, model::RoomId room, model::EventId before) {
    Transaction transaction(connection);
    const Params bounds(room, before, limits::kRetentionBatch - 1);
    const model::EventId last =
        std::min(nth(connection.query("SELECT id FROM messages WHERE room_id = $1 AND id < $2 "
                                      "ORDER BY id LIMIT 1 OFFSET $3",
                                      bounds),
                     before),
                 nth(connection.query("SELECT id FROM events WHERE room_id = $1 AND id < $2 "
                                      "ORDER BY id LIMIT 1 OFFSET $3",
                                      bounds),
                     before));
    // If there are more reactions the next step goes on.
    std::uint64_t removed = 0;
    if (remove_reactions(connection, room, last)) removed = remove_through(connection, room, last);
    transaction.commit();
    return removed;
}

} // namespace

Task<Result<ports::RetentionStep>>
Retention::remove_old(model::RoomId room, std::uint32_t server_days, model::Time now) {
    Found found;
    // The room of the step before is seldom done: asking the other shards is for later.
    if (room) {
        auto looking = x_shards.of(room).run([=](Connection& connection) -> Result<Found> {
            Found one = find_old(connection, room, 1, server_days, now);
            if (one.room != room) one = {};
            return one;
        });
        PARLEY_CO_TRY(found, co_await std::move(looking));
    }
    if (!found.room) {
        auto looking = x_shards.ask_all([=](Connection& connection) -> Result<Found> {
            return find_old(connection, room, limits::kRetentionRooms, server_days, now);
        });
        PARLEY_CO_TRY(const std::vector<Found> all, co_await std::move(looking));
        // The least id at which a shard has something, or has stopped looking.
        const auto place = [](const Found& f) { return f.room ? f.room : f.next; };
        for (const Found& each : all)
            if (place(each) && (!place(found) || place(each) < place(found))) found = each;
    }
    ports::RetentionStep step{found.room ? found.room : found.next, 0};
    if (!found.room) co_return step;
    auto removing =
        x_shards.of(found.room).run([found](Connection& connection) -> Result<std::uint64_t> {
            return remove_batch(connection, found.room, found.before);
        });
    PARLEY_CO_TRY(step.removed, co_await std::move(removing));
    co_return step;
}

} // namespace parley::postgres
