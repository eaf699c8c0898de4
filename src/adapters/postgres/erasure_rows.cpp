#include "adapters/postgres/erasure_rows.hpp"

#include "base/cluster_limits.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace parley::postgres {
namespace {

// In place of an emoji that is erased: U+FFFD.
constexpr std::string_view kNoEmoji = "\xEF\xBF\xBD";

// Of the others in the room.
std::vector<model::UserId> successors_of(Connection& database, model::RoomId room,
                                         model::UserId user) {
    std::vector<model::UserId> users;
    const Rows rows = database.query("SELECT user_id FROM members WHERE room_id = $1 AND "
                                     "user_id <> $2 ORDER BY role DESC, joined_at, user_id "
                                     "LIMIT $3",
                                     Params(room, user, limits::kErasureSuccessors));
    for (const Row row : rows) users.push_back(row.id<model::UserId>(0));
    return users;
}

} // namespace

std::vector<ShardMembership> shard_memberships(Connection& database, model::UserId user,
                                               std::size_t limit) {
    std::vector<ShardMembership> found;
    const Rows rows = database.query(
        "SELECT r.id, r.member_count, r.kind = 1 AND m.role = 3 AND r.owner_count = 1 "
        "FROM members m JOIN rooms r ON r.id = m.room_id WHERE m.user_id = $1 "
        "ORDER BY m.room_id LIMIT $2",
        Params(user, limit));
    for (const Row row : rows) {
        found.push_back({row.id<model::RoomId>(0), row.integer(1) <= 1, {}});
        if (row.integer(2) != 0 && !found.back().alone)
            found.back().successors = successors_of(database, found.back().room_id, user);
    }
    return found;
}

// The log has no index by user, which every message would pay for: it is looked through in slices.
ShardSlice shard_slice(Connection& database, model::UserId user, model::MessageId after,
                       std::size_t limit) {
    ShardSlice slice;
    const Rows window = database.query("SELECT coalesce(max(id), $1), count(*) FROM (SELECT id "
                                       "FROM messages WHERE id > $1 ORDER BY id LIMIT $2) w",
                                       Params(after, limits::kErasureScan));
    slice.scanned = window.front().id<model::MessageId>(0);
    slice.at_end = window.front().integer(1) < static_cast<std::int64_t>(limits::kErasureScan);
    const Rows rows = database.query("SELECT room_id, id FROM messages WHERE id > $1 AND id <= $2 "
                                     "AND user_id = $3 AND (deleted = 0 OR nonce <> '' OR "
                                     "body_hash <> 0) ORDER BY id LIMIT $4",
                                     Params(after, slice.scanned, user, limit));
    for (const Row row : rows)
        slice.messages.emplace_back(row.id<model::RoomId>(0), row.id<model::MessageId>(1));
    if (rows.size() == limit && !rows.empty()) {
        slice.at_end = false; // above the last of them nothing was looked at
        slice.scanned = slice.messages.back().second;
    }
    return slice;
}

ports::ErasedMessages merge_slices(const std::vector<ShardSlice>& slices, model::MessageId after,
                                   std::size_t limit) {
    ports::ErasedMessages merged;
    merged.at_end = true;
    merged.scanned = after;
    model::MessageId end{INT64_MAX};
    for (const ShardSlice& slice : slices) {
        merged.scanned = std::max(merged.scanned, slice.scanned);
        if (!slice.at_end) end = std::min(end, slice.scanned);
        merged.at_end = merged.at_end && slice.at_end;
    }
    merged.scanned = std::min(merged.scanned, end);
    for (const ShardSlice& slice : slices)
        for (const auto& message : slice.messages)
            if (message.second <= merged.scanned) merged.messages.push_back(message);
    std::ranges::sort(merged.messages, {}, [](const auto& message) { return message.second; });
    if (merged.messages.size() >= limit) {
        merged.messages.resize(limit);
        merged.at_end = false;
        if (!merged.messages.empty()) merged.scanned = merged.messages.back().second;
    }
    return merged;
}

std::vector<ports::ErasedReaction> shard_reactions(Connection& database, model::UserId user,
                                                   std::size_t limit) {
    std::vector<ports::ErasedReaction> found;
    const Rows rows = database.query(
        "SELECT room_id, message_id, emoji FROM reactions WHERE user_id = $1 LIMIT $2",
        Params(user, limit));
    for (const Row row : rows)
        found.push_back({row.id<model::RoomId>(0), row.id<model::MessageId>(1), row.string(2)});
    return found;
}

void blank_messages(Connection& database, model::UserId user,
                    const std::vector<model::MessageId>& messages) {
    database.query(
        "UPDATE messages SET content = '', media_id = NULL, media = NULL, deleted = 1, nonce = '', "
        "body_hash = 0 WHERE id = ANY($1) AND user_id = $2",
        Params(messages, user));
}

bool blank_room(Connection& database, model::RoomId room) {
    const Rows rooms =
        database.query("UPDATE rooms SET name = '', name_key = '', topic = '', topic_key = '' "
                       "WHERE id = $1 AND deleted = 1",
                       Params(room));
    if (rooms.changes() == 0) return false;
    database.query("UPDATE events SET text = '', topic = '' WHERE room_id = $1 AND kind = 6",
                   Params(room));
    return true;
}

void remove_reactions(Connection& database, model::UserId user,
                      const std::vector<ports::ErasedReaction>& reactions) {
    std::vector<model::RoomId> rooms;
    std::vector<model::MessageId> messages;
    std::vector<std::string> emoji;
    for (const ports::ErasedReaction& one : reactions) {
        rooms.push_back(one.room_id);
        messages.push_back(one.message_id);
        emoji.push_back(one.emoji);
    }
    database.query("DELETE FROM reactions r USING unnest($2::bigint[], $3::bigint[], $4::text[]) "
                   "AS o (room_id, message_id, emoji) WHERE r.room_id = o.room_id AND "
                   "r.message_id = o.message_id AND r.emoji = o.emoji AND r.user_id = $1",
                   Params(user, rooms, messages, emoji));
}

bool blank_emoji(Connection& database, model::UserId user) {
    const Rows blanked = database.query(
        "UPDATE events SET text = $2, flags = 0 WHERE (room_id, id) IN (SELECT room_id, id "
        "FROM events WHERE kind = 4 AND user_id = $1 AND text <> $2 LIMIT $3)",
        Params(user, kNoEmoji, limits::kErasureBatch));
    return blanked.changes() < static_cast<std::int64_t>(limits::kErasureBatch);
}

std::int64_t blank_rest(Connection& database, model::UserId user) {
    const std::int64_t held =
        database.query("DELETE FROM held_messages WHERE user_id = $1", Params(user)).changes();
    // Those that the user has deleted, also where a crash came between a room's end and its name's.
    const Rows rooms = database.query(
        "SELECT id FROM rooms r WHERE deleted = 1 AND (name <> '' OR topic <> '') AND $1 = "
        "(SELECT user_id FROM events WHERE room_id = r.id ORDER BY id DESC LIMIT 1)",
        Params(user));
    for (const Row row : rooms) blank_room(database, row.id<model::RoomId>(0));
    database.query("DELETE FROM read_marks WHERE user_id = $1", Params(user));
    return held;
}

} // namespace parley::postgres
