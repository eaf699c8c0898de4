#include "service/room_home.hpp"

#include "base/cluster_limits.hpp"

namespace parley::service {

RoomHome::RoomHome(Core& core, ports::RoomDirectory& directory, Gate& gate,
                   const ports::Clock& clock, RoomFeed* feed, Metrics& metrics)
    : x_core(core),
      x_directory(directory),
      x_gate(gate),
      x_clock(clock),
      x_feed(feed),
      x_cached(metrics.gauge("parley_rooms_cached", "Rooms in memory",
                             "core=\"" + std::to_string(core.index()) + "\"")),
      x_loads(metrics.counter("parley_room_loads_total", "Rooms read from the directory")) {}

Task<Result<RoomView>> RoomHome::view(model::UserId user, model::RoomId room) {
    PARLEY_CO_TRY(const EntryRef entry, co_await find_or_load(room));
    if (!entry->room) co_return RoomView{};
    co_return RoomView{entry->room->info(), entry->room->standing_of(user), entry->room->last_id()};
}

Task<Result<RoomView>> RoomHome::attach(model::UserId user, model::RoomId room,
                                        std::uint16_t core) {
    PARLEY_CO_TRY(const EntryRef entry, co_await find_or_load(room));
    if (!entry->room) co_return RoomView{};
    RoomView view{entry->room->info(), entry->room->standing_of(user), entry->room->last_id()};
    if (chat::authorise(view.standing, chat::Action::view)) entry->cores |= CoreMask{1} << core;
    co_return view;
}

void RoomHome::detach(model::RoomId room, std::uint16_t core) {
    const auto found = x_entries.find(room);
    if (found == x_entries.end()) return;
    found->second->cores &= ~(CoreMask{1} << core);
    trim();
}

CoreMask RoomHome::apply(const model::Event& event) {
    const auto found = x_entries.find(event.room_id);
    if (found == x_entries.end()) return 0;
    Entry& entry = *found->second;
    if (!entry.loaded.is_set()) {
        entry.early.push_back(event);
        return entry.cores;
    }
    const CoreMask cores = entry.cores;
    if (entry.room) {
        const std::size_t before = entry.room->member_count();
        entry.room->apply(event);
        x_members += entry.room->member_count() - before;
        if (entry.room->info().deleted) forget(event.room_id);
    }
    return cores;
}

RoomHome::Place RoomHome::place(const model::Event& event) const {
    const auto found = x_entries.find(event.room_id);
    if (found == x_entries.end()) return Place::unknown;
    const Entry& entry = *found->second;
    if (!entry.loaded.is_set()) return Place::next;
    if (!entry.room) return Place::unknown;
    if (event.id <= entry.room->last_id()) return Place::old;
    return x_feed && event.prev_id > entry.room->last_id() ? Place::gap : Place::next;
}

std::vector<RoomHome::Followed> RoomHome::listened() const {
    std::vector<Followed> rooms;
    for (const auto& [room, entry] : x_entries)
        if (entry->cores && entry->room && entry->loaded.is_set())
            rooms.push_back({room, entry->room->last_id()});
    return rooms;
}

std::optional<model::EventId> RoomHome::last_id(model::RoomId room) const {
    const auto found = x_entries.find(room);
    if (found == x_entries.end() || !found->second->loaded.is_set() || !found->second->room)
        return std::nullopt;
    return found->second->room->last_id();
}

void RoomHome::forget_unheard() {
    std::vector<model::RoomId> unheard;
    for (const auto& [room, entry] : x_entries)
        if (!entry->cores && entry->loaded.is_set()) unheard.push_back(room);
    for (const model::RoomId room : unheard) forget(room);
}

bool RoomHome::is_stale(const Entry& entry) const {
    return x_feed && entry.loaded.is_set() && !entry.cores &&
           (!x_feed->connected() || x_clock.steady() - entry.read_at > limits::kRoomTrusted);
}

CoreMask RoomHome::listeners(model::RoomId room) const {
    const auto found = x_entries.find(room);
    return found == x_entries.end() ? 0 : found->second->cores;
}

std::size_t RoomHome::member_count(model::RoomId room) const {
    const auto found = x_entries.find(room);
    return found == x_entries.end() || !found->second->room ? 0
                                                            : found->second->room->member_count();
}

Task<Result<RoomHome::EntryRef>> RoomHome::find_or_load(model::RoomId room) {
    auto found = x_entries.find(room);
    if (found != x_entries.end() && is_stale(*found->second)) {
        forget(room);
        found = x_entries.end();
    }
    EntryRef entry;
    if (found != x_entries.end()) {
        entry = found->second;
        x_by_use.splice(x_by_use.begin(), x_by_use, entry->used);
    } else {
        entry = std::make_shared<Entry>(x_core.io().get_executor());
        x_by_use.push_front(room);
        entry->used = x_by_use.begin();
        x_entries.emplace(room, entry);
        if (!x_gate.spawn(load(room, entry))) {
            forget(room);
            co_return Error(Errc::shutting_down, "the server is stopping");
        }
    }
    if (!entry->loaded.is_set()) co_await entry->loaded.wait();
    if (entry->failure) co_return *entry->failure;
    co_return entry;
}

Task<void> RoomHome::load(model::RoomId room, EntryRef entry) {
    x_loads.add();
    if (x_feed) co_await x_feed->follow(room);
    auto snapshot = co_await x_directory.load_room(room);
    entry->read_at = x_clock.steady();
    if (snapshot) {
        entry->room.emplace(std::move(*snapshot));
        for (const model::Event& event : entry->early) {
            // What comes after a hole is read later, with what is in the hole.
            if (x_feed && event.prev_id > entry->room->last_id()) break;
            entry->room->apply(event);
        }
        if (entry->room->info().deleted) entry->room.reset();
    } else if (snapshot.error().code != Errc::unknown_room) {
        entry->failure = snapshot.error();
    }
    entry->early = {};
    if (entry->room)
        x_members += entry->room->member_count();
    else
        forget(room);
    entry->loaded.set();
    trim();
}

void RoomHome::forget(model::RoomId room) {
    const auto found = x_entries.find(room);
    if (found == x_entries.end()) return;
    if (found->second->room) x_members -= found->second->room->member_count();
    x_by_use.erase(found->second->used);
    x_entries.erase(found);
    if (x_feed) x_feed->unfollow(room);
    x_cached.set(static_cast<std::int64_t>(x_entries.size()));
}

void RoomHome::trim() {
    x_cached.set(static_cast<std::int64_t>(x_entries.size()));
    std::size_t looked_at = 0;
    auto at = x_by_use.end();
    while ((x_entries.size() > limits::kRoomsCached || x_members > limits::kMembersCached) &&
           at != x_by_use.begin() && looked_at++ < 64) {
        --at;
        const model::RoomId room = *at;
        const Entry& entry = *x_entries.at(room);
        if (entry.cores != 0 || !entry.loaded.is_set()) continue;
        ++at;
        forget(room);
    }
}

} // namespace parley::service
