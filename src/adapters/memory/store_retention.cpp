// Store as ports::RetentionStore.
#include "adapters/memory/store.hpp"

namespace parley::memory {

std::uint64_t Store::remove_before(RoomData& room, model::Time before) {
    std::uint64_t removed = 0;
    while (!room.events.empty() && room.events.begin()->second.at < before) {
        const model::EventId id = room.events.begin()->first;
        room.reactions.erase(id);
        std::erase_if(room.nonces,
                      [&](const auto& entry) { return entry.second.message_id == id; });
        room.removed_id = id;
        room.events.erase(room.events.begin());
        ++removed;
    }
    if (removed > 0 && !room.events.empty()) room.events.begin()->second.prev_id = {};
    return removed;
}

Task<Result<ports::RetentionStep>> Store::remove_old(model::RoomId from, std::uint32_t server_days,
                                                     model::Time now) {
    constexpr std::int64_t kDayMs = 86'400'000;
    const Lock lock(x_mutex);
    for (auto at = x_rooms.lower_bound(from); at != x_rooms.end(); ++at) {
        std::uint32_t days = at->second.room.retention_days.value_or(0);
        if (days == 0 || (server_days != 0 && server_days < days)) days = server_days;
        if (days == 0) continue;
        const std::uint64_t removed = remove_before(at->second, {now.ms - days * kDayMs});
        ports::RetentionStep step{at->first, removed};
        if (removed > 0) co_return step;
    }
    co_return ports::RetentionStep{};
}

} // namespace parley::memory
