// Rows of the tables messages, events and rooms as values of the model: written by the shard store,
// read by it and by the readers.
//
// Threading: pure functions of a Row.
#pragma once

#include "adapters/postgres/rows.hpp"
#include "model/message.hpp"

namespace parley::postgres {

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

#define PARLEY_MESSAGE_COLUMNS                                                                     \
    "m.id, m.user_id, m.type, m.content, m.media_id, m.reply_to, m.created_at, m.edited_at, "      \
    "m.deleted"
inline constexpr int kMessageColumns = 9;

#define PARLEY_ROOM_COLUMNS                                                                        \
    "r.id, r.kind, r.visibility, r.name, r.topic, r.created_at, r.member_count, r.deleted, "       \
    "r.slow_mode_seconds, r.retention_days"
inline constexpr int kRoomColumns = 10;

// Of a row r of rooms: the id of the room's newest event.
#define PARLEY_NEWEST_EVENT                                                                        \
    "greatest(r.removed_id, "                                                                      \
    "(SELECT id FROM messages WHERE room_id = r.id ORDER BY id DESC LIMIT 1), "                    \
    "(SELECT id FROM events WHERE room_id = r.id ORDER BY id DESC LIMIT 1))"

// `first`: the column where the list above begins.
model::Message read_message(const Row& row, model::RoomId room, int first);
model::Room read_room(const Row& row, int first);

} // namespace parley::postgres
