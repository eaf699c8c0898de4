#include "adapters/sqlite/inspection.hpp"

#include "adapters/sqlite/migrations.hpp"

#include <map>
#include <optional>

namespace parley::sqlite {
namespace {

// Rows of `sql` break the rule; the first column tells which.
struct Rule {
    const char* name;
    const char* what; // "rooms whose member_count is not that of their members, e.g. "
    const char* sql;
};

constexpr Rule kRules[] = {
    {"member-counts", "rooms whose member_count or owner_count is not that of their members, e.g. ",
     "SELECT r.id FROM rooms r LEFT JOIN (SELECT room_id, count(*) AS members, sum(role = 3) AS "
     "owners FROM members GROUP BY room_id) m ON m.room_id = r.id "
     "WHERE r.member_count <> ifnull(m.members, 0) OR r.owner_count <> ifnull(m.owners, 0)"},
    {"members", "memberships without their room or user, e.g. of user ",
     "SELECT user_id FROM members m WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = "
     "m.user_id) OR NOT EXISTS (SELECT 1 FROM rooms r WHERE r.id = m.room_id AND r.deleted = 0)"},
    {"authors", "messages of users that do not exist, e.g. message ",
     "SELECT id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = m.user_id)"},
    {"nonces", "nonces that stand for more than one message, e.g. of message ",
     "SELECT max(id) FROM messages WHERE nonce <> '' GROUP BY nonce, room_id, user_id "
     "HAVING count(*) > 1"},
    {"event-ids", "ids that are both a message's and another event's, e.g. ",
     "SELECT e.id FROM events e JOIN messages m ON m.id = e.id"},
    {"last-event-id", "the store's last id is below the newest event, ",
     "SELECT newest FROM (SELECT max(ifnull((SELECT max(id) FROM messages), 0), "
     "ifnull((SELECT max(id) FROM events), 0)) AS newest) "
     "WHERE newest > ifnull((SELECT value FROM meta WHERE key = 'last_event_id'), 0)"},
    {"reactions", "reactions to messages that are not there or are deleted, e.g. to ",
     "SELECT message_id FROM reactions r WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = "
     "r.message_id AND m.room_id = r.room_id AND m.deleted = 0)"},
    {"deleted-texts", "deleted messages that still have a text, e.g. ",
     "SELECT id FROM messages WHERE deleted <> 0 AND (content <> '' OR media_id IS NOT NULL OR "
     "media IS NOT NULL)"},
    {"logs", "messages or events of rooms that do not exist, e.g. of room ",
     "SELECT room_id FROM (SELECT DISTINCT room_id FROM messages UNION SELECT DISTINCT room_id "
     "FROM events) l WHERE NOT EXISTS (SELECT 1 FROM rooms r WHERE r.id = l.room_id)"},
    {"read-marks", "read marks of users or rooms that do not exist, e.g. of user ",
     "SELECT user_id FROM read_marks k WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = "
     "k.user_id) OR NOT EXISTS (SELECT 1 FROM rooms r WHERE r.id = k.room_id)"},
    {"sessions", "sessions of users that do not exist, e.g. session ",
     "SELECT id FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id)"},
};

std::optional<Breach> try_rule(Database& database, const Rule& rule) {
    const std::string counted = "SELECT count(*) FROM (" + std::string(rule.sql) + ")";
    const auto count = database.pragma(counted.c_str());
    if (count == 0) return std::nullopt;
    const auto example = database.pragma(rule.sql);
    return Breach{rule.name, std::to_string(count) + " " + rule.what + std::to_string(example)};
}

std::map<std::string, std::string> shape_of(Database& database) {
    std::map<std::string, std::string> shape;
    auto query = database.query(
        "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND "
        "name NOT LIKE 'sqlite_%'");
    while (query.row()) shape[query.string(0)] = query.string(1);
    return shape;
}

// Tables and indexes as the migrations make them: a lost unique index loses a promise.
std::optional<Breach> try_shape(Database& database) {
    Database fresh(":memory:", Database::Mode::writer);
    migrate(fresh);
    const auto wanted = shape_of(fresh), found = shape_of(database);
    for (const auto& [name, sql] : wanted)
        if (!found.contains(name)) return Breach{"shape", "there is no " + name};
    for (const auto& [name, sql] : wanted)
        if (found.at(name) != sql)
            return Breach{"shape", name + " is not as this program makes it"};
    return std::nullopt;
}

std::optional<Breach> try_pages(Database& database, bool full) {
    auto query = database.query(full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)");
    if (!query.row() || query.text(0) != "ok") return Breach{"pages", query.string(0)};
    return std::nullopt;
}

std::vector<model::RoomId> rooms_of(Database& database) {
    std::vector<model::RoomId> rooms;
    auto query = database.query("SELECT id FROM rooms ORDER BY id");
    while (query.row()) rooms.push_back(query.id<model::RoomId>(0));
    return rooms;
}

// Each event names the one before it in its room, the first one none.
std::optional<std::string> broken_chain(Database& database, model::RoomId room) {
    auto query = database.query("SELECT id, prev_id FROM messages WHERE room_id = ?1 UNION ALL "
                                "SELECT id, prev_id FROM events WHERE room_id = ?1 ORDER BY id");
    query.bind(room);
    auto removed = database.query("SELECT removed_id FROM rooms WHERE id = ?");
    removed.bind(room);
    const std::int64_t removed_id = removed.row() ? removed.integer(0) : 0;
    std::int64_t before = 0;
    while (query.row()) {
        const std::int64_t id = query.integer(0), previous = query.integer(1);
        // What came after everything was too old to be kept names the newest of that.
        if (before == 0 && previous == removed_id) before = removed_id;
        if (previous != before)
            return "room " + room.to_string() + ": event " + std::to_string(id) + " follows " +
                   std::to_string(before) + " but names " + std::to_string(previous);
        before = id;
    }
    return std::nullopt;
}

std::optional<Breach> try_chains(Database& database, const Database::Progress& progress) {
    const auto rooms = rooms_of(database);
    std::uint64_t done = 0, broken = 0;
    std::string example;
    for (const model::RoomId room : rooms) {
        progress(++done, rooms.size());
        auto chain = broken_chain(database, room);
        if (chain && broken++ == 0) example = *chain;
    }
    if (broken == 0) return std::nullopt;
    return Breach{"chains",
                  std::to_string(broken) + " rooms with a hole in their log, e.g. " + example};
}

} // namespace

std::vector<std::string> store_rules() {
    std::vector<std::string> names{"pages", "shape", "chains"};
    for (const Rule& rule : kRules) names.emplace_back(rule.name);
    return names;
}

std::vector<Breach> inspect(Database& database, const InspectionSettings& settings) {
    std::vector<Breach> breaches;
    const auto note = [&](std::optional<Breach> breach) {
        if (breach) breaches.push_back(std::move(*breach));
    };
    const bool own_transaction = !database.in_transaction();
    if (own_transaction) database.execute("BEGIN");
    try {
        if (settings.pages) note(try_pages(database, settings.full));
        note(try_shape(database));
        // Without its tables there is nothing more to ask.
        if (breaches.empty() || !breaches.back().detail.starts_with("there is no table")) {
            note(try_chains(database, settings.progress));
            for (const Rule& rule : kRules) note(try_rule(database, rule));
        }
    } catch (const DatabaseError& error) {
        note(Breach{"pages", error.what()});
    }
    if (own_transaction && database.in_transaction()) database.execute("ROLLBACK");
    return breaches;
}

} // namespace parley::sqlite
