#include "adapters/sqlite/event_store.hpp"

#include "adapters/sqlite/event_rows.hpp"

#include <algorithm>
#include <tuple>

namespace parley::sqlite {
namespace {

struct EventRow {
    EventKind kind;
    std::int64_t subject = 0;
    std::int64_t detail = 0;
    std::int64_t flags = 0;
    std::string_view text = {};
    std::string_view topic = {};
};

void insert_event(Database& database, const model::Event& event, const EventRow& row) {
    database
        .query("INSERT INTO events (room_id, id, prev_id, user_id, at, kind, subject, detail, "
               "flags, text, topic) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(event.room_id, event.id, event.prev_id, event.user_id, event.at, row.kind,
              row.subject, row.detail, row.flags, row.text, row.topic)
        .run();
}

} // namespace

template <class Function>
auto EventStore::checked(Function&& function) -> std::invoke_result_t<Function&> {
    auto result = guarded(function);
    if (!result) {
        x_transactions.note_failure(result.error());
        x_facts.forget();
    }
    return result;
}

Result<void> EventStore::begin() {
    return checked([&]() -> Result<void> {
        x_newest = {};
        x_events = 0;
        x_transactions.begin();
        return {};
    });
}

Result<void> EventStore::put(const model::Sequenced& sequenced) {
    return checked([&]() -> Result<void> {
        std::visit([&](const auto& body) { store(sequenced, body); }, sequenced.event().body);
        x_facts.apply(sequenced.event());
        x_newest = std::max(x_newest, sequenced.event().id);
        ++x_events;
        return {};
    });
}

Result<void> EventStore::commit() {
    return checked([&]() -> Result<void> {
        if (x_newest)
            x_database.query("UPDATE meta SET value = max(value, ?) WHERE key = 'last_event_id'")
                .bind(x_newest)
                .run();
        x_transactions.commit(x_events);
        return {};
    });
}

void EventStore::rollback() {
    x_transactions.rollback();
    x_facts.forget();
}

// --- what an event changes
// -------------------------------------------------------------------------

void EventStore::store(const model::Sequenced& sequenced, const model::MessagePosted& posted) {
    const model::Event& event = sequenced.event();
    const model::Message& message = posted.message;
    x_new_nonces.remember(event.room_id, event.user_id, posted.nonce);
    const std::optional<std::string> media = ports::media_text(message);
    x_database
        .query("INSERT INTO messages (room_id, id, prev_id, user_id, created_at, type, content, "
               "media_id, reply_to, edited_at, deleted, nonce, body_hash, media) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(event.room_id, event.id, event.prev_id, event.user_id, message.created_at,
              message.type, message.content, message.media_id, message.reply_to, message.edited_at,
              message.deleted, posted.nonce, sequenced.body_hash(), media)
        .run();
    if (sequenced.paced())
        x_database
            .query("INSERT INTO paced_posts (room_id, user_id, at) VALUES (?1, ?2, ?3) "
                   "ON CONFLICT DO UPDATE SET at = ?3")
            .bind(event.room_id, event.user_id, message.created_at)
            .run();
}

void EventStore::store(const model::Sequenced& sequenced, const model::MessageEdited& edited) {
    const model::Message& message = edited.message;
    const std::optional<std::string> media = ports::media_text(message);
    x_database
        .query("UPDATE messages SET content = ?3, edited_at = ?4, media = ?5 "
               "WHERE room_id = ?1 AND id = ?2")
        .bind(message.room_id, message.id, message.content, message.edited_at, media)
        .run();
    insert_event(x_database, sequenced.event(),
                 {.kind = EventKind::edited, .subject = message.id.value});
}

void EventStore::store(const model::Sequenced& sequenced, const model::MessageDeleted& deleted) {
    const model::Event& event = sequenced.event();
    x_database
        .query("UPDATE messages SET content = '', media_id = NULL, media = NULL, deleted = 1 "
               "WHERE room_id = ?1 AND id = ?2")
        .bind(event.room_id, deleted.message_id)
        .run();
    x_database.query("DELETE FROM reactions WHERE room_id = ?1 AND message_id = ?2")
        .bind(event.room_id, deleted.message_id)
        .run();
    insert_event(x_database, event,
                 {.kind = EventKind::deleted, .subject = deleted.message_id.value});
}

void EventStore::store(const model::Sequenced& sequenced, const model::ReactionChanged& reaction) {
    const model::Event& event = sequenced.event();
    if (reaction.added)
        x_database
            .query(
                "INSERT OR IGNORE INTO reactions (room_id, message_id, emoji, user_id, event_id) "
                "VALUES (?, ?, ?, ?, ?)")
            .bind(event.room_id, reaction.message_id, reaction.emoji, event.user_id, event.id)
            .run();
    else
        x_database
            .query("DELETE FROM reactions WHERE room_id = ?1 AND message_id = ?2 AND emoji = ?3 "
                   "AND user_id = ?4")
            .bind(event.room_id, reaction.message_id, reaction.emoji, event.user_id)
            .run();
    insert_event(x_database, event,
                 {.kind = EventKind::reaction,
                  .subject = reaction.message_id.value,
                  .flags = reaction.added,
                  .text = reaction.emoji});
}

void EventStore::store(const model::Sequenced& sequenced, const model::MemberChanged& change) {
    const model::Event& event = sequenced.event();
    switch (change.action) {
    case model::MemberAction::joined:
        add_member(event, change.user_id, change.role);
        break;
    case model::MemberAction::left:
    case model::MemberAction::removed:
        remove_member(event, change.user_id);
        break;
    case model::MemberAction::role:
        change_role(event, change.user_id, change.role);
        break;
    }
    insert_event(x_database, event,
                 {.kind = EventKind::member,
                  .subject = change.user_id.value,
                  .detail = static_cast<std::int64_t>(change.action),
                  .flags = static_cast<std::int64_t>(change.role)});
}

void EventStore::store(const model::Sequenced& sequenced, const model::RoomChanged& change) {
    const model::Event& event = sequenced.event();
    const model::Room& room = change.room;
    if (!sequenced.initial_members().empty()) {
        create_room(sequenced, room);
    } else if (room.deleted) {
        x_database
            .query("UPDATE rooms SET deleted = 1, member_count = 0, owner_count = 0 WHERE id = ?")
            .bind(event.room_id)
            .run();
        x_database.query("DELETE FROM members WHERE room_id = ?").bind(event.room_id).run();
    } else {
        x_database
            .query("UPDATE rooms SET name = ?2, name_key = ?3, topic = ?4, topic_key = ?5, "
                   "visibility = ?6, slow_mode_seconds = ?7, retention_days = ?8 WHERE id = ?1")
            .bind(event.room_id, room.name, sequenced.name_key(), room.topic, sequenced.topic_key(),
                  room.visibility, room.slow_mode_seconds, room.retention_days)
            .run();
    }
    if (room.deleted || room.slow_mode_seconds == 0)
        x_database.query("DELETE FROM paced_posts WHERE room_id = ?").bind(event.room_id).run();
    insert_event(x_database, event,
                 {.kind = EventKind::room,
                  .subject = static_cast<std::int64_t>(room.member_count),
                  .detail = static_cast<std::int64_t>(room.visibility),
                  .flags = (room.deleted ? 1 : 0) + 2 * std::int64_t{room.slow_mode_seconds},
                  .text = room.name,
                  .topic = room.topic});
}

void EventStore::create_room(const model::Sequenced& sequenced, const model::Room& room) {
    const model::Event& event = sequenced.event();
    const auto& members = sequenced.initial_members();
    std::optional<model::UserId> low, high;
    if (room.kind == model::RoomKind::dm && !members.empty())
        std::tie(low, high) = std::minmax(members.front(), members.back());
    x_database
        .query("INSERT INTO rooms (id, kind, visibility, name, name_key, topic, topic_key, "
               "created_at, member_count, owner_count, dm_low, dm_high) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)")
        .bind(event.room_id, room.kind, room.visibility, room.name, sequenced.name_key(),
              room.topic, sequenced.topic_key(), room.created_at, low, high)
        .run();
    for (std::size_t i = 0; i < members.size(); ++i)
        add_member(event, members[i], i == 0 ? model::Role::owner : model::Role::member);
}

void EventStore::add_member(const model::Event& event, model::UserId user, model::Role role) {
    x_database
        .query("INSERT OR IGNORE INTO members (room_id, user_id, role, joined_at) "
               "VALUES (?, ?, ?, ?)")
        .bind(event.room_id, user, role, event.at)
        .run();
    if (x_database.changes() > 0)
        count_members(event.room_id, 1, role == model::Role::owner ? 1 : 0);
}

void EventStore::remove_member(const model::Event& event, model::UserId user) {
    const auto present = role_of(event.room_id, user);
    if (!present) return;
    x_database.query("DELETE FROM members WHERE room_id = ?1 AND user_id = ?2")
        .bind(event.room_id, user)
        .run();
    count_members(event.room_id, -1, *present == model::Role::owner ? -1 : 0);
}

void EventStore::change_role(const model::Event& event, model::UserId user, model::Role role) {
    const auto present = role_of(event.room_id, user);
    if (!present) return;
    x_database.query("UPDATE members SET role = ?3 WHERE room_id = ?1 AND user_id = ?2")
        .bind(event.room_id, user, role)
        .run();
    const int before = *present == model::Role::owner ? 1 : 0;
    const int after = role == model::Role::owner ? 1 : 0;
    count_members(event.room_id, 0, after - before);
}

void EventStore::count_members(model::RoomId room, int members, int owners) {
    x_database
        .query("UPDATE rooms SET member_count = member_count + ?2, owner_count = owner_count + ?3 "
               "WHERE id = ?1")
        .bind(room, members, owners)
        .run();
}

// --- look-ups
// ----------------------------------------------------------------------------------------

std::optional<model::Role> EventStore::role_of(model::RoomId room, model::UserId user) {
    auto query = x_database.query("SELECT role FROM members WHERE room_id = ?1 AND user_id = ?2");
    query.bind(room, user);
    if (!query.row()) return std::nullopt;
    return query.enumerator<model::Role>(0);
}

Result<model::EventId> EventStore::last_id() {
    return guarded([&]() -> Result<model::EventId> {
        auto newest = x_database.query("SELECT max(nonce) FROM messages "
                                       "WHERE nonce >= ?1 AND nonce < ?2 AND nonce <> ''");
        newest.bind(model::NewNonces::kFirst, model::NewNonces::kEnd);
        const bool any = newest.row() && !newest.is_null(0);
        x_new_nonces.start(any ? newest.string(0) : std::string());
        auto query = x_database.query("SELECT value FROM meta WHERE key = 'last_event_id'");
        if (!query.row()) return Error(Errc::internal, "the database file has no last id");
        return query.id<model::EventId>(0);
    });
}

std::optional<ports::StoredRoom> EventStore::read_stored(model::RoomId room) {
    auto query = x_database.query(
        "SELECT " PARLEY_ROOM_COLUMNS ", r.owner_count, "
        "max(r.removed_id, ifnull((SELECT id FROM messages WHERE room_id = ?1 ORDER BY id DESC "
        "LIMIT 1), 0), "
        "ifnull((SELECT id FROM events WHERE room_id = ?1 ORDER BY id DESC LIMIT 1), 0)) "
        "FROM rooms r WHERE r.id = ?1 AND r.deleted = 0");
    query.bind(room);
    if (!query.row()) return std::nullopt;
    ports::StoredRoom stored;
    stored.room = read_room(query, 0);
    stored.owners = static_cast<std::size_t>(query.integer(kRoomColumns));
    stored.last_id = query.id<model::EventId>(kRoomColumns + 1);
    return stored;
}

Result<std::optional<ports::StoredRoom>> EventStore::room(model::RoomId room) {
    if (const auto* known = x_facts.room(room)) return std::optional(*known);
    return checked([&]() -> Result<std::optional<ports::StoredRoom>> {
        auto stored = read_stored(room);
        if (stored) x_facts.remember(*stored);
        return stored;
    });
}

Result<std::optional<model::Role>> EventStore::role(model::RoomId room, model::UserId user) {
    if (const auto* known = x_facts.role(room, user)) return std::optional(*known);
    return checked([&]() -> Result<std::optional<model::Role>> {
        const auto role = role_of(room, user);
        if (role) x_facts.remember(room, user, *role);
        return role;
    });
}

Result<std::optional<model::Time>> EventStore::paced_at(model::RoomId room, model::UserId user) {
    return checked([&]() -> Result<std::optional<model::Time>> {
        auto query =
            x_database.query("SELECT at FROM paced_posts WHERE room_id = ?1 AND user_id = ?2");
        query.bind(room, user);
        if (!query.row()) return std::nullopt;
        return query.time(0);
    });
}

Result<std::optional<ports::StoredNonce>> EventStore::nonce(model::RoomId room, model::UserId user,
                                                            std::string_view nonce) {
    if (x_new_nonces.surely_new(room, user, nonce)) return std::optional<ports::StoredNonce>{};
    return checked([&]() -> Result<std::optional<ports::StoredNonce>> {
        // `<> ''` lets SQLite see that the partial index has the answer.
        auto query = x_database.query(
            "SELECT " PARLEY_MESSAGE_COLUMNS ", m.prev_id, m.body_hash FROM messages m "
            "WHERE m.nonce = ?1 AND m.nonce <> '' AND m.room_id = ?2 AND m.user_id = ?3");
        query.bind(nonce, room, user);
        if (!query.row()) return std::nullopt;
        ports::StoredNonce stored;
        model::MessagePosted posted{read_message(query, room, 0), std::string(nonce)};
        stored.event.id = posted.message.id;
        stored.event.prev_id = query.id<model::EventId>(kMessageColumns);
        stored.event.room_id = room;
        stored.event.user_id = user;
        stored.event.at = posted.message.created_at;
        stored.event.body = std::move(posted);
        stored.body_hash = static_cast<std::uint64_t>(query.integer(kMessageColumns + 1));
        return std::optional(std::move(stored));
    });
}

Result<std::optional<model::Message>> EventStore::message(model::RoomId room,
                                                          model::MessageId message) {
    return checked([&]() -> Result<std::optional<model::Message>> {
        auto query = x_database.query("SELECT " PARLEY_MESSAGE_COLUMNS
                                      " FROM messages m WHERE m.room_id = ?1 AND m.id = ?2");
        query.bind(room, message);
        if (!query.row()) return std::nullopt;
        return std::optional(read_message(query, room, 0));
    });
}

Result<EventStore::ReactionFacts> EventStore::reaction(model::RoomId room, model::MessageId message,
                                                       model::UserId user, std::string_view emoji) {
    return checked([&]() -> Result<ReactionFacts> {
        auto query = x_database.query(
            "SELECT count(*), ifnull(sum(emoji = ?3 AND user_id = ?4), 0) FROM reactions "
            "WHERE room_id = ?1 AND message_id = ?2");
        query.bind(room, message, emoji, user);
        PARLEY_ASSERT(query.row());
        return ReactionFacts{.present = query.integer(1) > 0,
                             .total = static_cast<std::size_t>(query.integer(0))};
    });
}

Result<std::optional<model::RoomId>> EventStore::room_by_name_key(std::string_view key) {
    return checked([&]() -> Result<std::optional<model::RoomId>> {
        auto query = x_database.query(
            "SELECT id FROM rooms WHERE name_key = ? AND kind = 1 AND deleted = 0");
        query.bind(key);
        if (!query.row()) return std::nullopt;
        return query.id<model::RoomId>(0);
    });
}

Result<std::optional<model::RoomId>> EventStore::dm_of(model::UserId a, model::UserId b) {
    return checked([&]() -> Result<std::optional<model::RoomId>> {
        auto query = x_database.query("SELECT id FROM rooms WHERE dm_low = ?1 AND dm_high = ?2 AND "
                                      "kind = 2 AND deleted = 0");
        query.bind(std::min(a, b), std::max(a, b));
        if (!query.row()) return std::nullopt;
        return query.id<model::RoomId>(0);
    });
}

Result<bool> EventStore::user_exists(model::UserId user) {
    return checked([&]() -> Result<bool> {
        auto query = x_database.query("SELECT 1 FROM users WHERE id = ?1 AND NOT EXISTS "
                                      "(SELECT 1 FROM erasures WHERE user_id = ?1)");
        query.bind(user);
        return query.row();
    });
}

} // namespace parley::sqlite
