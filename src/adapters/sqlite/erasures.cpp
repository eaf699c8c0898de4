#include "adapters/sqlite/erasures.hpp"

#include "adapters/sqlite/account_rows.hpp"

namespace parley::sqlite {
namespace {

#define PARLEY_ERASURE_COLUMNS                                                                     \
    "user_id, requested_at, done_at, messages, reactions, rooms, sessions, held, scanned"

// In place of an emoji that is erased: U+FFFD.
constexpr std::string_view kNoEmoji = "\xEF\xBF\xBD";

ports::Erasure read_erasure(const Query& query) {
    const auto count = [&](int column) {
        return static_cast<std::uint64_t>(query.integer(column));
    };
    ports::Erasure erasure;
    erasure.user_id = query.id<model::UserId>(0);
    erasure.requested_at = query.time(1);
    erasure.done_at = query.optional_time(2);
    erasure.messages = count(3);
    erasure.reactions = count(4);
    erasure.rooms = count(5);
    erasure.sessions = count(6);
    erasure.held = count(7);
    erasure.scanned = query.id<model::MessageId>(8);
    return erasure;
}

Result<ports::Erasure> erasure_of(Database& database, model::UserId user) {
    auto query =
        database.query("SELECT " PARLEY_ERASURE_COLUMNS " FROM erasures WHERE user_id = ?");
    query.bind(user);
    if (!query.row()) return Error(Errc::unknown_user, "no erasure of this user was asked for");
    return read_erasure(query);
}

// Of the others in the room: who is to own it.
std::optional<model::UserId> successor_of(Database& database, model::RoomId room,
                                          model::UserId user) {
    auto query = database.query("SELECT m.user_id FROM members m CROSS JOIN users u ON "
                                "u.id = m.user_id WHERE m.room_id = ?1 AND m.user_id <> ?2 "
                                "ORDER BY u.disabled, m.role DESC, m.joined_at, m.user_id LIMIT 1");
    query.bind(room, user);
    if (!query.row()) return std::nullopt;
    return query.id<model::UserId>(0);
}

} // namespace

Task<Result<ports::Erasure>> Erasures::request_erasure(model::UserId user, model::Time now) {
    return x_writer.run([this, user, now]() -> Result<ports::Erasure> {
        PARLEY_CHECK(write_erasure_request(x_writing, user, now));
        return erasure_of(x_writing, user);
    });
}

Task<Result<ports::Erasure>> Erasures::find_erasure(model::UserId user) {
    return x_readers.read([user](Database& database) { return erasure_of(database, user); });
}

Task<Result<std::optional<ports::Erasure>>> Erasures::next_erasure() {
    using Next = std::optional<ports::Erasure>;
    return x_readers.read([](Database& database) -> Result<Next> {
        auto query = database.query("SELECT " PARLEY_ERASURE_COLUMNS " FROM erasures "
                                    "WHERE done_at IS NULL ORDER BY requested_at LIMIT 1");
        if (!query.row()) return Next{};
        return Next(read_erasure(query));
    });
}

Task<Result<std::vector<ports::ErasedMembership>>> Erasures::memberships_of(model::UserId user,
                                                                            std::size_t limit) {
    using Memberships = std::vector<ports::ErasedMembership>;
    return x_readers.read([user, limit](Database& database) -> Result<Memberships> {
        Memberships found;
        std::vector<bool> owner_needed;
        {
            auto query = database.query(
                "SELECT r.id, r.member_count, r.kind = 1 AND m.role = 3 AND r.owner_count = 1 "
                "FROM members m CROSS JOIN rooms r ON r.id = m.room_id WHERE m.user_id = ?1 "
                "ORDER BY m.room_id LIMIT ?2");
            query.bind(user, limit);
            while (query.row()) {
                found.push_back({query.id<model::RoomId>(0), query.integer(1) <= 1, {}});
                owner_needed.push_back(query.integer(2) != 0);
            }
        }
        for (std::size_t i = 0; i < found.size(); ++i)
            if (owner_needed[i] && !found[i].alone)
                found[i].successor = successor_of(database, found[i].room_id, user);
        return found;
    });
}

// The log has no index by user, which every message would pay for: it is looked through in slices.
Task<Result<ports::ErasedMessages>>
Erasures::messages_of(model::UserId user, model::MessageId after, std::size_t limit) {
    return x_readers.read([=](Database& database) -> Result<ports::ErasedMessages> {
        ports::ErasedMessages found;
        found.scanned = after;
        auto query = database.query("SELECT id, room_id, user_id = ?2 AND (deleted = 0 OR "
                                    "nonce <> '' OR body_hash <> 0) FROM messages WHERE id > ?1 "
                                    "ORDER BY id LIMIT ?3");
        query.bind(after, user, limits::kErasureScan);
        std::size_t looked_at = 0;
        while (found.messages.size() < limit && query.row()) {
            ++looked_at;
            found.scanned = query.id<model::MessageId>(0);
            if (query.integer(2) != 0)
                found.messages.emplace_back(query.id<model::RoomId>(1), found.scanned);
        }
        found.at_end = looked_at < limits::kErasureScan && found.messages.size() < limit;
        return found;
    });
}

Task<Result<std::vector<ports::ErasedReaction>>> Erasures::reactions_of(model::UserId user,
                                                                        std::size_t limit) {
    using Reactions = std::vector<ports::ErasedReaction>;
    return x_readers.read([user, limit](Database& database) -> Result<Reactions> {
        Reactions found;
        auto query = database.query("SELECT room_id, message_id, emoji FROM reactions "
                                    "WHERE user_id = ?1 LIMIT ?2");
        query.bind(user, limit);
        while (query.row())
            found.push_back(
                {query.id<model::RoomId>(0), query.id<model::MessageId>(1), query.string(2)});
        return found;
    });
}

Task<Result<void>> Erasures::blank_messages(model::UserId user,
                                            std::vector<model::MessageId> messages,
                                            model::MessageId scanned) {
    return x_writer.run([this, user, messages = std::move(messages), scanned]() -> Result<void> {
        write_blank_messages(user, messages, scanned);
        return {};
    });
}

void Erasures::write_blank_messages(model::UserId user,
                                    const std::vector<model::MessageId>& messages,
                                    model::MessageId scanned) {
    for (const model::MessageId message : messages)
        x_writing
            .query("UPDATE messages SET content = '', media_id = NULL, media = NULL, deleted = 1, "
                   "nonce = '', "
                   "body_hash = 0 WHERE id = ?1 AND user_id = ?2")
            .bind(message, user)
            .run();
    x_writing
        .query("UPDATE erasures SET messages = messages + ?2, scanned = max(scanned, ?3) "
               "WHERE user_id = ?1")
        .bind(user, messages.size(), scanned)
        .run();
}

Task<Result<void>> Erasures::blank_room(model::UserId user, model::RoomId room) {
    return x_writer.run([this, user, room]() -> Result<void> {
        if (write_blank_room(room))
            x_writing.query("UPDATE erasures SET rooms = rooms + 1 WHERE user_id = ?")
                .bind(user)
                .run();
        return {};
    });
}

bool Erasures::write_blank_room(model::RoomId room) {
    x_writing
        .query("UPDATE rooms SET name = '', name_key = '', topic = '', topic_key = '' "
               "WHERE id = ?1 AND deleted = 1")
        .bind(room)
        .run();
    if (x_writing.changes() == 0) return false;
    x_writing.query("UPDATE events SET text = '', topic = '' WHERE room_id = ?1 AND kind = 6")
        .bind(room)
        .run();
    return true;
}

// Those that the user has deleted, also where a crash came between a room's end and its name's.
void Erasures::write_blank_rooms_deleted_by(model::UserId user) {
    std::vector<model::RoomId> rooms;
    {
        auto query = x_writing.query("SELECT id FROM rooms r WHERE deleted = 1 AND (name <> '' OR "
                                     "topic <> '') AND ?1 = (SELECT user_id FROM events WHERE "
                                     "room_id = r.id ORDER BY id DESC LIMIT 1)");
        query.bind(user);
        while (query.row()) rooms.push_back(query.id<model::RoomId>(0));
    }
    for (const model::RoomId room : rooms) write_blank_room(room);
}

Task<Result<void>> Erasures::count_left_room(model::UserId user) {
    return x_writer.run([this, user]() -> Result<void> {
        x_writing.query("UPDATE erasures SET rooms = rooms + 1 WHERE user_id = ?").bind(user).run();
        return {};
    });
}

Task<Result<bool>> Erasures::blank_reactions(model::UserId user,
                                             std::vector<ports::ErasedReaction> reactions) {
    return x_writer.run([this, user, reactions = std::move(reactions)]() -> Result<bool> {
        return write_blank_reactions(user, reactions);
    });
}

bool Erasures::write_blank_reactions(model::UserId user,
                                     const std::vector<ports::ErasedReaction>& reactions) {
    for (const ports::ErasedReaction& one : reactions)
        x_writing
            .query("DELETE FROM reactions WHERE room_id = ?1 AND message_id = ?2 AND emoji = ?3 "
                   "AND user_id = ?4")
            .bind(one.room_id, one.message_id, one.emoji, user)
            .run();
    x_writing
        .query("UPDATE events SET text = ?2, flags = 0 WHERE (room_id, id) IN (SELECT room_id, id "
               "FROM events WHERE kind = 4 AND user_id = ?1 AND text <> ?2 LIMIT ?3)")
        .bind(user, kNoEmoji, limits::kErasureBatch)
        .run();
    const auto changed = static_cast<std::size_t>(x_writing.changes());
    x_writing.query("UPDATE erasures SET reactions = reactions + ?2 WHERE user_id = ?1")
        .bind(user, reactions.size())
        .run();
    return reactions.empty() && changed < limits::kErasureBatch;
}

Task<Result<ports::Erasure>> Erasures::finish_erasure(model::UserId user, model::Time now) {
    return x_writer.run([this, user, now] { return write_end(user, now); });
}

Result<ports::Erasure> Erasures::write_end(model::UserId user, model::Time now) {
    x_writing
        .query("INSERT OR IGNORE INTO released_media SELECT media_id FROM held_messages "
               "WHERE user_id = ? AND media_id IS NOT NULL")
        .bind(user)
        .run();
    x_writing.query("DELETE FROM held_messages WHERE user_id = ?").bind(user).run();
    const std::int64_t held = x_writing.changes();
    write_blank_rooms_deleted_by(user);
    x_writing.query("DELETE FROM read_marks WHERE user_id = ?").bind(user).run();
    // The rows of ended sessions stay until they expire: their tokens are refused by them.
    end_sessions_of(x_writing, user, now);
    x_writing
        .query("UPDATE sessions SET refresh_hash = x'', user_agent = '', address = '' "
               "WHERE user_id = ?")
        .bind(user)
        .run();
    // Longer than a username may be, and no address: nobody can take it.
    x_writing
        .query("UPDATE users SET username = 'deleted-' || id, username_key = 'deleted-' || id, "
               "email = '', email_key = 'deleted-' || id, password_hash = '', display_name = '', "
               "avatar_media_id = NULL, last_seen_at = NULL, role = 1, disabled = 1 WHERE id = ?")
        .bind(user)
        .run();
    x_writing.query("UPDATE erasures SET done_at = ?2, held = held + ?3 WHERE user_id = ?1")
        .bind(user, now, held)
        .run();
    x_checkpointer.empty_log();
    return erasure_of(x_writing, user);
}

} // namespace parley::sqlite
