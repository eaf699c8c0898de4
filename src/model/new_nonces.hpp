// NewNonces: tells, without a look-up, that a nonce cannot be in the log yet. Never wrong when it
// says so; when it cannot tell, the caller asks the index.
//
// How: nonces that grow with time (UUIDv7, ULID; until 2039 both begin with "01") arrive nearly in
// order. A nonce of that kind is new if it is greater than every one that the store held at the
// start (`floor`), and than every one that came from this user in this room since. An older one, as
// of a second device that had to try again, is new if it is none of the newest that came from
// anybody, and greater than all that were forgotten of these. Entries that a rollback made too high
// only cost a look-up; so does a client whose clock is ahead, to such second devices.
//
// Threading: the log's thread. Owner: the event store. Bounds: limits::kStoreRoomsCached entries;
// a full table is emptied after the floor was raised above all of it. limits::kRecentNonces of the
// newest; the oldest is forgotten.
#pragma once

#include "base/limits.hpp"
#include "base/nonce_limits.hpp"
#include "model/membership.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

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
        if (found == x_last.end() || nonce > found->second) return true;
        return nonce > x_forgotten && !x_recent.contains({{room, user}, std::string(nonce)});
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
        const auto [added, is_new] = x_recent.insert({{room, user}, std::string(nonce)});
        if (!is_new) return;
        x_by_age.push_back(&*added);
        if (x_by_age.size() <= limits::kRecentNonces) return;
        const Key& oldest = *x_by_age.front();
        x_by_age.pop_front();
        x_forgotten = std::max(x_forgotten, oldest.nonce);
        x_recent.erase(x_recent.find(oldest));
    }

private:
    struct Key {
        Membership sender;
        std::string nonce;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            return MembershipHash{}(key.sender) * 31 + std::hash<std::string>{}(key.nonce);
        }
    };

    bool x_started = false;
    std::string x_floor;
    std::unordered_map<Membership, std::string, MembershipHash> x_last;
    std::unordered_set<Key, KeyHash> x_recent;
    std::deque<const Key*> x_by_age; // of x_recent
    std::string x_forgotten;         // the greatest that has left it
};

} // namespace parley::model
