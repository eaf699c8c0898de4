#include "adapters/sqlite/retention.hpp"

#include <algorithm>
#include <limits>

namespace parley::sqlite {
namespace {

// The least id that an event of this time or later can have (model: chat/snowflake.hpp).
model::EventId first_id_of(model::Time time) {
    constexpr std::int64_t kEpochMs = 1'704'067'200'000;
    return {std::max<std::int64_t>(time.ms - kEpochMs, 0) << 22};
}

struct Found {
    model::RoomId room;    // that has something too old; 0: none of those looked at
    model::EventId before; // what is too old lies below
    model::RoomId next;    // where the next look begins; 0: at the end
};

bool has_before(Database& database, model::RoomId room, model::EventId before) {
    auto query = database.query("SELECT EXISTS (SELECT 1 FROM messages WHERE room_id = ?1 AND "
                                "id < ?2) OR EXISTS (SELECT 1 FROM events WHERE room_id = ?1 AND "
                                "id < ?2)");
    query.bind(room, before);
    return query.row() && query.integer(0) != 0;
}

Found find_old(Database& database, model::RoomId from, std::uint32_t server_days, model::Time now) {
    constexpr std::int64_t kDayMs = 86'400'000;
    constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    Found found;
    auto query = database.query("SELECT id, min(ifnull(retention_days, ?2), ?2) FROM rooms "
                                "WHERE id >= ?1 ORDER BY id LIMIT ?3");
    query.bind(from, server_days ? std::int64_t{server_days} : kForEver,
               limits::kRetentionRooms + 1);
    std::size_t looked_at = 0;
    while (query.row()) {
        const auto room = query.id<model::RoomId>(0);
        if (++looked_at > limits::kRetentionRooms) {
            found.next = room;
            break;
        }
        const std::int64_t days = query.integer(1);
        if (days == kForEver) continue;
        const model::EventId before = first_id_of({now.ms - days * kDayMs});
        if (has_before(database, room, before)) return {room, before, room};
    }
    return found;
}

// The id of the n-th oldest, or the greatest below `before` that there can be.
model::EventId nth(Query query, model::RoomId room, model::EventId before) {
    query.bind(room, before, limits::kRetentionBatch - 1);
    return query.row() ? query.id<model::EventId>(0) : model::EventId{before.value - 1};
}

} // namespace

Task<Result<ports::RetentionStep>>
Retention::remove_old(model::RoomId room, std::uint32_t server_days, model::Time now) {
    auto looking = x_readers.read([=](Database& database) -> Result<Found> {
        return find_old(database, room, server_days, now);
    });
    PARLEY_CO_TRY(const Found found, co_await std::move(looking));
    ports::RetentionStep step{found.next, 0};
    if (!found.room) co_return step;
    auto removing = x_writer.run([this, found]() -> Result<std::uint64_t> {
        return remove_batch(found.room, found.before);
    });
    PARLEY_CO_TRY(step.removed, co_await std::move(removing));
    co_return step;
}

// Both kinds up to one id, so that what remains is the end of the log without a hole.
std::uint64_t Retention::remove_batch(model::RoomId room, model::EventId before) {
    const model::EventId last =
        std::min(nth(x_writing.query("SELECT id FROM messages WHERE room_id = ?1 AND id < ?2 "
                                     "ORDER BY id LIMIT 1 OFFSET ?3"),
                     room, before),
                 nth(x_writing.query("SELECT id FROM events WHERE room_id = ?1 AND id < ?2 "
                                     "ORDER BY id LIMIT 1 OFFSET ?3"),
                     room, before));
    if (!remove_reactions(room, last)) return 0; // there are more: the next step goes on
    return remove_through(room, last);
}

bool Retention::remove_reactions(model::RoomId room, model::EventId last) {
    x_writing
        .query("DELETE FROM reactions WHERE (room_id, message_id, emoji, user_id) IN (SELECT "
               "room_id, message_id, emoji, user_id FROM reactions WHERE room_id = ?1 AND "
               "message_id <= ?2 LIMIT ?3)")
        .bind(room, last, limits::kRetentionBatch)
        .run();
    return x_writing.changes() < static_cast<std::int64_t>(limits::kRetentionBatch);
}

std::uint64_t Retention::remove_through(model::RoomId room, model::EventId last) {
    // The newest that goes, so that the room's last id never goes back.
    x_writing
        .query("UPDATE rooms SET removed_id = max(removed_id, "
               "ifnull((SELECT max(id) FROM messages WHERE room_id = ?1 AND id <= ?2), 0), "
               "ifnull((SELECT max(id) FROM events WHERE room_id = ?1 AND id <= ?2), 0)) "
               "WHERE id = ?1")
        .bind(room, last)
        .run();
    x_writing.query("DELETE FROM messages WHERE room_id = ?1 AND id <= ?2").bind(room, last).run();
    std::int64_t removed = x_writing.changes();
    x_writing.query("DELETE FROM events WHERE room_id = ?1 AND id <= ?2").bind(room, last).run();
    removed += x_writing.changes();
    // Of both only the older one is the first; the other's predecessor is above `last`.
    x_writing
        .query("UPDATE messages SET prev_id = 0 WHERE prev_id <= ?2 AND id = (SELECT id FROM "
               "messages WHERE room_id = ?1 ORDER BY id LIMIT 1)")
        .bind(room, last)
        .run();
    x_writing
        .query("UPDATE events SET prev_id = 0 WHERE prev_id <= ?2 AND room_id = ?1 AND id = "
               "(SELECT id FROM events WHERE room_id = ?1 ORDER BY id LIMIT 1)")
        .bind(room, last)
        .run();
    return static_cast<std::uint64_t>(removed);
}

} // namespace parley::sqlite
