// Rows of the tables messages, events and rooms as values of the model: written by the shard store,
// read by it and by the readers. The columns stand in ports/rows.hpp.
//
// Threading: pure functions of a Row.
#pragma once

#include "adapters/postgres/rows.hpp"
#include "ports/rows.hpp"

namespace parley::postgres {

using ports::EventKind, ports::kMessageColumns, ports::kRoomColumns;
using ports::read_message, ports::read_room;

// Of a row r of rooms: the id of the room's newest event.
#define PARLEY_NEWEST_EVENT                                                                        \
    "greatest(r.removed_id, "                                                                      \
    "(SELECT id FROM messages WHERE room_id = r.id ORDER BY id DESC LIMIT 1), "                    \
    "(SELECT id FROM events WHERE room_id = r.id ORDER BY id DESC LIMIT 1))"

// Of the id of a room in what is asked of all shards: its rows here are those that count, not what
// has moved away or is not whole yet.
#define PARLEY_IS_HERE(room)                                                                       \
    "NOT EXISTS (SELECT 1 FROM moving_buckets x JOIN rooms y ON y.bucket = x.bucket "             \
    "WHERE x.away = 1 AND y.id = " room ")"

} // namespace parley::postgres
