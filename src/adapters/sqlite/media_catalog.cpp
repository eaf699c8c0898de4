#include "adapters/sqlite/media_catalog.hpp"

#include "base/hex.hpp"
#include "ports/media_rows.hpp"

#include <algorithm>

namespace parley::sqlite {
namespace {

#define PARLEY_MEDIA_IN_USE                                                                        \
    "(EXISTS (SELECT 1 FROM messages m JOIN rooms r ON r.id = m.room_id "                          \
    "WHERE m.media_id = ?1 AND m.deleted = 0 AND r.deleted = 0) OR EXISTS "                        \
    "(SELECT 1 FROM held_messages WHERE media_id = ?1 AND state = 1) OR EXISTS "                   \
    "(SELECT 1 FROM users WHERE avatar_media_id = ?1))"

using ports::unknown_media;
using Many = std::vector<model::Media>;

model::Media read_media(const Query& row) { return ports::read_media<DatabaseError>(row); }

Many read_all(Query query) {
    Many found;
    while (query.row()) found.push_back(read_media(query));
    return found;
}

} // namespace

MediaRecords::MediaRecords(Readers& readers, Writer& writer, Database& writing)
    : x_readers(readers),
      x_writer(writer),
      x_writing(writing),
      x_ids(0, writing.pragma("SELECT ifnull(max(id), 0) FROM media")) {}

// --- tickets and quota

Task<Result<model::Media>> MediaRecords::create_media(ports::NewMedia media,
                                                      ports::MediaQuota quota) {
    return x_writer.run([this, media = std::move(media), quota]() -> Result<model::Media> {
        return insert(media, quota);
    });
}

std::uint64_t MediaRecords::used(model::UserId user, std::int64_t day) {
    auto query = x_writing.query("SELECT bytes FROM media_usage WHERE user_id = ?1 AND day = ?2");
    query.bind(user, day);
    return query.row() ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

void MediaRecords::add_usage(model::UserId user, std::int64_t day, std::int64_t bytes) {
    x_writing
        .query("INSERT INTO media_usage (user_id, day, bytes) VALUES (?1, ?2, max(?3, 0)) "
               "ON CONFLICT DO UPDATE SET bytes = max(bytes + ?3, 0)")
        .bind(user, day, bytes)
        .run();
}

Result<void> MediaRecords::check_quota(const ports::NewMedia& media,
                                       const ports::MediaQuota& quota) {
    const std::uint64_t size = media.facts.size;
    const std::int64_t day = ports::usage_day(media.created_at);
    const auto exceeds = [size](std::uint64_t used, std::uint64_t most) {
        return most > 0 && (size > most || used > most - size);
    };
    if (exceeds(used(media.user_id, day), quota.user_bytes_per_day))
        return ports::usage_day_is_full(media.created_at);
    if (exceeds(used({}, 0), quota.server_bytes)) return ports::server_is_full();
    return {};
}

Result<model::Media> MediaRecords::insert(const ports::NewMedia& fresh,
                                          const ports::MediaQuota& quota) {
    PARLEY_CHECK(check_quota(fresh, quota));
    const std::int64_t day = ports::usage_day(fresh.created_at);
    x_writing.query("DELETE FROM media_usage WHERE user_id <> 0 AND day < ?").bind(day - 1).run();
    add_usage(fresh.user_id, day, static_cast<std::int64_t>(fresh.facts.size));
    add_usage({}, 0, static_cast<std::int64_t>(fresh.facts.size));
    model::Media media = ports::media_of(fresh, {x_ids.next(fresh.created_at)});
    const std::string facts = model::to_json(media.facts), sha256 = to_hex(media.sha256);
    x_writing
        .query("INSERT INTO media (id, room_id, user_id, key, facts, size, sha256, state, "
               "created_at, ticket_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(media.id, media.room_id, media.user_id, media.key, facts, media.facts.size, sha256,
              media.state, media.created_at, media.ticket_expires_at)
        .run();
    return media;
}

Task<Result<model::Media>> MediaRecords::find_media(model::MediaId media) {
    return x_readers.read([media](Database& database) -> Result<model::Media> {
        auto query = database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                    " FROM media WHERE id = ? AND state <> 3");
        query.bind(media);
        if (!query.row()) return unknown_media();
        return read_media(query);
    });
}

// --- uses

Result<void> MediaRecords::check_found() {
    if (x_writing.changes() == 0) return unknown_media();
    return {};
}

Task<Result<void>> MediaRecords::note_stored(model::MediaId media, std::string sha256,
                                             model::MediaFacts facts) {
    return x_writer.run([this, media, hex = to_hex(sha256), size = facts.size,
                         text = model::to_json(facts)]() -> Result<void> {
        // A ticket that left the size open has counted as much as it allowed.
        x_writing
            .query("UPDATE media_usage SET bytes = max(bytes - (SELECT size FROM media WHERE "
                   "id = ?1) + ?2, 0) WHERE user_id = 0 AND day = 0")
            .bind(media, size)
            .run();
        x_writing
            .query("UPDATE media SET state = 2, sha256 = iif(?2 = '', sha256, ?2), facts = ?3, "
                   "size = ?4 WHERE id = ?1 AND state <> 3")
            .bind(media, hex, text, size)
            .run();
        return check_found();
    });
}

Task<Result<void>> MediaRecords::attach_media(model::MediaId media, model::RoomId room,
                                              model::Time now) {
    return x_writer.run([this, media, room, now]() -> Result<void> {
        x_writing.query("UPDATE media SET attached_at = ?2 WHERE id = ?1 AND state = 2")
            .bind(media, now)
            .run();
        PARLEY_CHECK(check_found());
        x_writing.query("INSERT OR IGNORE INTO media_rooms (media_id, room_id) VALUES (?1, ?2)")
            .bind(media, room)
            .run();
        return {};
    });
}

Task<Result<std::vector<model::RoomId>>> MediaRecords::media_rooms(model::MediaId media) {
    return x_readers.read([media](Database& database) -> Result<std::vector<model::RoomId>> {
        std::vector<model::RoomId> rooms;
        auto query = database.query("SELECT room_id FROM media_rooms WHERE media_id = ?");
        query.bind(media);
        while (query.row()) rooms.push_back(query.id<model::RoomId>(0));
        return rooms;
    });
}

Task<Result<Many>> MediaRecords::media_to_examine(std::size_t limit) {
    return x_readers.read([limit](Database& database) -> Result<Many> {
        auto query = database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                    " FROM media WHERE examined = 0 AND state = 2 AND "
                                    "attached_at IS NOT NULL ORDER BY id LIMIT ?");
        query.bind(limit);
        return read_all(std::move(query));
    });
}

Task<Result<void>> MediaRecords::note_facts(model::MediaId media, model::MediaFacts facts) {
    return x_writer.run([this, media, text = model::to_json(facts)]() -> Result<void> {
        x_writing.query("UPDATE media SET facts = ?2, examined = 1 WHERE id = ?1 AND state <> 3")
            .bind(media, text)
            .run();
        return check_found();
    });
}

Task<Result<void>> MediaRecords::note_upload(model::MediaId media, std::string upload_id) {
    return x_writer.run([this, media, upload_id = std::move(upload_id)]() -> Result<void> {
        x_writing.query("UPDATE media SET upload_id = ?2 WHERE id = ?1 AND state <> 3")
            .bind(media, upload_id)
            .run();
        return check_found();
    });
}

Task<Result<std::string>> MediaRecords::upload_of(model::MediaId media) {
    return x_readers.read([media](Database& database) -> Result<std::string> {
        auto query = database.query("SELECT upload_id FROM media WHERE id = ?");
        query.bind(media);
        if (!query.row()) return unknown_media();
        return query.string(0);
    });
}

// --- removal

Task<Result<Many>> MediaRecords::unused_media(model::Time before, std::size_t limit) {
    return x_readers.read([before, limit](Database& database) -> Result<Many> {
        auto query = database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                    " FROM media WHERE attached_at IS NULL AND state <> 3 "
                                    "AND created_at < ?1 ORDER BY created_at LIMIT ?2");
        query.bind(before, limit);
        return read_all(std::move(query));
    });
}

Task<Result<bool>> MediaRecords::remove_media(model::MediaId media, model::Time attached_before) {
    return x_writer.run([this, media, attached_before]() -> Result<bool> {
        x_writing
            .query("UPDATE media SET state = 3 WHERE id = ?1 AND state <> 3 AND "
                   "(attached_at IS NULL OR attached_at < ?2)")
            .bind(media, attached_before)
            .run();
        if (x_writing.changes() == 0) {
            auto query = x_writing.query("SELECT 1 FROM media WHERE id = ? AND state <> 3");
            query.bind(media);
            return !query.row();
        }
        x_writing
            .query("UPDATE media_usage SET bytes = max(bytes - (SELECT size FROM media WHERE "
                   "id = ?), 0) WHERE user_id = 0 AND day = 0")
            .bind(media)
            .run();
        return true;
    });
}

Task<Result<Many>> MediaRecords::media_to_delete(std::size_t limit) {
    return x_readers.read([limit](Database& database) -> Result<Many> {
        auto query = database.query("SELECT " PARLEY_MEDIA_COLUMNS
                                    " FROM media WHERE state = 3 ORDER BY id LIMIT ?");
        query.bind(limit);
        return read_all(std::move(query));
    });
}

Task<Result<void>> MediaRecords::note_deleted(model::MediaId media) {
    return x_writer.run([this, media]() -> Result<void> {
        x_writing.query("DELETE FROM media_rooms WHERE media_id = ?").bind(media).run();
        x_writing.query("DELETE FROM media WHERE id = ? AND state = 3").bind(media).run();
        return {};
    });
}

// --- what messages have let go of

Task<Result<std::vector<model::MediaId>>> MediaRecords::released_media(std::size_t limit) {
    return x_readers.read([limit](Database& database) -> Result<std::vector<model::MediaId>> {
        std::vector<model::MediaId> found;
        auto query = database.query("SELECT media_id FROM released_media LIMIT ?");
        query.bind(limit);
        while (query.row()) found.push_back(query.id<model::MediaId>(0));
        return found;
    });
}

Task<Result<bool>> MediaRecords::media_in_use(model::MediaId media) {
    return x_readers.read([media](Database& database) -> Result<bool> {
        auto query = database.query("SELECT " PARLEY_MEDIA_IN_USE);
        query.bind(media);
        return query.row() && query.integer(0) != 0;
    });
}

Task<Result<void>> MediaRecords::forget_released(std::vector<model::MediaId> media) {
    return x_writer.run([this, media = std::move(media)]() -> Result<void> {
        // Not what was released again since it was found in use.
        for (const model::MediaId each : media)
            x_writing
                .query("DELETE FROM released_media WHERE media_id = ?1 AND (" PARLEY_MEDIA_IN_USE
                       " OR NOT EXISTS (SELECT 1 FROM media WHERE id = ?1 AND state <> 3))")
                .bind(each)
                .run();
        return {};
    });
}

Task<Result<std::vector<ports::ReleasedMedia::Carrier>>>
MediaRecords::media_carriers(model::MediaId media, std::size_t limit) {
    return x_readers.read([media, limit](Database& database) -> Result<std::vector<Carrier>> {
        std::vector<Carrier> found;
        auto query = database.query(
            "SELECT m.room_id, m.id, m.user_id FROM messages m JOIN rooms r ON r.id = m.room_id "
            "WHERE m.media_id = ?1 AND m.deleted = 0 AND r.deleted = 0 LIMIT ?2");
        query.bind(media, limit);
        while (query.row())
            found.push_back({query.id<model::RoomId>(0), query.id<model::EventId>(1),
                             query.id<model::UserId>(2)});
        return found;
    });
}

} // namespace parley::sqlite
