// The tables of a shard whose rows belong to rooms: what moves with a partition. A table that is in
// a shard and not here stops a move before it begins.
//
// Threading: constants and pure functions. Used by partition_move alone.
#pragma once

#include <array>
#include <string>

namespace parley::postgres {

struct PartitionTable {
    const char* name;
    const char* room;                 // the column with the room's id
    std::array<const char*, 3> keys;  // of the primary key, the numbers; null: no more
    const char* text_key = nullptr;   // of the primary key, a text
};

// rooms first: whose bucket a row is in is asked of them. The place in this list is `tbl` in
// changed_rows, so it never changes.
inline constexpr std::array kPartitionTables{
    PartitionTable{"rooms", "id", {"id"}},
    PartitionTable{"members", "room_id", {"room_id", "user_id"}},
    PartitionTable{"read_marks", "room_id", {"user_id", "room_id"}},
    PartitionTable{"messages", "room_id", {"id"}},
    PartitionTable{"events", "room_id", {"room_id", "id"}},
    PartitionTable{"reactions", "room_id", {"room_id", "message_id", "user_id"}, "emoji"},
    PartitionTable{"paced_posts", "room_id", {"room_id", "user_id"}},
    PartitionTable{"held_messages", "room_id", {"id"}},
};
// Those of which no row belongs to a room.
inline constexpr std::array kOtherTables{"partitions", "schema_version", "moving_buckets",
                                         "changed_rows", "released_media"};

// "t.id = c.k1 AND ..."
inline std::string same_key(const PartitionTable& table) {
    std::string out;
    for (std::size_t i = 0; i < table.keys.size() && table.keys[i]; ++i)
        out += std::string(i > 0 ? " AND " : "") + "t." + table.keys[i] + " = c.k" +
               std::to_string(i + 1);
    if (table.text_key) out += std::string(" AND t.") + table.text_key + " = c.k4";
    return out;
}

} // namespace parley::postgres
