// NewNonces: tells, without a look-up, that a nonce cannot be in the log yet. Never wrong when it
// says so; when it cannot tell, the caller asks the index.
//
// How: nonces that grow with time (UUIDv7, ULID; until 2039 both begin with "01") arrive nearly in
// order. A nonce of that kind is new if it is greater than every one that the store held at the
// start (`floor`), and than every one that came from this user in this room since. Entries that a
// rollback made too high only cost a look-up.
//
// Threading: the log's thread. Owner: the event store. Bound: limits::kStoreRoomsCached entries;
// a full table is emptied after the floor was raised above all of it.
#pragma once

#include "model/membership.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

namespace parley::model {

class NewNonces {
public:
    static constexpr std::string_view kFirst = "01", kEnd = "02";

    // `newest`: the greatest stored nonce of the range [kFirst, kEnd); "" for none. Before it,
    // nothing is judged.
    void start(std::string newest) {
        x_floor = std::max(std::move(newest), x_floor);
        x_started = true;
    }

    bool surely_new(RoomId room, UserId user, std::string_view nonce) const {
        if (!x_started || !nonce.starts_with(kFirst) || nonce <= x_floor) return false;
        const auto found = x_last.find({room, user});
        return found == x_last.end() || nonce > found->second;
    }

    // Before the nonce may be in the file.
    void remember(RoomId room, UserId user, std::string_view nonce) {
        if (!nonce.starts_with(kFirst)) return;
        if (x_last.size() >= limits::kStoreRoomsCached) {
            for (const auto& [sender, last] : x_last) x_floor = std::max(x_floor, last);
            x_last.clear();
        }
        std::string& last = x_last[{room, user}];
        if (nonce > last) last = nonce;
    }

private:
    bool x_started = false;
    std::string x_floor;
    std::unordered_map<Membership, std::string, MembershipHash> x_last;
};

} // namespace parley::model
