// The rows of files in the relational stores: what SQLite and PostgreSQL have in common of the
// media catalog. Row: as in rows.hpp.
//
// Threading: pure. A column that is added goes to the end of its list, and into both schemas.
#pragma once

#include "base/hex.hpp"
#include "ports/media_catalog.hpp"

#include <chrono>
#include <string>

namespace parley::ports {

#define PARLEY_MEDIA_COLUMNS                                                                       \
    "id, room_id, user_id, key, facts, sha256, state, created_at, ticket_expires_at"

// Failure: the store's own exception, for what cannot be read.
template <class Failure, class Row>
model::Media read_media(const Row& row) {
    model::Media media;
    media.id = row.template id<model::MediaId>(0);
    media.room_id = row.template id<model::RoomId>(1);
    media.user_id = row.template id<model::UserId>(2);
    media.key = row.string(3);
    const model::MediaFactsRef facts = model::media_facts_of(row.text(4));
    if (!facts) throw Failure(Errc::internal, "the facts of a media cannot be read");
    media.facts = *facts;
    media.sha256 = from_hex(row.text(5)).value_or(std::string());
    media.state = row.template enumerator<model::MediaState>(6);
    media.created_at = row.time(7);
    media.ticket_expires_at = row.time(8);
    return media;
}

inline model::Media media_of(const NewMedia& fresh, model::MediaId id) {
    model::Media media;
    media.id = id;
    media.room_id = fresh.room_id;
    media.user_id = fresh.user_id;
    media.facts = fresh.facts;
    media.key = fresh.key;
    media.sha256 = fresh.sha256;
    media.created_at = fresh.created_at;
    media.ticket_expires_at = fresh.ticket_expires_at;
    return media;
}

inline Error unknown_media() { return {Errc::unknown_media, "no such file"}; }

// --- quota: usage is counted by days of UTC, from 1970 on; day 0 is that of the whole server
inline constexpr std::int64_t kUsageDayMs = 86'400'000;

inline std::int64_t usage_day(model::Time time) { return time.ms / kUsageDayMs; }

inline Error usage_day_is_full(model::Time now) {
    return {Errc::media_quota, "so much may not be uploaded in one day",
            std::chrono::milliseconds((usage_day(now) + 1) * kUsageDayMs - now.ms)};
}

inline Error server_is_full() {
    return {Errc::media_quota, "this server keeps no more files",
            std::chrono::milliseconds(std::chrono::hours(1))};
}

} // namespace parley::ports
