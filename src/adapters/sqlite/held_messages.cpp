#include "adapters/sqlite/held_messages.hpp"

#include "ports/rows.hpp"

#include <algorithm>

namespace parley::sqlite {
namespace {

using ports::read_held, ports::join_lines;

Error none_waits() { return {Errc::unknown_message, "no such message waits in this room"}; }

} // namespace

HeldMessages::HeldMessages(Readers& readers, Writer& writer, Database& writing, Metrics& metrics)
    : x_readers(readers),
      x_writer(writer),
      x_writing(writing),
      x_waiting(metrics.gauge("parley_held_messages", "Messages that wait for a moderator")),
      x_ids(0, writing.pragma("SELECT ifnull(max(id), 0) FROM held_messages")) {
    count();
}

void HeldMessages::count() {
    x_waiting.set(x_writing.pragma("SELECT count(*) FROM held_messages WHERE state = 1"));
}

Task<Result<ports::HeldState>> HeldMessages::hold(ports::HeldMessage held) {
    return x_writer.run(
        [this, held = std::move(held)]() -> Result<ports::HeldState> { return insert(held); });
}

std::optional<ports::HeldState> HeldMessages::known(const ports::HeldMessage& held,
                                                    Error* conflict) {
    {
        auto query = x_writing.query("SELECT 1 FROM messages WHERE nonce = ?1 AND nonce <> '' AND "
                                     "room_id = ?2 AND user_id = ?3");
        query.bind(held.draft.nonce, held.room_id, held.user_id);
        if (query.row()) return ports::HeldState::in_log;
    }
    auto query = x_writing.query("SELECT state, body_hash FROM held_messages WHERE room_id = ?1 "
                                 "AND user_id = ?2 AND nonce = ?3");
    query.bind(held.room_id, held.user_id, held.draft.nonce);
    if (!query.row()) return std::nullopt;
    if (static_cast<std::uint64_t>(query.integer(1)) != held.draft.body_hash)
        *conflict = {Errc::nonce_conflict, "this nonce was used for another message"};
    return query.enumerator<ports::HeldState>(0);
}

Result<ports::HeldState> HeldMessages::insert(const ports::HeldMessage& held) {
    Error conflict(Errc::internal);
    if (const auto state = known(held, &conflict)) {
        if (conflict.code == Errc::nonce_conflict) return conflict;
        return *state;
    }
    {
        auto query =
            x_writing.query("SELECT count(*) FROM held_messages WHERE room_id = ?1 AND state = 1");
        query.bind(held.room_id);
        if (query.row() && query.integer(0) >= static_cast<std::int64_t>(limits::kHeldPerRoom))
            return Error(Errc::content_rejected,
                         "too many messages of this room wait for a moderator");
    }
    const model::PostDraft& draft = held.draft;
    const std::string words = join_lines(held.words);
    x_writing
        .query("INSERT INTO held_messages (id, room_id, user_id, nonce, type, content, media_id, "
               "reply_to, body_hash, words, state, created_at) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(x_ids.next(held.created_at), held.room_id, held.user_id, draft.nonce, draft.type,
              draft.content, draft.media_id, draft.reply_to, draft.body_hash, words,
              ports::HeldState::waiting, held.created_at)
        .run();
    count();
    return ports::HeldState::waiting;
}

Task<Result<std::vector<ports::HeldMessage>>>
HeldMessages::waiting(model::RoomId room, model::HeldId after, std::size_t limit) {
    using Found = std::vector<ports::HeldMessage>;
    limit = std::min(limit, limits::kPageMax + 1);
    return x_readers.read([room, after, limit](Database& database) -> Result<Found> {
        Found found;
        auto query = database.query(
            room ? "SELECT " PARLEY_HELD_COLUMNS
                   " FROM held_messages h WHERE h.state = 1 AND h.room_id = ?1 AND h.id > ?2 "
                   "ORDER BY h.id LIMIT ?3"
                 : "SELECT " PARLEY_HELD_COLUMNS " FROM held_messages h JOIN rooms r ON "
                   "r.id = h.room_id WHERE h.state = 1 AND r.deleted = 0 AND h.id > ?2 AND ?1 = 0 "
                   "ORDER BY h.id LIMIT ?3");
        query.bind(room, after, limit);
        while (query.row()) found.push_back(read_held(query));
        return found;
    });
}

Task<Result<ports::HeldMessage>> HeldMessages::find_waiting(model::RoomId room,
                                                            model::HeldId held) {
    return x_readers.read([room, held](Database& database) -> Result<ports::HeldMessage> {
        auto query = database.query("SELECT " PARLEY_HELD_COLUMNS " FROM held_messages h "
                                    "WHERE h.id = ?1 AND h.room_id = ?2 AND h.state = 1");
        query.bind(held, room);
        if (!query.row()) return none_waits();
        return read_held(query);
    });
}

Task<Result<void>> HeldMessages::decide(model::RoomId room, model::HeldId held, bool approved,
                                        model::Time now) {
    return x_writer.run([this, room, held, approved, now]() -> Result<void> {
        return write_decision(room, held, approved, now);
    });
}

Result<void> HeldMessages::write_decision(model::RoomId room, model::HeldId held, bool approved,
                                          model::Time now) {
    if (approved)
        x_writing.query("DELETE FROM held_messages WHERE id = ?1 AND room_id = ?2 AND state = 1")
            .bind(held, room)
            .run();
    else
        x_writing
            .query(
                "UPDATE held_messages SET state = ?3, content = '', media_id = NULL, words = '', "
                "decided_at = ?4 WHERE id = ?1 AND room_id = ?2 AND state = 1")
            .bind(held, room, ports::HeldState::rejected, now)
            .run();
    if (x_writing.changes() == 0) return none_waits();
    count();
    return {};
}

} // namespace parley::sqlite
