// RoomHome: the rooms whose home is this core: their state in memory, loaded from the directory
// when it is first asked for and moved on by each event of the log; and which cores have listeners.
//
// Loading and the log race: events that come while the snapshot is read are kept and applied after
// it; those that the snapshot has are known by their ids. With a feed (room_feed.hpp) a room is
// followed before it is read, and what nobody listens to is read again after
// limits::kRoomTrusted.
//
// Threading: its core. Owner: service::Rooms. Bounds: limits::kRoomsCached and kMembersCached; the
// room that was used longest ago and has no listeners goes first.
#pragma once

#include "base/core.hpp"
#include "base/gate.hpp"
#include "base/metrics.hpp"
#include "base/one_shot.hpp"
#include "chat/room.hpp"
#include "ports/room_directory.hpp"
#include "ports/clock.hpp"
#include "service/delivery.hpp"
#include "service/room_feed.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace parley::service {

inline constexpr std::size_t kCoresMax = 64;
using CoreMask = std::uint64_t;

// What the authoriser and the surfaces need of a room, at one moment.
struct RoomView {
    model::Room room;
    chat::Standing standing; // of the user who asked
    model::EventId last_id;
};

class RoomHome {
public:
    RoomHome(Core& core, ports::RoomDirectory& directory, Gate& gate, const ports::Clock& clock,
             RoomFeed* feed, Metrics& metrics);

    // Any room: a room that is absent gives a Standing with room_exists false, so that the
    // authoriser has the one word on it. Errors: overloaded, unavailable.
    Task<Result<RoomView>> view(model::UserId user, model::RoomId room);
    // The same; and when the user may view the room, `core` hears of its events from now on.
    Task<Result<RoomView>> attach(model::UserId user, model::RoomId room, std::uint16_t core);
    void detach(model::RoomId room, std::uint16_t core);

    // Where an event stands against what this core has of the room.
    enum class Place : std::uint8_t {
        next,   // the one that follows; or the room is being read
        old,    // was applied
        gap,    // events before it are missing
        unknown // the room is not in memory
    };
    Place place(const model::Event& event) const;
    struct Followed {
        model::RoomId room;
        model::EventId last_id;
    };
    // Rooms with listeners.
    std::vector<Followed> listened() const;
    std::optional<model::EventId> last_id(model::RoomId room) const;
    // Nothing is heard at present: what has no listeners is read again when it is asked for.
    void forget_unheard();
    void forget(model::RoomId room);

    // Applies the event of an outcome, in log order; answers the cores with listeners.
    CoreMask apply(const model::Event& event);
    // For what is not in the log (typing, presence, receipts).
    CoreMask listeners(model::RoomId room) const;
    // Members of a room in memory; 0 when it is not.
    std::size_t member_count(model::RoomId room) const;

private:
    struct Entry {
        explicit Entry(boost::asio::any_io_executor executor) : loaded(std::move(executor)) {}
        OneShot loaded;
        std::optional<Error> failure;
        std::optional<chat::Room> room;
        std::vector<model::Event> early; // came while loading
        CoreMask cores = 0;
        std::chrono::steady_clock::time_point read_at{};
        std::list<model::RoomId>::iterator used;
    };
    using EntryRef = std::shared_ptr<Entry>;

    Task<Result<EntryRef>> find_or_load(model::RoomId room);
    Task<void> load(model::RoomId room, EntryRef entry);
    bool is_stale(const Entry& entry) const;
    void trim();

    Core& x_core;
    ports::RoomDirectory& x_directory;
    Gate& x_gate;
    const ports::Clock& x_clock;
    RoomFeed* const x_feed;
    std::unordered_map<model::RoomId, EntryRef> x_entries;
    std::list<model::RoomId> x_by_use; // most recent first
    std::size_t x_members = 0;
    Gauge& x_cached;
    Counter& x_loads;
};

} // namespace parley::service
