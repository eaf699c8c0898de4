#include "adapters/postgres/held.hpp"

#include "adapters/postgres/event_rows.hpp"
#include "base/limits.hpp"
#include "ports/rows.hpp"

#include <algorithm>

namespace parley::postgres {
namespace {

using ports::read_held, ports::join_lines;

Error none_waits() { return {Errc::unknown_message, "no such message waits in this room"}; }

void count(Connection& connection, Gauge& waiting) {
    waiting.set(
        connection.query("SELECT count(*) FROM held_messages WHERE state = 1").front().integer(0));
}

Result<std::optional<ports::HeldState>> known(Connection& connection,
                                              const ports::HeldMessage& held) {
    using State = std::optional<ports::HeldState>;
    const Params key(held.room_id, held.user_id, held.draft.nonce);
    if (!connection
             .query("SELECT 1 FROM messages WHERE nonce = $3 AND nonce <> '' AND room_id = $1 AND "
                    "user_id = $2",
                    key)
             .empty())
        return State(ports::HeldState::in_log);
    const auto rows = connection.query("SELECT state, body_hash FROM held_messages WHERE "
                                       "room_id = $1 AND user_id = $2 AND nonce = $3",
                                       key);
    if (rows.empty()) return State{};
    if (static_cast<std::uint64_t>(rows.front().integer(1)) != held.draft.body_hash)
        return Error(Errc::nonce_conflict, "this nonce was used for another message");
    return State(rows.front().enumerator<ports::HeldState>(0));
}

Result<ports::HeldState> insert(Connection& connection, const ports::HeldMessage& held) {
    Transaction transaction(connection);
    // One at a time in a room, so that neither the nonce nor the bound is passed by two at once.
    connection.queue("SELECT pg_advisory_xact_lock($1)", Params(held.room_id));
    PARLEY_TRY(const auto state, known(connection, held));
    if (state) return *state;
    const auto waiting =
        connection.query("SELECT count(*) FROM held_messages WHERE room_id = $1 AND state = 1",
                         Params(held.room_id));
    if (waiting.front().integer(0) >= static_cast<std::int64_t>(limits::kHeldPerRoom))
        return Error(Errc::content_rejected, "too many messages of this room wait for a moderator");
    const model::PostDraft& draft = held.draft;
    const std::string words = join_lines(held.words);
    connection.queue("INSERT INTO held_messages (id, room_id, user_id, nonce, type, content, "
                     "media_id, reply_to, body_hash, words, state, created_at) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                     Params(held.id, held.room_id, held.user_id, draft.nonce, draft.type,
                            draft.content, draft.media_id, draft.reply_to, draft.body_hash, words,
                            ports::HeldState::waiting, held.created_at));
    transaction.commit();
    return ports::HeldState::waiting;
}

} // namespace

Held::Held(const ShardMap& shards, IdSource& ids, Metrics& metrics) : x_shards(shards), x_ids(ids) {
    for (std::size_t shard = 0; shard < shards.size(); ++shard)
        x_waiting.push_back(&metrics.gauge("parley_held_messages",
                                           "Messages that wait for a moderator",
                                           "shard=\"" + std::to_string(shard) + "\""));
}

Task<Result<ports::HeldState>> Held::hold(ports::HeldMessage held) {
    Gauge& waiting = *x_waiting[x_shards.index_of(held.room_id)];
    Pool& pool = x_shards.of(held.room_id);
    return pool.run([this, &waiting, held = std::move(held)](
                        Connection& connection) mutable -> Result<ports::HeldState> {
        PARLEY_TRY(held.id.value, x_ids.next(held.created_at));
        auto state = insert(connection, held);
        if (state && *state == ports::HeldState::waiting) count(connection, waiting);
        return state;
    });
}

Task<Result<std::vector<ports::HeldMessage>>> Held::waiting(model::RoomId room, model::HeldId after,
                                                            std::size_t limit) {
    using Found = std::vector<ports::HeldMessage>;
    limit = std::min(limit, limits::kPageMax + 1);
    const auto read = [room, after, limit](Connection& connection) -> Result<Found> {
        Found found;
        const auto rows = connection.query(
            room ? "SELECT " PARLEY_HELD_COLUMNS
                   " FROM held_messages h WHERE h.state = 1 AND h.room_id = $1 AND h.id > $2 "
                   "ORDER BY h.id LIMIT $3"
                 : "SELECT " PARLEY_HELD_COLUMNS " FROM held_messages h JOIN rooms r ON "
                   "r.id = h.room_id WHERE h.state = 1 AND r.deleted = 0 AND h.id > $2 AND $1 = 0 "
                   "AND " PARLEY_IS_HERE("r.id") " "
                                                 "ORDER BY h.id LIMIT $3",
            Params(room, after, limit));
        for (const Row row : rows) found.push_back(read_held(row));
        return found;
    };
    if (room) {
        auto asking = x_shards.of(room).run(read);
        co_return co_await std::move(asking);
    }
    auto asking = x_shards.ask_all(read);
    PARLEY_CO_TRY(std::vector<Found> of_shards, co_await std::move(asking));
    Found all;
    for (Found& some : of_shards) std::ranges::move(some, std::back_inserter(all));
    std::ranges::sort(all, {}, &ports::HeldMessage::id);
    const auto twice = std::ranges::unique(all, {}, &ports::HeldMessage::id);
    all.erase(twice.begin(), twice.end());
    if (all.size() > limit) all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
    co_return all;
}

Task<Result<ports::HeldMessage>> Held::find_waiting(model::RoomId room, model::HeldId held) {
    using Found = Result<ports::HeldMessage>;
    return x_shards.of(room).run([room, held](Connection& connection) -> Found {
        const auto rows = connection.query("SELECT " PARLEY_HELD_COLUMNS " FROM held_messages h "
                                           "WHERE h.id = $1 AND h.room_id = $2 AND h.state = 1",
                                           Params(held, room));
        if (rows.empty()) return none_waits();
        return read_held(rows.front());
    });
}

Task<Result<void>> Held::decide(model::RoomId room, model::HeldId held, bool approved,
                                model::Time now) {
    Gauge& waiting = *x_waiting[x_shards.index_of(room)];
    return x_shards.of(room).run([=, &waiting](Connection& connection) -> Result<void> {
        const auto done =
            approved
                ? connection.query("DELETE FROM held_messages WHERE id = $1 AND room_id = $2 AND "
                                   "state = 1",
                                   Params(held, room))
                : connection.query("UPDATE held_messages SET state = $3, content = '', "
                                   "media_id = NULL, words = '', decided_at = $4 WHERE id = $1 "
                                   "AND room_id = $2 AND state = 1",
                                   Params(held, room, ports::HeldState::rejected, now));
        if (done.changes() == 0) return none_waits();
        count(connection, waiting);
        return {};
    });
}

} // namespace parley::postgres
