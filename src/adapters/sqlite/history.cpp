#include "adapters/sqlite/history.hpp"

#include "adapters/sqlite/event_rows.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace parley::sqlite {
namespace {

// A deleted room has no history, also for a call that was authorised a moment earlier.
bool room_exists(Database& database, model::RoomId room) {
    auto query = database.query("SELECT 1 FROM rooms WHERE id = ? AND deleted = 0");
    query.bind(room);
    return query.row();
}

ports::MessagePage read_page(Query query, model::RoomId room, std::size_t limit) {
    ports::MessagePage page;
    while (page.messages.size() < limit && query.row())
        page.messages.push_back({read_message(query, room, 0), {}});
    page.more = page.messages.size() == limit && query.row();
    return page;
}

struct Reactor {
    std::int64_t event_id;
    model::UserId user_id;
};

// Emoji in the order in which they first came to the message; the first few users of each.
std::vector<model::ReactionSummary>
summarise(std::map<std::string, std::vector<Reactor>, std::less<>>& by_emoji) {
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
void read_reactions(Database& database, model::RoomId room, ports::MessagePage& page) {
    if (page.messages.empty()) return;
    const auto by_id = [](const ports::HistoryMessage& m) { return m.message.id; };
    const auto [low, high] = std::ranges::minmax(page.messages, {}, by_id);
    std::map<model::MessageId, std::map<std::string, std::vector<Reactor>, std::less<>>> found;
    auto query = database.query("SELECT message_id, emoji, user_id, event_id FROM reactions "
                                "WHERE room_id = ?1 AND message_id BETWEEN ?2 AND ?3");
    query.bind(room, low.message.id, high.message.id);
    while (query.row())
        found[query.id<model::MessageId>(0)][query.string(1)].push_back(
            {query.integer(3), query.id<model::UserId>(2)});
    if (found.empty()) return;
    for (auto& message : page.messages)
        if (const auto at = found.find(message.message.id); at != found.end())
            message.reactions = summarise(at->second);
}

// The two ranges of a resume, each one row ahead.
class EventMerge {
public:
    EventMerge(Database& database, model::RoomId room, model::EventId since)
        : x_database(database),
          x_room(room),
          x_messages(database.query("SELECT " PARLEY_MESSAGE_COLUMNS ", m.prev_id, m.nonce "
                                    "FROM messages m WHERE m.room_id = ?1 AND m.id > ?2 "
                                    "ORDER BY m.id")),
          x_events(database.query("SELECT id, prev_id, user_id, at, kind, subject, detail, flags, "
                                  "text, topic FROM events WHERE room_id = ?1 AND id > ?2 "
                                  "ORDER BY id")) {
        x_messages.bind(room, since);
        x_events.bind(room, since);
        next_message();
        next_event();
    }

    bool at_end() const { return x_message_id == kNone && x_event_id == kNone; }

    model::Event take() {
        model::Event event;
        if (x_message_id < x_event_id) {
            event = read_posted();
            next_message();
        } else {
            event = read_event();
            next_event();
        }
        return event;
    }

private:
    static constexpr auto kNone = std::numeric_limits<std::int64_t>::max();

    void next_message() { x_message_id = x_messages.row() ? x_messages.integer(0) : kNone; }
    void next_event() { x_event_id = x_events.row() ? x_events.integer(0) : kNone; }

    model::Event read_posted() const {
        model::MessagePosted posted{read_message(x_messages, x_room, 0),
                                    x_messages.string(kMessageColumns + 1)};
        model::Event event;
        event.id = posted.message.id;
        event.prev_id = x_messages.id<model::EventId>(kMessageColumns);
        event.room_id = x_room;
        event.user_id = posted.message.user_id;
        event.at = posted.message.created_at;
        event.body = std::move(posted);
        return event;
    }

    model::Event read_event() {
        model::Event event;
        event.id = x_events.id<model::EventId>(0);
        event.prev_id = x_events.id<model::EventId>(1);
        event.room_id = x_room;
        event.user_id = x_events.id<model::UserId>(2);
        event.at = x_events.time(3);
        event.body = read_body();
        return event;
    }

    model::EventBody read_body() {
        const bool flag = x_events.integer(7) != 0;
        switch (x_events.enumerator<EventKind>(4)) {
        case EventKind::edited:
            return read_edited(x_events.id<model::MessageId>(5));
        case EventKind::deleted:
            return model::MessageDeleted{x_events.id<model::MessageId>(5)};
        case EventKind::reaction:
            return model::ReactionChanged{x_events.id<model::MessageId>(5), x_events.string(8),
                                          flag};
        case EventKind::member:
            return model::MemberChanged{x_events.id<model::UserId>(5),
                                        x_events.enumerator<model::MemberAction>(6),
                                        x_events.enumerator<model::Role>(7)};
        case EventKind::room:
            break;
        }
        model::Room room = present_room();
        room.member_count = static_cast<std::uint64_t>(x_events.integer(5));
        room.visibility = x_events.enumerator<model::Visibility>(6);
        room.name = x_events.string(8);
        room.topic = x_events.string(9);
        room.deleted = (x_events.integer(7) & 1) != 0;
        room.slow_mode_seconds = static_cast<std::uint32_t>(x_events.integer(7) >> 1);
        return model::RoomChanged{std::move(room)};
    }

    // An edit of a message that was too old to be kept is shown as its end.
    model::EventBody read_edited(model::MessageId id) {
        auto query = x_database.query("SELECT " PARLEY_MESSAGE_COLUMNS
                                      " FROM messages m WHERE m.room_id = ?1 AND m.id = ?2");
        query.bind(x_room, id);
        if (!query.row()) return model::MessageDeleted{id};
        return model::MessageEdited{read_message(query, x_room, 0)};
    }

    model::Room present_room() {
        auto query = x_database.query("SELECT " PARLEY_ROOM_COLUMNS " FROM rooms r WHERE r.id = ?");
        query.bind(x_room);
        if (!query.row()) throw DatabaseError(Errc::internal, "an event without its room");
        return read_room(query, 0);
    }

    Database& x_database;
    const model::RoomId x_room;
    Query x_messages, x_events;
    std::int64_t x_message_id = kNone, x_event_id = kNone;
};

model::EventId newest_event(Database& database, model::RoomId room) {
    auto query = database.query(
        "SELECT max(ifnull((SELECT removed_id FROM rooms WHERE id = ?1), 0), "
        "ifnull((SELECT id FROM messages WHERE room_id = ?1 ORDER BY id DESC LIMIT 1), "
        "0),"
        " ifnull((SELECT id FROM events WHERE room_id = ?1 ORDER BY id DESC LIMIT 1), 0))");
    query.bind(room);
    return query.row() ? query.id<model::EventId>(0) : model::EventId{};
}

} // namespace

Task<Result<ports::MessagePage>>
History::messages_before(model::RoomId room, model::MessageId before, std::size_t limit) {
    if (!before) before.value = std::numeric_limits<std::int64_t>::max();
    limit = std::min(limit, limits::kPageMax);
    return x_readers.read([=](Database& database) -> Result<ports::MessagePage> {
        if (!room_exists(database, room)) return ports::MessagePage{};
        auto query = database.query("SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m "
                                    "WHERE m.room_id = ?1 AND m.id < ?2 ORDER BY m.id DESC");
        query.bind(room, before);
        auto page = read_page(std::move(query), room, limit);
        read_reactions(database, room, page);
        return page;
    });
}

Task<Result<ports::MessagePage>> History::messages_after(model::RoomId room, model::MessageId after,
                                                         std::size_t limit) {
    limit = std::min(limit, limits::kPageMax);
    return x_readers.read([=](Database& database) -> Result<ports::MessagePage> {
        if (!room_exists(database, room)) return ports::MessagePage{};
        auto query = database.query("SELECT " PARLEY_MESSAGE_COLUMNS " FROM messages m "
                                    "WHERE m.room_id = ?1 AND m.id > ?2 ORDER BY m.id");
        query.bind(room, after);
        auto page = read_page(std::move(query), room, limit);
        read_reactions(database, room, page);
        return page;
    });
}

Task<Result<ports::EventPage>> History::events_after(model::RoomId room, model::EventId since,
                                                     std::size_t limit) {
    limit = std::min(limit, limits::kResumePage);
    return x_readers.read([=](Database& database) -> Result<ports::EventPage> {
        ports::EventPage page;
        if (!room_exists(database, room)) return page;
        page.last_id = newest_event(database, room);
        EventMerge merge(database, room, since);
        while (page.events.size() < limit && !merge.at_end()) page.events.push_back(merge.take());
        page.more = !merge.at_end();
        return page;
    });
}

} // namespace parley::sqlite
