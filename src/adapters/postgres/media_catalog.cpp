#include "adapters/postgres/media_catalog.hpp"

#include "base/hex.hpp"
#include "ports/media_rows.hpp"

namespace parley::postgres {
namespace {

using ports::unknown_media;
using Many = std::vector<model::Media>;

Many read_all(const Rows& rows) {
    Many found;
    for (const Row row : rows) found.push_back(ports::read_media<DatabaseError>(row));
    return found;
}

Result<void> write(Connection& database, const char* sql, const Params& params) {
    if (database.query(sql, params).changes() == 0) return unknown_media();
    return {};
}

// --- quota

// False: it would be more than `most` (0: no bound), and nothing is counted.
bool count(Connection& database, std::int64_t day, model::UserId user, std::uint64_t size,
           std::uint64_t most) {
    if (most > 0 && size > most) return false;
    return database
               .query("INSERT INTO media_usage AS u (day, user_id, bytes) VALUES ($1, $2, $3) "
                      "ON CONFLICT (day, user_id) DO UPDATE SET bytes = u.bytes + $3 "
                      "WHERE $4 = 0 OR u.bytes + $3 <= $4",
                      Params(day, user, size, most))
               .changes() > 0;
}

void count_server(Connection& database, std::int64_t bytes) {
    database.query("UPDATE media_usage SET bytes = greatest(bytes + $1, 0) "
                   "WHERE day = 0 AND user_id = 0",
                   Params(bytes));
}

Result<model::Media> insert(Connection& database, model::Media media, const ports::NewMedia& fresh,
                            const ports::MediaQuota& quota) {
    Transaction transaction(database);
    const std::int64_t day = ports::usage_day(fresh.created_at);
    const std::uint64_t size = fresh.facts.size;
    // Of days that are over; two at once leave each other's alone.
    database.queue("DELETE FROM media_usage WHERE (day, user_id) IN (SELECT day, user_id FROM "
                   "media_usage WHERE day > 0 AND day < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
                   Params(day - 1));
    if (!count(database, day, fresh.user_id, size, quota.user_bytes_per_day))
        return ports::usage_day_is_full(fresh.created_at);
    const std::string facts = model::to_json(media.facts), sha256 = to_hex(media.sha256);
    database.queue("INSERT INTO media (id, room_id, user_id, key, facts, size, sha256, state, "
                   "created_at, ticket_expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
                   "$10)",
                   Params(media.id, media.room_id, media.user_id, media.key, facts, size, sha256,
                          media.state, media.created_at, media.ticket_expires_at));
    if (!count(database, 0, {}, size, quota.server_bytes)) return ports::server_is_full();
    transaction.commit();
    return media;
}

// --- changes

// A ticket that left the size open has counted as much as it allowed.
Result<void> store(Connection& database, model::MediaId media, const std::string& sha256,
                   const model::MediaFacts& facts) {
    Transaction transaction(database);
    const Rows rows = database.query(
        "SELECT size FROM media WHERE id = $1 AND state <> 3 FOR UPDATE", Params(media));
    if (rows.empty()) return unknown_media();
    const auto more = static_cast<std::int64_t>(facts.size) - rows.front().integer(0);
    database.queue("UPDATE media SET state = 2, sha256 = CASE WHEN $2 = '' THEN sha256 ELSE $2 "
                   "END, facts = $3, size = $4 WHERE id = $1",
                   Params(media, sha256, model::to_json(facts), facts.size));
    if (more != 0) count_server(database, more);
    transaction.commit();
    return {};
}

Result<void> attach(Connection& database, model::MediaId media, model::RoomId room,
                    model::Time now) {
    Transaction transaction(database);
    // Nodes' clocks differ: never back.
    PARLEY_CHECK(write(database,
                       "UPDATE media SET attached_at = greatest(attached_at, $2) "
                       "WHERE id = $1 AND state = 2",
                       Params(media, now)));
    database.queue("INSERT INTO media_rooms (media_id, room_id) VALUES ($1, $2) "
                   "ON CONFLICT DO NOTHING",
                   Params(media, room));
    transaction.commit();
    return {};
}

Result<bool> remove(Connection& database, model::MediaId media, model::Time attached_before) {
    Transaction transaction(database);
    const Rows rows = database.query("SELECT size, attached_at FROM media WHERE id = $1 AND "
                                     "state <> 3 FOR UPDATE",
                                     Params(media));
    if (rows.empty()) return true;
    const std::optional<model::Time> attached = rows.front().optional_time(1);
    if (attached && *attached >= attached_before) return false;
    database.queue("UPDATE media SET state = 3 WHERE id = $1", Params(media));
    count_server(database, -rows.front().integer(0));
    transaction.commit();
    return true;
}

} // namespace

Task<Result<model::Media>> MediaRecords::create_media(ports::NewMedia fresh,
                                                      ports::MediaQuota quota) {
    return x_pool.run(
        [this, fresh = std::move(fresh), quota](Connection& database) -> Result<model::Media> {
            PARLEY_TRY(const std::int64_t id, x_ids.next(fresh.created_at));
            return insert(database, ports::media_of(fresh, model::MediaId{id}), fresh, quota);
        });
}

Task<Result<model::Media>> MediaRecords::find_media(model::MediaId media) {
    return x_pool.run([media](Connection& database) -> Result<model::Media> {
        const Rows rows = database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                         " FROM media WHERE id = $1 AND state <> 3",
                                         Params(media));
        if (rows.empty()) return unknown_media();
        return ports::read_media<DatabaseError>(rows.front());
    });
}

Task<Result<void>> MediaRecords::note_stored(model::MediaId media, std::string sha256,
                                             model::MediaFacts facts) {
    return x_pool.run([media, sha256 = to_hex(sha256), facts = std::move(facts)](
                          Connection& database) { return store(database, media, sha256, facts); });
}

Task<Result<void>> MediaRecords::attach_media(model::MediaId media, model::RoomId room,
                                              model::Time now) {
    return x_pool.run([=](Connection& database) { return attach(database, media, room, now); });
}

Task<Result<std::vector<model::RoomId>>> MediaRecords::media_rooms(model::MediaId media) {
    return x_pool.run([media](Connection& database) -> Result<std::vector<model::RoomId>> {
        std::vector<model::RoomId> rooms;
        for (const Row row :
             database.query("SELECT room_id FROM media_rooms WHERE media_id = $1", Params(media)))
            rooms.push_back(row.id<model::RoomId>(0));
        return rooms;
    });
}

Task<Result<Many>> MediaRecords::media_to_examine(std::size_t limit) {
    return x_pool.run([limit](Connection& database) -> Result<Many> {
        return read_all(database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                       " FROM media WHERE examined = 0 AND state = 2 AND "
                                       "attached_at IS NOT NULL ORDER BY id LIMIT $1",
                                       Params(limit)));
    });
}

Task<Result<void>> MediaRecords::note_facts(model::MediaId media, model::MediaFacts facts) {
    return x_pool.run([media, text = model::to_json(facts)](Connection& database) {
        return write(database,
                     "UPDATE media SET facts = $2, examined = 1 WHERE id = $1 AND state <> 3",
                     Params(media, text));
    });
}

Task<Result<void>> MediaRecords::note_upload(model::MediaId media, std::string upload_id) {
    return x_pool.run([media, upload_id = std::move(upload_id)](Connection& database) {
        return write(database, "UPDATE media SET upload_id = $2 WHERE id = $1 AND state <> 3",
                     Params(media, upload_id));
    });
}

Task<Result<std::string>> MediaRecords::upload_of(model::MediaId media) {
    return x_pool.run([media](Connection& database) -> Result<std::string> {
        const Rows rows =
            database.query("SELECT upload_id FROM media WHERE id = $1", Params(media));
        if (rows.empty()) return unknown_media();
        return rows.front().string(0);
    });
}

Task<Result<Many>> MediaRecords::unused_media(model::Time before, std::size_t limit) {
    return x_pool.run([before, limit](Connection& database) -> Result<Many> {
        return read_all(database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                       " FROM media WHERE attached_at IS NULL AND state <> 3 "
                                       "AND created_at < $1 ORDER BY created_at LIMIT $2",
                                       Params(before, limit)));
    });
}

Task<Result<bool>> MediaRecords::remove_media(model::MediaId media, model::Time attached_before) {
    return x_pool.run(
        [=](Connection& database) { return remove(database, media, attached_before); });
}

Task<Result<Many>> MediaRecords::media_to_delete(std::size_t limit) {
    return x_pool.run([limit](Connection& database) -> Result<Many> {
        return read_all(database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                       " FROM media WHERE state = 3 ORDER BY id LIMIT $1",
                                       Params(limit)));
    });
}

Task<Result<void>> MediaRecords::note_deleted(model::MediaId media) {
    return x_pool.run([media](Connection& database) -> Result<void> {
        Transaction transaction(database);
        database.queue("DELETE FROM media_rooms WHERE media_id = $1", Params(media));
        database.queue("DELETE FROM media WHERE id = $1 AND state = 3", Params(media));
        transaction.commit();
        return {};
    });
}

} // namespace parley::postgres
