// Store as ports::HeldStore.
#include "adapters/memory/store.hpp"
#include "base/limits.hpp"

namespace parley::memory {

namespace {
Error none_waits() { return {Errc::unknown_message, "no such message waits in this room"}; }
} // namespace

Result<ports::HeldState> Store::insert_held(ports::HeldMessage held) {
    const auto room = x_rooms.find(held.room_id);
    if (room != x_rooms.end() && room->second.nonces.contains({held.user_id, held.draft.nonce}))
        return ports::HeldState::in_log;
    std::size_t waiting = 0;
    for (const auto& [id, row] : x_held) {
        if (row.message.room_id != held.room_id) continue;
        if (row.message.user_id == held.user_id && row.message.draft.nonce == held.draft.nonce) {
            if (row.message.draft.body_hash != held.draft.body_hash)
                return Error(Errc::nonce_conflict, "this nonce was used for another message");
            return row.state;
        }
        waiting += row.state == ports::HeldState::waiting;
    }
    if (waiting >= limits::kHeldPerRoom)
        return Error(Errc::content_rejected, "too many messages of this room wait for a moderator");
    held.id = {++x_last_held_id};
    x_held[held.id].message = std::move(held);
    return ports::HeldState::waiting;
}

Task<Result<ports::HeldState>> Store::hold(ports::HeldMessage held) {
    const Lock lock(x_mutex);
    co_return insert_held(std::move(held));
}

Task<Result<std::vector<ports::HeldMessage>>>
Store::waiting(model::RoomId room, model::HeldId after, std::size_t limit) {
    const Lock lock(x_mutex);
    std::vector<ports::HeldMessage> found;
    for (auto at = x_held.upper_bound(after); at != x_held.end() && found.size() < limit; ++at) {
        const ports::HeldMessage& held = at->second.message;
        if (at->second.state != ports::HeldState::waiting) continue;
        if (room ? held.room_id == room : find_room(held.room_id) != nullptr) found.push_back(held);
    }
    co_return found;
}

ports::HeldMessage* Store::waiting_held(model::RoomId room, model::HeldId held) {
    const auto found = x_held.find(held);
    if (found == x_held.end() || found->second.state != ports::HeldState::waiting ||
        found->second.message.room_id != room)
        return nullptr;
    return &found->second.message;
}

Task<Result<ports::HeldMessage>> Store::find_waiting(model::RoomId room, model::HeldId held) {
    const Lock lock(x_mutex);
    const ports::HeldMessage* const found = waiting_held(room, held);
    if (!found) co_return none_waits();
    co_return *found;
}

Task<Result<void>> Store::decide(model::RoomId room, model::HeldId held, bool approved,
                                 model::Time) {
    const Lock lock(x_mutex);
    if (!waiting_held(room, held)) co_return none_waits();
    if (approved) {
        x_held.erase(held);
    } else {
        HeldRow& row = x_held.at(held);
        row.state = ports::HeldState::rejected;
        row.message.draft.content.clear();
    }
    co_return Result<void>{};
}

} // namespace parley::memory
