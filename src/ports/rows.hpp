// The columns of the relational stores and the values that they are: the same tables in SQLite and
// in PostgreSQL, so each list of columns, and what is read from it, stands here once.
//
// Row: one row of an answer, as sqlite::Query and postgres::Row are: is_null(), integer(),
// string(), id<>(), optional_id<>(), time(), optional_time(), enumerator<>(), each by column.
//
// Threading: pure. A column that is added goes to the end of its list, and into both schemas.
#pragma once

#include "model/message.hpp"
#include "model/user.hpp"
#include "ports/held_store.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace parley::ports {

// The columns of `events`, by kind:
//   kind      subject        detail         flags         text    topic
//   edited    message id     -              -             -       -
//   deleted   message id     -              -             -       -
//   reaction  message id     -              added         emoji   -
//   member    user id        MemberAction   Role          -       -
//   room      member count   Visibility     *             name    topic
// * deleted + 2 x slow mode's seconds. Retention is shown as it is now.
// An edit keeps no text: a resume shows the message's present state.
enum class EventKind : std::int64_t { edited = 2, deleted = 3, reaction = 4, member = 5, room = 6 };

// Macros, not constants, so that statements are literals with a stable address.
#define PARLEY_MESSAGE_COLUMNS                                                                     \
    "m.id, m.user_id, m.type, m.content, m.media_id, m.reply_to, m.created_at, m.edited_at, "      \
    "m.deleted, m.media"
inline constexpr int kMessageColumns = 10;

#define PARLEY_ROOM_COLUMNS                                                                        \
    "r.id, r.kind, r.visibility, r.name, r.topic, r.created_at, r.member_count, r.deleted, "       \
    "r.slow_mode_seconds, r.retention_days"
inline constexpr int kRoomColumns = 10;

#define PARLEY_HELD_COLUMNS                                                                        \
    "h.id, h.room_id, h.user_id, h.nonce, h.type, h.content, h.media_id, h.reply_to, "             \
    "h.body_hash, h.words, h.created_at"

#define PARLEY_USER_COLUMNS                                                                        \
    "id, username, email, display_name, avatar_media_id, created_at, disabled, role"
inline constexpr int kUserColumns = 8;

// `first`: the column where the list begins.
template <class Row>
model::Message read_message(const Row& row, model::RoomId room, int first) {
    model::Message message;
    message.id = row.template id<model::MessageId>(first);
    message.room_id = room;
    message.user_id = row.template id<model::UserId>(first + 1);
    message.type = row.template enumerator<model::MessageType>(first + 2);
    message.content = row.string(first + 3);
    message.media_id = row.template optional_id<model::MediaId>(first + 4);
    message.reply_to = row.template optional_id<model::MessageId>(first + 5);
    message.created_at = row.time(first + 6);
    message.edited_at = row.optional_time(first + 7);
    message.deleted = row.integer(first + 8) != 0;
    if (!row.is_null(first + 9)) message.media = model::media_facts_of(row.string(first + 9));
    return message;
}

// The column `media`.
inline std::optional<std::string> media_text(const model::Message& message) {
    if (!message.media_id || !message.media) return std::nullopt;
    return model::to_json(*message.media);
}

template <class Row>
model::Room read_room(const Row& row, int first) {
    model::Room room;
    room.id = row.template id<model::RoomId>(first);
    room.kind = row.template enumerator<model::RoomKind>(first + 1);
    room.visibility = row.template enumerator<model::Visibility>(first + 2);
    room.name = row.string(first + 3);
    room.topic = row.string(first + 4);
    room.created_at = row.time(first + 5);
    room.member_count = static_cast<std::uint64_t>(row.integer(first + 6));
    room.deleted = row.integer(first + 7) != 0;
    room.slow_mode_seconds = static_cast<std::uint32_t>(row.integer(first + 8));
    if (!row.is_null(first + 9))
        room.retention_days = static_cast<std::uint32_t>(row.integer(first + 9));
    return room;
}

template <class Row>
model::User read_user(const Row& row) {
    model::User user;
    user.id = row.template id<model::UserId>(0);
    user.username = row.string(1);
    user.email = row.string(2);
    user.display_name = row.string(3);
    user.avatar_media_id = row.template optional_id<model::MediaId>(4);
    user.created_at = row.time(5);
    user.disabled = row.integer(6) != 0;
    user.role = row.template enumerator<model::ServerRole>(7);
    return user;
}

#define PARLEY_SESSION_COLUMNS                                                                     \
    "id, user_id, created_at, expires_at, revoked_at, last_used_at, user_agent, address"

// Without the hash of its token.
template <class Row>
model::Session read_session(const Row& row) {
    model::Session session;
    session.id = row.template id<model::SessionId>(0);
    session.user_id = row.template id<model::UserId>(1);
    session.created_at = row.time(2);
    session.expires_at = row.time(3);
    session.revoked_at = row.optional_time(4);
    // Sessions from before the column was there have none.
    session.last_used_at = row.optional_time(5).value_or(session.created_at);
    session.device = {row.string(6), row.string(7)};
    return session;
}

// The column `words` of held messages: one a line.
inline std::string join_lines(const std::vector<std::string>& words) {
    std::string lines;
    for (const std::string& word : words) lines += (lines.empty() ? "" : "\n") + word;
    return lines;
}

inline std::vector<std::string> split_lines(std::string_view lines) {
    std::vector<std::string> words;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        words.emplace_back(lines.substr(0, end));
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    return words;
}

template <class Row>
HeldMessage read_held(const Row& row) {
    HeldMessage held;
    held.id = row.template id<model::HeldId>(0);
    held.room_id = row.template id<model::RoomId>(1);
    held.user_id = row.template id<model::UserId>(2);
    held.draft.nonce = row.string(3);
    held.draft.type = row.template enumerator<model::MessageType>(4);
    held.draft.content = row.string(5);
    held.draft.media_id = row.template optional_id<model::MediaId>(6);
    held.draft.reply_to = row.template optional_id<model::MessageId>(7);
    held.draft.body_hash = static_cast<std::uint64_t>(row.integer(8));
    held.words = split_lines(row.text(9));
    held.created_at = row.time(10);
    return held;
}

inline bool is_active_admin(const model::User& user) {
    return user.role == model::ServerRole::admin && !user.disabled;
}

} // namespace parley::ports
