#include "adapters/postgres/event_writer.hpp"

#include "adapters/postgres/event_rows.hpp"
#include "model/bucket.hpp"

#include <algorithm>
#include <tuple>

namespace parley::postgres {

struct EventWriter::EventRow {
    EventKind kind;
    std::int64_t subject = 0;
    std::int64_t detail = 0;
    std::int64_t flags = 0;
    std::string_view text = {};
    std::string_view topic = {};
};

namespace {

// What tells a message from every other.
struct MessageKeys {
    std::vector<model::MessageId> ids;
    std::vector<model::RoomId> rooms;
    std::vector<model::UserId> users;
    std::vector<std::string_view> nonces;

    void add(const model::Event& event, const model::MessagePosted& posted) {
        ids.push_back(event.id);
        rooms.push_back(event.room_id);
        users.push_back(event.user_id);
        nonces.emplace_back(posted.nonce);
    }
};

// A row without a nonce is one that was erased since.
void check_keys(Connection& connection, const MessageKeys& keys) {
    const auto rows = connection.query(
        "SELECT count(*) FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) "
        "AS k (id, room_id, user_id, nonce) WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE "
        "m.id = k.id AND m.room_id = k.room_id AND m.user_id = k.user_id AND "
        "(m.nonce = k.nonce OR m.nonce = '')) AND NOT EXISTS (SELECT 1 FROM rooms r WHERE "
        "r.id = k.room_id AND r.removed_id >= k.id)",
        Params(keys.ids, keys.rooms, keys.users, keys.nonces));
    if (const auto strange = rows.front().integer(0); strange > 0)
        throw DatabaseError(Errc::internal, std::to_string(strange) +
                                                " messages have an id or a nonce that the shard "
                                                "has for another message");
}

} // namespace

void EventWriter::put(const model::Sequenced& sequenced) {
    std::visit([&](const auto& body) { store(sequenced, body); }, sequenced.event().body);
}

void EventWriter::finish() {
    write_messages();
    write_events();
}

void EventWriter::check_stored(Connection& connection, std::span<const model::Sequenced> events) {
    MessageKeys keys;
    for (const model::Sequenced& sequenced : events)
        if (const auto* posted = std::get_if<model::MessagePosted>(&sequenced.event().body))
            keys.add(sequenced.event(), *posted);
    if (!keys.ids.empty()) check_keys(connection, keys);
}

// --- messages
// ------------------------------------------------------------------------------------

void EventWriter::store(const model::Sequenced& sequenced, const model::MessagePosted& posted) {
    x_messages.push_back(&sequenced);
    x_message_bytes += posted.message.content.size();
    if (x_messages.size() >= limits::kShardInsertRows ||
        x_message_bytes >= limits::kShardInsertBytes)
        write_messages();
}

void EventWriter::write_messages() {
    if (x_messages.empty()) return;
    MessageKeys keys;
    std::vector<model::EventId> prev_ids;
    std::vector<model::Time> created;
    std::vector<std::int64_t> types, deleted, hashes;
    std::vector<std::string_view> contents;
    std::vector<std::optional<model::MediaId>> media;
    std::vector<std::optional<std::string>> facts;
    std::vector<std::optional<model::MessageId>> replies;
    std::vector<std::optional<model::Time>> edited;
    for (const model::Sequenced* sequenced : x_messages) {
        const model::Event& event = sequenced->event();
        const auto& posted = std::get<model::MessagePosted>(event.body);
        const model::Message& message = posted.message;
        keys.add(event, posted);
        prev_ids.push_back(event.prev_id);
        created.push_back(message.created_at);
        types.push_back(static_cast<std::int64_t>(message.type));
        contents.emplace_back(message.content);
        media.push_back(message.media_id);
        facts.push_back(ports::media_text(message));
        replies.push_back(message.reply_to);
        edited.push_back(message.edited_at);
        deleted.push_back(message.deleted ? 1 : 0);
        hashes.push_back(static_cast<std::int64_t>(sequenced->body_hash()));
    }
    const auto written = x_connection.query(
        "INSERT INTO messages (id, room_id, user_id, nonce, prev_id, created_at, type, content, "
        "media_id, reply_to, edited_at, deleted, body_hash, media) SELECT * FROM "
        "unnest($1::bigint[], "
        "$2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], "
        "$8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], "
        "$14::text[]) "
        "ON CONFLICT DO NOTHING",
        Params(keys.ids, keys.rooms, keys.users, keys.nonces, prev_ids, created, types, contents,
               media, replies, edited, deleted, hashes, facts));
    if (written.changes() != static_cast<std::int64_t>(x_messages.size()))
        check_keys(x_connection, keys);
    for (const model::Sequenced* sequenced : x_messages)
        if (const model::Event& event = sequenced->event(); sequenced->paced())
            x_connection.queue(
                "INSERT INTO paced_posts (room_id, user_id, at) VALUES ($1, $2, $3) "
                "ON CONFLICT (room_id, user_id) DO UPDATE SET at = excluded.at",
                Params(event.room_id, event.user_id,
                       std::get<model::MessagePosted>(event.body).message.created_at));
    x_messages.clear();
    x_message_bytes = 0;
}

void EventWriter::store(const model::Sequenced& sequenced, const model::MessageEdited& edited) {
    const model::Message& message = edited.message;
    write_messages();
    x_connection.queue("UPDATE messages SET content = $3, edited_at = $4, media = $5 "
                       "WHERE room_id = $1 AND id = $2",
                       Params(message.room_id, message.id, message.content, message.edited_at,
                              ports::media_text(message)));
    add_event(sequenced.event(), {.kind = EventKind::edited, .subject = message.id.value});
}

void EventWriter::store(const model::Sequenced& sequenced, const model::MessageDeleted& deleted) {
    const model::Event& event = sequenced.event();
    write_messages();
    x_connection.queue(
        "UPDATE messages SET content = '', media_id = NULL, media = NULL, deleted = 1 "
        "WHERE room_id = $1 AND id = $2",
        Params(event.room_id, deleted.message_id));
    x_connection.queue("DELETE FROM reactions WHERE room_id = $1 AND message_id = $2",
                       Params(event.room_id, deleted.message_id));
    add_event(event, {.kind = EventKind::deleted, .subject = deleted.message_id.value});
}

void EventWriter::store(const model::Sequenced& sequenced, const model::ReactionChanged& reaction) {
    const model::Event& event = sequenced.event();
    if (reaction.added)
        x_connection.queue(
            "INSERT INTO reactions (room_id, message_id, emoji, user_id, event_id) "
            "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            Params(event.room_id, reaction.message_id, reaction.emoji, event.user_id, event.id));
    else
        x_connection.queue(
            "DELETE FROM reactions WHERE room_id = $1 AND message_id = $2 AND "
            "emoji = $3 AND user_id = $4",
            Params(event.room_id, reaction.message_id, reaction.emoji, event.user_id));
    add_event(event, {.kind = EventKind::reaction,
                      .subject = reaction.message_id.value,
                      .flags = reaction.added,
                      .text = reaction.emoji});
}

// --- members
// -------------------------------------------------------------------------------------

void EventWriter::store(const model::Sequenced& sequenced, const model::MemberChanged& change) {
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
    add_event(event, {.kind = EventKind::member,
                      .subject = change.user_id.value,
                      .detail = static_cast<std::int64_t>(change.action),
                      .flags = static_cast<std::int64_t>(change.role)});
}

// 3 is model::Role::owner. The counts move only when the row does.
void EventWriter::add_member(const model::Event& event, model::UserId user, model::Role role) {
    x_connection.queue(
        "WITH added AS (INSERT INTO members (room_id, user_id, role, joined_at) VALUES "
        "($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING role) "
        "UPDATE rooms SET member_count = member_count + 1, "
        "owner_count = owner_count + ($3 = 3)::integer "
        "WHERE id = $1 AND EXISTS (SELECT 1 FROM added)",
        Params(event.room_id, user, role, event.at));
}

void EventWriter::remove_member(const model::Event& event, model::UserId user) {
    x_connection.queue(
        "WITH gone AS (DELETE FROM members WHERE room_id = $1 AND user_id = $2 RETURNING role) "
        "UPDATE rooms SET member_count = member_count - 1, "
        "owner_count = owner_count - ((SELECT role FROM gone) = 3)::integer "
        "WHERE id = $1 AND EXISTS (SELECT 1 FROM gone)",
        Params(event.room_id, user));
}

void EventWriter::change_role(const model::Event& event, model::UserId user, model::Role role) {
    // `before` sees what was there when the statement began.
    x_connection.queue(
        "WITH before AS (SELECT role FROM members WHERE room_id = $1 AND user_id = $2), "
        "changed AS (UPDATE members SET role = $3 WHERE room_id = $1 AND user_id = $2 "
        "RETURNING 1) "
        "UPDATE rooms SET owner_count = owner_count + ($3 = 3)::integer - "
        "((SELECT role FROM before) = 3)::integer "
        "WHERE id = $1 AND EXISTS (SELECT 1 FROM changed)",
        Params(event.room_id, user, role));
}

// --- rooms
// ---------------------------------------------------------------------------------------

void EventWriter::store(const model::Sequenced& sequenced, const model::RoomChanged& change) {
    const model::Event& event = sequenced.event();
    const model::Room& room = change.room;
    write_messages(); // they may be paced, and this may be the end of slow mode
    if (!sequenced.initial_members().empty()) {
        create_room(sequenced, room);
    } else if (room.deleted) {
        x_connection.queue("UPDATE rooms SET deleted = 1, member_count = 0, owner_count = 0 "
                           "WHERE id = $1",
                           Params(event.room_id));
        x_connection.queue("DELETE FROM members WHERE room_id = $1", Params(event.room_id));
    } else {
        x_connection.queue(
            "UPDATE rooms SET name = $2, name_key = $3, topic = $4, topic_key = $5, "
            "visibility = $6, slow_mode_seconds = $7, retention_days = $8 WHERE id = $1",
            Params(event.room_id, room.name, sequenced.name_key(), room.topic,
                   sequenced.topic_key(), room.visibility, room.slow_mode_seconds,
                   room.retention_days));
    }
    if (room.deleted || room.slow_mode_seconds == 0)
        x_connection.queue("DELETE FROM paced_posts WHERE room_id = $1", Params(event.room_id));
    add_event(event, {.kind = EventKind::room,
                      .subject = static_cast<std::int64_t>(room.member_count),
                      .detail = static_cast<std::int64_t>(room.visibility),
                      .flags = (room.deleted ? 1 : 0) + 2 * std::int64_t{room.slow_mode_seconds},
                      .text = room.name,
                      .topic = room.topic});
}

void EventWriter::create_room(const model::Sequenced& sequenced, const model::Room& room) {
    const model::Event& event = sequenced.event();
    const auto& members = sequenced.initial_members();
    std::optional<model::UserId> low, high;
    if (room.kind == model::RoomKind::dm)
        std::tie(low, high) = std::minmax(members.front(), members.back());
    x_connection.queue(
        "INSERT INTO rooms (id, bucket, kind, visibility, name, name_key, topic, topic_key, "
        "created_at, member_count, owner_count, dm_low, dm_high) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $11)",
        Params(event.room_id, model::bucket_of(event.room_id), room.kind, room.visibility,
               room.name, sequenced.name_key(), room.topic, sequenced.topic_key(), room.created_at,
               low, high));
    // The first is the owner; who is named twice is what he was first.
    x_connection.queue(
        "INSERT INTO members (room_id, user_id, role, joined_at) SELECT $1, user_id, "
        "CASE WHEN at = 1 THEN 3 ELSE 1 END, $3 FROM unnest($2::bigint[]) WITH ORDINALITY "
        "AS k (user_id, at) ORDER BY at ON CONFLICT DO NOTHING",
        Params(event.room_id, members, event.at));
    x_connection.queue(
        "UPDATE rooms SET member_count = (SELECT count(*) FROM members WHERE room_id = $1), "
        "owner_count = 1 WHERE id = $1",
        Params(event.room_id));
}

// --- events
// --------------------------------------------------------------------------------------

void EventWriter::add_event(const model::Event& event, const EventRow& row) {
    x_events.room.push_back(event.room_id.value);
    x_events.id.push_back(event.id.value);
    x_events.prev.push_back(event.prev_id.value);
    x_events.user.push_back(event.user_id.value);
    x_events.at.push_back(event.at.ms);
    x_events.kind.push_back(static_cast<std::int64_t>(row.kind));
    x_events.subject.push_back(row.subject);
    x_events.detail.push_back(row.detail);
    x_events.flags.push_back(row.flags);
    x_events.text.push_back(row.text);
    x_events.topic.push_back(row.topic);
    if (x_events.id.size() >= limits::kShardInsertRows) write_events();
}

// No ON CONFLICT: none of them may be there.
void EventWriter::write_events() {
    if (x_events.id.empty()) return;
    x_connection.queue(
        "INSERT INTO events (room_id, id, prev_id, user_id, at, kind, subject, detail, flags, "
        "text, topic) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], "
        "$4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], "
        "$10::text[], $11::text[])",
        Params(x_events.room, x_events.id, x_events.prev, x_events.user, x_events.at, x_events.kind,
               x_events.subject, x_events.detail, x_events.flags, x_events.text, x_events.topic));
    x_events = {};
}

} // namespace parley::postgres
