#include "adapters/postgres/history.hpp"

#include "adapters/postgres/event_rows.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace parley::postgres {
namespace {

// A deleted room has no history, also for a call that was authorised a moment earlier.
#define PARLEY_ROOM_EXISTS "EXISTS (SELECT 1 FROM rooms WHERE id = $1 AND deleted = 0)"

// `rows`: one more than `limit`, where there is one.
ports::MessagePage read_page(const Rows& rows, model::RoomId room, std::size_t limit) {
    ports::MessagePage page;
    for (const Row row : rows) {
        if (page.messages.size() == limit) {
            page.more = true;
            break;
        }
        page.messages.push_back({read_message(row, room, 0), {}});
    }
    return page;
}

struct Reactor {
    std::int64_t event_id;
    model::UserId user_id;
};
using Reactors = std::map<std::string, std::vector<Reactor>, std::less<>>; // by emoji

// Emoji in the order in which they first came to the message; the first few users of each.
std::vector<model::ReactionSummary> summarise(Reactors& by_emoji) {
    std::vector<std::pair<std::int64_t, model::ReactionSummary>> ordered;
    for (auto& [emoji, reactors] : by_emoji) {
        std::ranges::sort(reactors, {}, &Reactor::event_id);
        model::ReactionSummary summary{emoji, reactors.size(), {}};
        const std::size_t shown = std::min(reactors.size(), limits::kReactionUsersShown);
        for (std::size_t i = 0; i < shown; ++i) summary.user_ids.push_back(reactors[i].user_id);
        ordered.emplace_back(reactors.front().event_id, std::move(summary));
    }
    std::ranges::sort(ordered, {}, [](const auto& entry) { return entry.first; });
    std::vector<model::ReactionSummary> summaries;
    for (auto& [first, summary] : ordered) summaries.push_back(std::move(summary));
    return summaries;
}

// A page holds every message of its range, so its reactions are one range too.
void read_reactions(Connection& connection, model::RoomId room, ports::MessagePage& page) {
    if (page.messages.empty()) return;
    const auto by_id = [](const ports::HistoryMessage& m) { return m.message.id; };
    const auto [low, high] = std::ranges::minmax(page.messages, {}, by_id);
    const auto rows = connection.query("SELECT message_id, emoji, user_id, event_id FROM reactions "
                                       "WHERE room_id = $1 AND message_id BETWEEN $2 AND $3",
                                       Params(room, low.message.id, high.message.id));
    std::map<model::MessageId, Reactors> found;
    for (const Row row : rows)
        found[row.id<model::MessageId>(0)][row.string(1)].push_back(
            {row.integer(3), row.id<model::UserId>(2)});
    if (found.empty()) return;
    for (auto& message : page.messages)
        if (const auto at = found.find(message.message.id); at != found.end())
            message.reactions = summarise(at->second);
}

// --- a resume. A row has: the room's newest event id; then of the event (NULL: there is none)
// kind (1: a message was posted), at, prev_id; what a message has; what another event has.
constexpr int kNewest = 0, kKind = 1, kAt = 2, kPrev = 3, kMessage = 4;
constexpr int kNonce = kMessage + kMessageColumns, kSubject = kNonce + 1;
constexpr int kDetail = kSubject + 1, kFlags = kDetail + 1, kText = kFlags + 1, kTopic = kText + 1;

// MATERIALIZED: else the newest id is looked up again for each row.
constexpr const char* kEventsAfter =
    "WITH h AS MATERIALIZED (SELECT " PARLEY_NEWEST_EVENT " AS newest FROM rooms r "
    "WHERE r.id = $1 AND r.deleted = 0) "
    "SELECT h.newest, m.kind, m.at, m.prev_id, " PARLEY_MESSAGE_COLUMNS
    ", m.nonce, m.subject, m.detail, m.flags, m.text, m.topic FROM h LEFT JOIN "
    "(SELECT * FROM "
    "((SELECT 1 AS kind, created_at AS at, prev_id, id, user_id, type, content, media_id, "
    "reply_to, created_at, edited_at, deleted, media, nonce, 0 AS subject, 0 AS detail, 0 AS "
    "flags, "
    "'' AS text, '' AS topic FROM messages WHERE room_id = $1 AND id > $2 ORDER BY id LIMIT $3) "
    "UNION ALL "
    "(SELECT kind, at, prev_id, id, user_id, 0, '', NULL, NULL, at, NULL, 0, NULL, '', subject, "
    "detail, "
    "flags, text, topic FROM events WHERE room_id = $1 AND id > $2 ORDER BY id LIMIT $3)) u "
    "ORDER BY id LIMIT $3) m ON true ORDER BY m.id";

model::Event read_event(const Row& row, model::RoomId room) {
    model::Event event;
    event.id = row.id<model::EventId>(kMessage);
    event.prev_id = row.id<model::EventId>(kPrev);
    event.room_id = room;
    event.user_id = row.id<model::UserId>(kMessage + 1);
    event.at = row.time(kAt);
    return event;
}

// What the bodies of a page show in their present state.
struct PresentState {
    std::map<model::MessageId, model::Message> edited;
    model::Room room;
};

PresentState read_present(Connection& connection, model::RoomId room, const Rows& rows) {
    PresentState present;
    std::vector<model::MessageId> edited;
    bool room_changed = false;
    for (const Row row : rows) {
        if (row.is_null(kKind)) continue;
        if (row.enumerator<EventKind>(kKind) == EventKind::edited)
            edited.push_back(row.id<model::MessageId>(kSubject));
        room_changed |= row.enumerator<EventKind>(kKind) == EventKind::room;
    }
    if (!edited.empty())
        for (const Row row : connection.query("SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m "
                                              "WHERE m.room_id = $1 AND m.id = ANY($2)",
                                              Params(room, edited)))
            present.edited.emplace(row.id<model::MessageId>(0), read_message(row, room, 0));
    if (room_changed) {
        const auto found = connection.query(
            "SELECT " PARLEY_ROOM_COLUMNS " FROM rooms r WHERE r.id = $1", Params(room));
        if (found.empty()) throw DatabaseError(Errc::internal, "an event without its room");
        present.room = read_room(found.front(), 0);
    }
    return present;
}

model::EventBody read_room_change(const Row& row, model::Room room) {
    room.member_count = static_cast<std::uint64_t>(row.integer(kSubject));
    room.visibility = row.enumerator<model::Visibility>(kDetail);
    room.name = row.string(kText);
    room.topic = row.string(kTopic);
    room.deleted = (row.integer(kFlags) & 1) != 0;
    room.slow_mode_seconds = static_cast<std::uint32_t>(row.integer(kFlags) >> 1);
    return model::RoomChanged{std::move(room)};
}

model::EventBody read_body(const Row& row, model::RoomId room, const PresentState& present) {
    const auto subject = row.id<model::MessageId>(kSubject);
    switch (row.enumerator<EventKind>(kKind)) {
    case EventKind::edited: {
        // An edit of a message that was too old to be kept is shown as its end.
        const auto edited = present.edited.find(subject);
        if (edited == present.edited.end()) return model::MessageDeleted{subject};
        return model::MessageEdited{edited->second};
    }
    case EventKind::deleted:
        return model::MessageDeleted{subject};
    case EventKind::reaction:
        return model::ReactionChanged{subject, row.string(kText), row.integer(kFlags) != 0};
    case EventKind::member:
        return model::MemberChanged{row.id<model::UserId>(kSubject),
                                    row.enumerator<model::MemberAction>(kDetail),
                                    row.enumerator<model::Role>(kFlags)};
    case EventKind::room:
        return read_room_change(row, present.room);
    }
    return model::MessagePosted{read_message(row, room, kMessage), row.string(kNonce)};
}

ports::EventPage read_events(Connection& connection, model::RoomId room, model::EventId since,
                             std::size_t limit) {
    ports::EventPage page;
    const auto rows = connection.query(kEventsAfter, Params(room, since, limit + 1));
    if (rows.empty()) return page; // no such room
    page.last_id = rows.front().id<model::EventId>(kNewest);
    const PresentState present = read_present(connection, room, rows);
    for (const Row row : rows) {
        if (row.is_null(kKind)) break; // nothing since
        if (page.events.size() == limit) {
            page.more = true;
            break;
        }
        page.events.push_back(read_event(row, room));
        page.events.back().body = read_body(row, room, present);
    }
    return page;
}

} // namespace

Task<Result<ports::MessagePage>>
History::messages_before(model::RoomId room, model::MessageId before, std::size_t limit) {
    if (!before) before.value = std::numeric_limits<std::int64_t>::max();
    limit = std::min(limit, limits::kPageMax);
    return x_shards.of(room).run([=](Connection& connection) -> Result<ports::MessagePage> {
        const auto rows = connection.query(
            "SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m WHERE m.room_id = $1 AND "
            "m.id < $2 AND " PARLEY_ROOM_EXISTS " ORDER BY m.id DESC LIMIT $3",
            Params(room, before, limit + 1));
        auto page = read_page(rows, room, limit);
        read_reactions(connection, room, page);
        return page;
    });
}

Task<Result<ports::MessagePage>> History::messages_after(model::RoomId room, model::MessageId after,
                                                         std::size_t limit) {
    limit = std::min(limit, limits::kPageMax);
    return x_shards.of(room).run([=](Connection& connection) -> Result<ports::MessagePage> {
        const auto rows = connection.query(
            "SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m WHERE m.room_id = $1 AND "
            "m.id > $2 AND " PARLEY_ROOM_EXISTS " ORDER BY m.id LIMIT $3",
            Params(room, after, limit + 1));
        auto page = read_page(rows, room, limit);
        read_reactions(connection, room, page);
        return page;
    });
}

Task<Result<ports::EventPage>> History::events_after(model::RoomId room, model::EventId since,
                                                     std::size_t limit) {
    limit = std::min(limit, limits::kResumePage);
    return x_shards.of(room).run([=](Connection& connection) -> Result<ports::EventPage> {
        return read_events(connection, room, since, limit);
    });
}

} // namespace parley::postgres
