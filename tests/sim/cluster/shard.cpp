#include "tests/sim/cluster/shard.hpp"

#include "model/bucket.hpp"
#include "model/new_nonces.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace parley::sim {

namespace {

Error no_answer() { return {Errc::unavailable, "the shard does not answer"}; }

} // namespace

ports::Partition Layout::partition_of(model::RoomId room) const {
    return model::bucket_of(room) % partitions;
}

// --- what a worker asks

Result<ports::PartitionPosition> Shard::take_over(ports::Partition partition) {
    if (!answers()) return no_answer();
    ports::PartitionPosition& position = positions[partition];
    ++position.generation;
    ++x_weather.stats.takeovers;
    return position;
}

Result<bool> Shard::write(const ports::ShardBatch& batch) {
    if (!answers()) return no_answer();
    ports::PartitionPosition& position = positions[batch.partition];
    const bool stale = position.generation != batch.position.generation;
    if (stale) ++x_weather.stats.fenced;
    if (stale && x_weather.world.bug != Bug::stale_owner_writes) return false;
    const bool fails = x_weather.happens(x_weather.faults.write_fails);
    const bool apart = x_weather.world.bug == Bug::offset_apart;
    if (fails && !apart) return no_answer();
    const model::EventId above = position.last_id;
    position.next_offset = std::max(position.next_offset, batch.position.next_offset);
    position.last_id = std::max(position.last_id, batch.position.last_id);
    if (stale) { // as if nobody had asked
        position.next_offset = batch.position.next_offset;
        position.last_id = batch.position.last_id;
    }
    if (fails) return no_answer();
    put_rows(batch, above);
    if (!batch.events.empty()) x_weather.note_activity();
    if (x_weather.happens(x_weather.faults.write_unknown)) return no_answer();
    return true;
}

// What a real shard's rows would refuse must never be asked of it.
bool Shard::may_put(const model::Event& event) {
    model::MessageId message;
    if (const auto* edited = std::get_if<model::MessageEdited>(&event.body))
        message = edited->message.id;
    else if (const auto* deleted = std::get_if<model::MessageDeleted>(&event.body))
        message = deleted->message_id;
    if (message && !*disk.message(event.room_id, message)) return false;
    const auto* member = std::get_if<model::MemberChanged>(&event.body);
    return !member || member->action != model::MemberAction::role ||
           *disk.role(event.room_id, member->user_id);
}

void Shard::put_rows(const ports::ShardBatch& batch, model::EventId above) {
    (void)disk.begin();
    for (const model::Sequenced& sequenced : batch.events) {
        const model::Event& event = sequenced.event();
        if (event.id <= above) continue; // a commit whose answer was lost
        const auto there = disk.read_events(event.room_id, {event.id.value - 1}, 1);
        const bool taken = !there.events.empty() && there.events.front().id == event.id;
        if (taken || !may_put(event)) {
            x_weather.world.violated("I4", "event " + event.id.to_string() + " fits no row");
            continue;
        }
        (void)disk.put(sequenced);
        x_committed[batch.partition].push_back(event.id);
        if (const auto* posted = std::get_if<model::MessagePosted>(&event.body);
            posted && posted->nonce.starts_with(model::NewNonces::kFirst))
            newest_nonce = std::max(newest_nonce, posted->nonce);
    }
    (void)disk.commit();
}

Result<void> ShardCalls::begin() {
    x_meanwhile();
    if (!x_shard.answers()) return no_answer();
    return {};
}

Result<bool> ShardCalls::owns(ports::Partition partition, std::uint64_t generation) {
    PARLEY_CHECK(begin());
    return x_shard.positions[partition].generation == generation;
}

Result<std::vector<ports::ShardRoom>> ShardCalls::rooms(std::span<const model::RoomId> rooms) {
    PARLEY_CHECK(begin());
    std::vector<ports::ShardRoom> found;
    for (const model::RoomId room : rooms) {
        const auto stored = *x_shard.disk.room(room);
        if (stored) found.push_back({*stored, x_shard.disk.read_room(room)->members});
    }
    return found;
}

Result<std::vector<std::optional<ports::StoredNonce>>>
ShardCalls::nonces(std::span<const ports::NonceKey> keys) {
    PARLEY_CHECK(begin());
    std::vector<std::optional<ports::StoredNonce>> found;
    for (const ports::NonceKey& key : keys)
        found.push_back(*x_shard.disk.nonce(key.room_id, key.user_id, key.nonce));
    return found;
}

Result<std::string> ShardCalls::newest_nonce() {
    PARLEY_CHECK(begin());
    return x_shard.newest_nonce;
}

Result<std::optional<model::Message>> ShardCalls::message(model::RoomId room,
                                                          model::MessageId message) {
    PARLEY_CHECK(begin());
    return x_shard.disk.message(room, message);
}

Result<std::optional<model::Time>> ShardCalls::paced_at(model::RoomId room, model::UserId user) {
    PARLEY_CHECK(begin());
    return x_shard.disk.paced_at(room, user);
}

Result<std::vector<ShardCalls::Reaction>> ShardCalls::reactions(model::RoomId room,
                                                                model::MessageId message) {
    PARLEY_CHECK(begin());
    std::vector<Reaction> found;
    const auto page = x_shard.disk.read_before(room, {message.value + 1}, 1);
    if (page.messages.empty() || page.messages.front().message.id != message) return found;
    for (const auto& summary : page.messages.front().reactions)
        for (const model::UserId user : summary.user_ids) found.push_back({summary.emoji, user});
    return found;
}

// --- what a front node reads

Task<void> pause(std::int64_t ms) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    std::chrono::milliseconds(ms));
    co_await timer.async_wait(boost::asio::use_awaitable);
}

Task<Result<void>> ShardReads::reach(std::size_t shard) {
    if (x_process.dead()) co_return no_answer();
    co_await pause(x_weather.delay_ms());
    const std::int64_t deadline_ms = x_weather.now_ms() + 5'000;
    while (!x_shards[shard]->up && x_shards[shard]->hangs && !x_process.dead() &&
           x_weather.now_ms() < deadline_ms)
        co_await pause(20);
    if (x_process.dead() || !x_shards[shard]->answers()) co_return no_answer();
    co_return Result<void>{};
}

Task<void> ShardReads::back() {
    if (!x_process.dead()) co_await pause(x_weather.delay_ms());
}

Task<Result<std::vector<cluster::StoredPosition>>> ShardReads::positions(std::size_t shard) {
    PARLEY_CO_CHECK(co_await reach(shard));
    std::vector<cluster::StoredPosition> found;
    for (const auto& [partition, position] : x_shards[shard]->positions)
        found.push_back({partition, position.next_offset});
    co_await back();
    co_return found;
}

Task<Result<std::vector<model::EventId>>> ShardReads::heads(std::vector<model::RoomId> rooms) {
    std::vector<model::EventId> found(rooms.size());
    for (std::size_t shard = 0; shard < x_shards.size(); ++shard) {
        PARLEY_CO_CHECK(co_await reach(shard));
        for (std::size_t i = 0; i < rooms.size(); ++i)
            if (x_layout.shard_of(rooms[i]) == shard &&
                x_weather.world.bug != Bug::bus_gap_ignored)
                found[i] = x_shards[shard]->disk.read_events(rooms[i], {}, 1).last_id;
        co_await back();
    }
    co_return found;
}

Task<Result<ports::MessagePage>> ShardReads::messages_before(model::RoomId room,
                                                             model::MessageId before,
                                                             std::size_t limit) {
    const std::size_t shard = x_layout.shard_of(room);
    PARLEY_CO_CHECK(co_await reach(shard));
    auto page = x_shards[shard]->disk.read_before(room, before, limit);
    co_await back();
    co_return page;
}

Task<Result<ports::MessagePage>> ShardReads::messages_after(model::RoomId, model::MessageId,
                                                            std::size_t) {
    co_return Error(Errc::internal, "nobody asks here");
}

Task<Result<ports::EventPage>> ShardReads::events_after(model::RoomId room, model::EventId since,
                                                        std::size_t limit) {
    const std::size_t shard = x_layout.shard_of(room);
    PARLEY_CO_CHECK(co_await reach(shard));
    auto page = x_shards[shard]->disk.read_events(room, since, std::min(limit, kPage));
    x_weather.note_activity();
    co_await back();
    co_return page;
}

Task<Result<ports::RoomSnapshot>> ShardReads::load_room(model::RoomId room) {
    const std::size_t shard = x_layout.shard_of(room);
    PARLEY_CO_CHECK(co_await reach(shard));
    auto snapshot = x_shards[shard]->disk.read_room(room);
    co_await back();
    co_return snapshot;
}

Task<Result<std::vector<ports::RoomListItem>>> ShardReads::rooms_of(model::UserId, model::RoomId,
                                                                    std::size_t) {
    co_return Error(Errc::internal, "nobody asks here");
}

Task<Result<std::vector<model::Room>>> ShardReads::search(ports::Groups, std::string,
                                                          model::RoomId, std::size_t) {
    co_return Error(Errc::internal, "nobody asks here");
}

Task<Result<std::vector<model::Member>>> ShardReads::members(model::RoomId, model::UserId,
                                                             std::size_t) {
    co_return Error(Errc::internal, "nobody asks here");
}

Task<Result<bool>> ShardReads::share_room(model::UserId, model::UserId) {
    co_return Errc::unavailable;
}

Task<Result<ports::Readers>> ShardReads::readers(model::RoomId, model::MessageId, std::size_t) {
    co_return Error(Errc::internal, "nobody asks here");
}

Task<Result<std::vector<ports::MarkOutcome>>>
ShardReads::set_read(std::vector<ports::ReadMark> marks) {
    std::vector<ports::MarkOutcome> outcomes;
    for (const ports::ReadMark& mark : marks) {
        Shard& shard = *x_shards[x_layout.shard_of(mark.room)];
        PARLEY_CO_CHECK(co_await reach(x_layout.shard_of(mark.room)));
        const auto moved = shard.disk.move_read_mark(mark.user, mark.room, mark.message);
        outcomes.push_back(!moved   ? ports::MarkOutcome::unknown_message
                           : *moved ? ports::MarkOutcome::moved
                                    : ports::MarkOutcome::stayed);
    }
    co_await back();
    co_return outcomes;
}

} // namespace parley::sim
