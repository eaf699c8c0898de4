// Seats: of a surface that has one connection for each user and room (classic), who holds it. A
// newer connection takes the seat of an older one, wherever both live.
//
// Threading: the room's home core. Owner: service::Rooms. Bound: one entry for each such
// connection. Shutdown: nothing to do; entries go with their connections.
#pragma once

#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

namespace parley::service {

class Seats {
public:
    // A responder, by its number on its core.
    struct Holder {
        std::uint16_t core = 0;
        std::uint64_t responder = 0;
        friend bool operator==(const Holder&, const Holder&) = default;
    };

    // Answers who held the seat until now, unless it was nobody.
    std::optional<Holder> take(model::RoomId room, model::UserId user, Holder holder) {
        const auto [at, fresh] = x_holders.try_emplace({room, user}, holder);
        if (fresh) return std::nullopt;
        return std::exchange(at->second, holder);
    }
    // Nothing if another one has taken it.
    void leave(model::RoomId room, model::UserId user, Holder holder) {
        const auto found = x_holders.find({room, user});
        if (found != x_holders.end() && found->second == holder) x_holders.erase(found);
    }
    // Somebody took it in another process.
    std::optional<Holder> vacate(model::RoomId room, model::UserId user) {
        const auto found = x_holders.find({room, user});
        if (found == x_holders.end()) return std::nullopt;
        const Holder holder = found->second;
        x_holders.erase(found);
        return holder;
    }
    std::size_t size() const { return x_holders.size(); }

private:
    struct Seat {
        model::RoomId room;
        model::UserId user;
        friend bool operator==(const Seat&, const Seat&) = default;
    };
    struct SeatHash {
        std::size_t operator()(const Seat& seat) const noexcept {
            return std::hash<model::RoomId>{}(seat.room) * 31 +
                   std::hash<model::UserId>{}(seat.user);
        }
    };
    std::unordered_map<Seat, Holder, SeatHash> x_holders;
};

} // namespace parley::service
