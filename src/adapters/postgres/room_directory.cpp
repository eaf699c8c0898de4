#include "adapters/postgres/room_directory.hpp"

#include "adapters/postgres/event_rows.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <map>

namespace parley::postgres {
namespace {

// One more than a page: how callers learn whether there is a next one.
constexpr std::size_t kRowsMax = limits::kPageMax + 1;

// What the shards gave, as if it had been one.
template <class T, class IdOf>
std::vector<T> merge(std::vector<std::vector<T>> of_shards, std::size_t limit, IdOf id_of) {
    std::vector<T> all;
    for (auto& some : of_shards) std::ranges::move(some, std::back_inserter(all));
    std::ranges::sort(all, {}, id_of);
    // At the moment in which a room's partition moves, two shards have it.
    const auto twice = std::ranges::unique(all, {}, id_of);
    all.erase(twice.begin(), twice.end());
    if (all.size() > limit) all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
    return all;
}

Result<ports::RoomSnapshot> read_snapshot(Connection& connection, model::RoomId room) {
    const auto rows = connection.query(
        "SELECT " PARLEY_ROOM_COLUMNS ", " PARLEY_NEWEST_EVENT ", b.users, b.roles FROM rooms r, "
        "LATERAL (SELECT array_agg(user_id) AS users, array_agg(role) AS roles FROM members "
        "WHERE room_id = r.id) b WHERE r.id = $1 AND r.deleted = 0",
        Params(room));
    if (rows.empty()) return Error(Errc::unknown_room, "there is no such room");
    const Row row = rows.front();
    ports::RoomSnapshot snapshot;
    snapshot.room = read_room(row, 0);
    snapshot.last_id = row.id<model::EventId>(kRoomColumns);
    const auto users = row.integers(kRoomColumns + 1);
    const auto roles = row.integers(kRoomColumns + 2);
    snapshot.members.reserve(users.size());
    for (std::size_t i = 0; i < users.size(); ++i)
        snapshot.members.push_back({{users[i]}, static_cast<model::Role>(roles.at(i))});
    return snapshot;
}

// --- a user's rooms. Columns: the room; role, mark, the two of a dm, unread; the newest message.
constexpr int kRole = kRoomColumns, kMark = kRole + 1, kLow = kMark + 1, kHigh = kLow + 1;
constexpr int kUnread = kHigh + 1, kLastMessage = kUnread + 1;

constexpr const char* kRoomsOf =
    "SELECT " PARLEY_ROOM_COLUMNS ", b.role, b.mark, r.dm_low, r.dm_high, u.unread, "
    PARLEY_MESSAGE_COLUMNS " FROM (SELECT b.room_id, b.role, coalesce((SELECT message_id FROM "
    "read_marks WHERE user_id = $1 AND room_id = b.room_id), 0) AS mark "
    "FROM members b WHERE b.user_id = $1 AND b.room_id > $2 AND " PARLEY_IS_HERE("b.room_id")
    " ORDER BY b.room_id LIMIT $3) b "
    "JOIN rooms r ON r.id = b.room_id, "
    "LATERAL (SELECT count(*) AS unread FROM (SELECT 1 FROM (SELECT user_id, deleted FROM messages "
    "WHERE room_id = b.room_id AND id > b.mark ORDER BY id DESC LIMIT $4) s "
    "WHERE user_id <> $1 AND deleted = 0 LIMIT $5) c) u "
    "LEFT JOIN LATERAL (SELECT * FROM (SELECT * FROM messages WHERE room_id = b.room_id "
    "ORDER BY id DESC LIMIT $4) s WHERE deleted = 0 ORDER BY id DESC LIMIT 1) m ON true "
    "ORDER BY b.room_id";

ports::RoomListItem read_item(const Row& row) {
    ports::RoomListItem item;
    item.room = read_room(row, 0);
    item.my_role = row.enumerator<model::Role>(kRole);
    item.last_read_id = row.id<model::MessageId>(kMark);
    item.unread_count = static_cast<std::uint64_t>(row.integer(kUnread));
    if (item.room.kind == model::RoomKind::dm)
        for (const int column : {kLow, kHigh})
            if (const auto user = row.optional_id<model::UserId>(column))
                item.dm_user_ids.push_back(*user);
    if (!row.is_null(kLastMessage))
        item.last_message = read_message(row, item.room.id, kLastMessage);
    return item;
}

// --- read marks
struct PlacedMarks {
    std::vector<ports::ReadMark> marks;
    std::vector<std::size_t> places; // in the caller's order
};

// The marks in one statement, in an order that is the same for everybody (two that lock the same
// rows in two orders would wait for each other); then what each of them did, one after the other.
std::vector<ports::MarkOutcome> write_marks(Connection& connection,
                                            const std::vector<ports::ReadMark>& marks) {
    std::vector<model::UserId> users;
    std::vector<model::RoomId> rooms;
    std::vector<model::MessageId> messages;
    for (const ports::ReadMark& mark : marks) {
        users.push_back(mark.user);
        rooms.push_back(mark.room);
        messages.push_back(mark.message);
    }
    const auto rows = connection.query(
        "WITH k AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY "
        "AS k (user_id, room_id, message_id, at)), "
        "known AS MATERIALIZED (SELECT k.* FROM k JOIN messages m ON m.id = k.message_id AND "
        "m.room_id = k.room_id JOIN rooms r ON r.id = k.room_id AND r.deleted = 0), "
        "moved AS (INSERT INTO read_marks AS b (user_id, room_id, message_id) SELECT user_id, "
        "room_id, max(message_id) FROM known GROUP BY user_id, room_id ORDER BY user_id, room_id "
        "ON CONFLICT (user_id, room_id) DO UPDATE SET message_id = excluded.message_id "
        "WHERE b.message_id < excluded.message_id) "
        "SELECT known.at, b.message_id FROM known LEFT JOIN read_marks b ON "
        "b.user_id = known.user_id AND b.room_id = known.room_id ORDER BY known.at",
        Params(users, rooms, messages));
    std::vector<ports::MarkOutcome> outcomes(marks.size(), ports::MarkOutcome::unknown_message);
    std::map<std::pair<model::UserId, model::RoomId>, model::MessageId> standing;
    for (const Row row : rows) {
        const auto at = static_cast<std::size_t>(row.integer(0)) - 1;
        const ports::ReadMark& mark = marks.at(at);
        // What stood before the statement; 0: nothing.
        auto& stands =
            standing.try_emplace({mark.user, mark.room}, row.id<model::MessageId>(1)).first->second;
        outcomes[at] = stands < mark.message ? ports::MarkOutcome::moved
                                             : ports::MarkOutcome::stayed;
        stands = std::max(stands, mark.message);
    }
    return outcomes;
}

} // namespace

Task<Result<ports::RoomSnapshot>> RoomDirectory::load_room(model::RoomId room) {
    return x_shards.of(room).run(
        [room](Connection& connection) { return read_snapshot(connection, room); });
}

Task<Result<std::vector<ports::RoomListItem>>>
RoomDirectory::rooms_of(model::UserId user, model::RoomId after, std::size_t limit) {
    limit = std::min(limit, kRowsMax);
    using Items = std::vector<ports::RoomListItem>;
    auto asking = x_shards.ask_all([=](Connection& connection) -> Result<Items> {
        Items items;
        for (const Row row : connection.query(kRoomsOf, Params(user, after, limit,
                                                               limits::kUnreadScanMax,
                                                               limits::kUnreadCountMax)))
            items.push_back(read_item(row));
        return items;
    });
    PARLEY_CO_TRY(std::vector<Items> found, co_await std::move(asking));
    co_return merge(std::move(found), limit, [](const auto& item) { return item.room.id; });
}

Task<Result<std::vector<model::Room>>> RoomDirectory::search(ports::Groups among, std::string query,
                                                             model::RoomId after,
                                                             std::size_t limit) {
    // Two statements, so that the open ones come by their own index.
    static constexpr const char* kOpen =
        "SELECT " PARLEY_ROOM_COLUMNS " FROM rooms r WHERE r.kind = 1 AND r.visibility = 1 "
        "AND r.deleted = 0 AND r.id > $1 AND " PARLEY_IS_HERE("r.id") " AND "
        "(strpos(r.name_key, $2) > 0 OR strpos(r.topic_key, $2) > 0) ORDER BY r.id LIMIT $3";
    static constexpr const char* kAll =
        "SELECT " PARLEY_ROOM_COLUMNS " FROM rooms r WHERE r.kind = 1 "
        "AND r.deleted = 0 AND r.id > $1 AND " PARLEY_IS_HERE("r.id") " AND "
        "(strpos(r.name_key, $2) > 0 OR strpos(r.topic_key, $2) > 0) ORDER BY r.id LIMIT $3";
    limit = std::min(limit, kRowsMax);
    using Found = std::vector<model::Room>;
    auto asking = x_shards.ask_all([=, text = std::move(query)](
                                       Connection& connection) -> Result<Found> {
        Found found;
        for (const Row row : connection.query(among == ports::Groups::open ? kOpen : kAll,
                                              Params(after, text, limit)))
            found.push_back(read_room(row, 0));
        return found;
    });
    PARLEY_CO_TRY(std::vector<Found> found, co_await std::move(asking));
    co_return merge(std::move(found), limit, &model::Room::id);
}

Task<Result<std::vector<model::Member>>>
RoomDirectory::members(model::RoomId room, model::UserId after, std::size_t limit) {
    limit = std::min(limit, kRowsMax);
    using Members = std::vector<model::Member>;
    auto asking = x_shards.of(room).run([=](Connection& connection) -> Result<Members> {
        Members members;
        for (const Row row :
             connection.query("SELECT user_id, role, joined_at FROM members WHERE room_id = $1 "
                              "AND user_id > $2 ORDER BY user_id LIMIT $3",
                              Params(room, after, limit)))
            members.push_back({row.id<model::UserId>(0),
                               {},
                               row.enumerator<model::Role>(1),
                               row.time(2),
                               {},
                               {},
                               {}});
        return members;
    });
    PARLEY_CO_TRY(Members members, co_await std::move(asking));
    if (members.empty()) co_return members;
    std::vector<model::UserId> users;
    for (const model::Member& member : members) users.push_back(member.user_id);
    PARLEY_CO_TRY(auto names, co_await x_names.names_of(std::move(users)));
    PARLEY_ASSERT(names.size() == members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
        members[i].username = std::move(names[i].username);
        members[i].last_seen_at = names[i].last_seen_at;
        members[i].display_name = std::move(names[i].display_name);
        members[i].avatar_media_id = names[i].avatar_media_id;
    }
    co_return members;
}

Task<Result<bool>> RoomDirectory::share_room(model::UserId one, model::UserId other) {
    auto asking = x_shards.ask_all([=](Connection& connection) -> Result<bool> {
        return !connection
                    .query("SELECT 1 FROM members a JOIN members b ON b.room_id = a.room_id AND "
                           "b.user_id = $2 WHERE a.user_id = $1 AND " PARLEY_IS_HERE("a.room_id")
                           " LIMIT 1",
                           Params(one, other))
                    .empty();
    });
    PARLEY_CO_TRY(const auto found, co_await std::move(asking));
    co_return std::any_of(found.begin(), found.end(), [](bool shared) { return shared; });
}

Task<Result<ports::Readers>> RoomDirectory::readers(model::RoomId room, model::MessageId message,
                                                    std::size_t limit) {
    limit = std::min(limit, kRowsMax);
    return x_shards.of(room).run([=](Connection& connection) -> Result<ports::Readers> {
        ports::Readers readers;
        for (const Row row : connection.query(
                 "SELECT b.user_id FROM members b JOIN read_marks k ON k.user_id = b.user_id AND "
                 "k.room_id = b.room_id WHERE b.room_id = $1 AND k.message_id >= $2 "
                 "ORDER BY b.user_id LIMIT $3",
                 Params(room, message, limit + 1)))
            readers.users.push_back(row.id<model::UserId>(0));
        readers.more = readers.users.size() > limit;
        if (readers.more) readers.users.pop_back();
        return readers;
    });
}

Task<Result<std::vector<ports::MarkOutcome>>>
RoomDirectory::set_read(std::vector<ports::ReadMark> marks) {
    using Outcomes = std::vector<ports::MarkOutcome>;
    std::map<std::size_t, PlacedMarks> by_shard;
    for (std::size_t i = 0; i < marks.size(); ++i) {
        PlacedMarks& placed = by_shard[x_shards.index_of(marks[i].room)];
        placed.marks.push_back(marks[i]);
        placed.places.push_back(i);
    }
    Outcomes outcomes(marks.size(), ports::MarkOutcome::unknown_message);
    for (auto& [shard, placed] : by_shard) {
        auto writing = x_shards[shard].run(
            [some = std::move(placed.marks)](Connection& connection) -> Result<Outcomes> {
                return write_marks(connection, some);
            });
        PARLEY_CO_TRY(const Outcomes some, co_await std::move(writing));
        for (std::size_t i = 0; i < some.size(); ++i) outcomes[placed.places[i]] = some[i];
    }
    co_return outcomes;
}

} // namespace parley::postgres
