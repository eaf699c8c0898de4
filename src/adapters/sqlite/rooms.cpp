#include "adapters/sqlite/rooms.hpp"

#include "adapters/sqlite/event_rows.hpp"

#include <algorithm>

namespace parley::sqlite {
namespace {

// One more than a page: how callers learn whether there is a next one.
constexpr std::size_t kRowsMax = limits::kPageMax + 1;

std::optional<model::Message> last_message(Database& database, model::RoomId room) {
    auto query = database.query("SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m "
                                "WHERE m.room_id = ?1 ORDER BY m.id DESC LIMIT ?2");
    query.bind(room, limits::kUnreadScanMax);
    while (query.row())
        if (auto message = read_message(query, room, 0); !message.deleted) return message;
    return std::nullopt;
}

std::uint64_t unread_count(Database& database, const ports::RoomListItem& item,
                           model::UserId user) {
    auto query =
        database.query("SELECT count(*) FROM (SELECT 1 FROM (SELECT user_id, deleted FROM messages "
                       "WHERE room_id = ?1 AND id > ?2 ORDER BY id DESC LIMIT ?4) "
                       "WHERE user_id <> ?3 AND deleted = 0 LIMIT ?5)");
    query.bind(item.room.id, item.last_read_id, user, limits::kUnreadScanMax,
               limits::kUnreadCountMax);
    return query.row() ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

ports::RoomListItem read_item(const Query& query) {
    ports::RoomListItem item;
    item.room = read_room(query, 0);
    item.my_role = query.enumerator<model::Role>(kRoomColumns);
    item.last_read_id = query.id<model::MessageId>(kRoomColumns + 1);
    if (item.room.kind == model::RoomKind::dm)
        for (const int column : {kRoomColumns + 2, kRoomColumns + 3})
            if (const auto user = query.optional_id<model::UserId>(column))
                item.dm_user_ids.push_back(*user);
    return item;
}

Result<ports::RoomSnapshot> read_snapshot(Database& database, model::RoomId room) {
    ports::RoomSnapshot snapshot;
    {
        auto query = database.query(
            "SELECT " PARLEY_ROOM_COLUMNS ", "
            "max(r.removed_id, ifnull((SELECT id FROM messages WHERE room_id = ?1 ORDER BY id DESC "
            "LIMIT 1), 0), "
            "ifnull((SELECT id FROM events WHERE room_id = ?1 ORDER BY id DESC LIMIT 1), 0)) "
            "FROM rooms r WHERE r.id = ?1 AND r.deleted = 0");
        query.bind(room);
        if (!query.row()) return Error(Errc::unknown_room, "there is no such room");
        snapshot.room = read_room(query, 0);
        snapshot.last_id = query.id<model::EventId>(kRoomColumns);
    }
    snapshot.members.reserve(snapshot.room.member_count);
    auto query = database.query("SELECT user_id, role FROM members WHERE room_id = ?");
    query.bind(room);
    while (query.row())
        snapshot.members.push_back({query.id<model::UserId>(0), query.enumerator<model::Role>(1)});
    return snapshot;
}

bool message_exists(Database& database, model::RoomId room, model::MessageId message) {
    auto query = database.query("SELECT 1 FROM messages m CROSS JOIN rooms r ON r.id = m.room_id "
                                "WHERE m.room_id = ?1 AND m.id = ?2 AND r.deleted = 0");
    query.bind(room, message);
    return query.row();
}

} // namespace

Task<Result<ports::RoomSnapshot>> Rooms::load_room(model::RoomId room) {
    return x_readers.read([room](Database& database) { return read_snapshot(database, room); });
}

Task<Result<std::vector<ports::RoomListItem>>>
Rooms::rooms_of(model::UserId user, model::RoomId after, std::size_t limit) {
    limit = std::min(limit, kRowsMax);
    using Items = std::vector<ports::RoomListItem>;
    return x_readers.read([=](Database& database) -> Result<Items> {
        Items items;
        // CROSS JOIN: in this order, by the index (user_id, room_id).
        auto query = database.query(
            "SELECT " PARLEY_ROOM_COLUMNS ", b.role, ifnull(k.message_id, 0), r.dm_low, r.dm_high "
            "FROM members b CROSS JOIN rooms r ON r.id = b.room_id "
            "LEFT JOIN read_marks k ON k.user_id = b.user_id AND k.room_id = b.room_id "
            "WHERE b.user_id = ?1 AND b.room_id > ?2 ORDER BY b.room_id LIMIT ?3");
        query.bind(user, after, limit);
        while (query.row()) {
            auto& item = items.emplace_back(read_item(query));
            item.last_message = last_message(database, item.room.id);
            item.unread_count = unread_count(database, item, user);
        }
        return items;
    });
}

Task<Result<std::vector<model::Room>>> Rooms::search(ports::Groups among, std::string query,
                                                     model::RoomId after, std::size_t limit) {
    limit = std::min(limit, kRowsMax);
    using Found = std::vector<model::Room>;
    return x_readers.read(
        [among, text = std::move(query), after, limit](Database& database) -> Result<Found> {
            // Two statements, so that the open ones come by their own index.
            constexpr const char* kOpen =
                "SELECT " PARLEY_ROOM_COLUMNS " FROM rooms r WHERE r.kind = 1 AND r.visibility = 1 "
                "AND r.deleted = 0 AND r.id > ?1 AND "
                "(instr(r.name_key, ?2) > 0 OR instr(r.topic_key, ?2) > 0) ORDER BY r.id LIMIT ?3";
            constexpr const char* kAll =
                "SELECT " PARLEY_ROOM_COLUMNS " FROM rooms r WHERE r.kind = 1 "
                "AND r.deleted = 0 AND r.id > ?1 AND "
                "(instr(r.name_key, ?2) > 0 OR instr(r.topic_key, ?2) > 0) ORDER BY r.id LIMIT ?3";
            Found found;
            auto query = database.query(among == ports::Groups::open ? kOpen : kAll);
            query.bind(after, text, limit);
            while (query.row()) found.push_back(read_room(query, 0));
            return found;
        });
}

Task<Result<std::vector<model::Member>>> Rooms::members(model::RoomId room, model::UserId after,
                                                        std::size_t limit) {
    limit = std::min(limit, kRowsMax);
    using Members = std::vector<model::Member>;
    return x_readers.read([=](Database& database) -> Result<Members> {
        Members members;
        auto query =
            database.query("SELECT b.user_id, u.username, b.role, b.joined_at, u.last_seen_at, "
                           "u.display_name, u.avatar_media_id "
                           "FROM members b CROSS JOIN users u ON u.id = b.user_id "
                           "WHERE b.room_id = ?1 AND b.user_id > ?2 ORDER BY b.user_id LIMIT ?3");
        query.bind(room, after, limit);
        while (query.row())
            members.push_back({query.id<model::UserId>(0), query.string(1),
                               query.enumerator<model::Role>(2), query.time(3),
                               query.optional_time(4), query.string(5),
                               query.optional_id<model::MediaId>(6)});
        return members;
    });
}

Task<Result<bool>> Rooms::share_room(model::UserId one, model::UserId other) {
    return x_readers.read([=](Database& database) -> Result<bool> {
        auto query = database.query("SELECT 1 FROM members a CROSS JOIN members b ON b.room_id = "
                                    "a.room_id AND b.user_id = ?2 WHERE a.user_id = ?1 LIMIT 1");
        query.bind(one, other);
        return query.row();
    });
}

Task<Result<ports::Readers>> Rooms::readers(model::RoomId room, model::MessageId message,
                                            std::size_t limit) {
    limit = std::min(limit, kRowsMax);
    return x_readers.read([=](Database& database) -> Result<ports::Readers> {
        ports::Readers readers;
        auto query = database.query(
            "SELECT b.user_id FROM members b CROSS JOIN read_marks k ON k.user_id = b.user_id AND "
            "k.room_id = b.room_id WHERE b.room_id = ?1 AND k.message_id >= ?2 "
            "ORDER BY b.user_id LIMIT ?3");
        query.bind(room, message, limit + 1);
        while (query.row()) readers.users.push_back(query.id<model::UserId>(0));
        readers.more = readers.users.size() > limit;
        if (readers.more) readers.users.pop_back();
        return readers;
    });
}

Task<Result<std::vector<ports::MarkOutcome>>> Rooms::set_read(std::vector<ports::ReadMark> marks) {
    using Outcomes = std::vector<ports::MarkOutcome>;
    return x_writer.run([this, marks = std::move(marks)]() -> Result<Outcomes> {
        Outcomes outcomes;
        outcomes.reserve(marks.size());
        for (const ports::ReadMark& mark : marks) outcomes.push_back(move_mark(mark));
        return outcomes;
    });
}

ports::MarkOutcome Rooms::move_mark(const ports::ReadMark& mark) {
    if (!message_exists(x_writing, mark.room, mark.message))
        return ports::MarkOutcome::unknown_message;
    x_writing
        .query("INSERT INTO read_marks (user_id, room_id, message_id) VALUES (?1, ?2, ?3) "
               "ON CONFLICT DO UPDATE SET message_id = ?3 WHERE message_id < ?3")
        .bind(mark.user, mark.room, mark.message)
        .run();
    return x_writing.changes() > 0 ? ports::MarkOutcome::moved : ports::MarkOutcome::stayed;
}

} // namespace parley::sqlite
