// NewNonces: tells, without a look-up, that a nonce cannot be in the log yet. Never wrong when it
// says so; when it cannot tell, the caller asks the index.
//
// How: nonces that grow with time (UUIDv7, ULID; until 2039 both begin with "01") arrive nearly in
// order. A nonce of that kind is new if it is greater than every one that the store held at the
// start (`floor`), and than every one that came from this user in this room since. An older one, as
// of a second device that had to try again, is new if it is none of the newest that came from
// anybody, and greater than all that were forgotten of these. The newest are kept in Bloom filters
// (Bloom, 1970) of two generations. A wrong hit, an entry that a rollback made too high, and
// to second devices a client whose clock is ahead only cost a look-up.
//
// Threading: the log's thread. Owner: the event store. Bounds: limits::kStoreRoomsCached entries;
// a full table is emptied after the floor was raised above all of it. limits::kRecentNonces in a
// generation; when it is full, the one before is forgotten.
#pragma once

#include "base/limits.hpp"
#include "base/nonce_limits.hpp"
#include "model/membership.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
        if (nonce <= x_forgotten) return false;
        const std::uint64_t hash = hash_of(room, user, nonce);
        return !x_recent[0].may_hold(hash) && !x_recent[1].may_hold(hash);
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
        if (x_recent[0].size >= limits::kRecentNonces) {
            x_forgotten = std::max(x_forgotten, x_recent[1].greatest);
            std::swap(x_recent[0], x_recent[1]);
            x_recent[0] = Generation();
        }
        x_recent[0].add(hash_of(room, user, nonce), nonce);
    }

private:
    // A Bloom filter of 16 bits a nonce and four probes: one wrong hit in 400 when full.
    struct Generation {
        static constexpr std::uint64_t kBits = limits::kRecentNonces * 16;
        static_assert((kBits & (kBits - 1)) == 0);

        void add(std::uint64_t hash, std::string_view nonce) {
            if (bits.empty()) bits.resize(kBits / 64);
            for (const std::uint64_t bit : probes(hash)) bits[bit / 64] |= 1ull << (bit % 64);
            if (nonce > greatest) greatest = nonce;
            ++size;
        }
        bool may_hold(std::uint64_t hash) const {
            if (bits.empty()) return false;
            return std::ranges::all_of(probes(hash), [this](std::uint64_t bit) {
                return (bits[bit / 64] >> (bit % 64) & 1) != 0;
            });
        }
        // Double hashing (Kirsch and Mitzenmacher, 2006).
        static std::array<std::uint64_t, 4> probes(std::uint64_t hash) {
            const std::uint64_t step = (hash >> 32) | 1;
            return {hash % kBits, (hash + step) % kBits, (hash + 2 * step) % kBits,
                    (hash + 3 * step) % kBits};
        }

        std::vector<std::uint64_t> bits; // empty until the first
        std::string greatest;
        std::size_t size = 0;
    };

    static std::uint64_t hash_of(RoomId room, UserId user, std::string_view nonce) {
        const std::uint64_t mixed =
            MembershipHash()({room, user}) * 31 + std::hash<std::string_view>()(nonce);
        return (mixed ^ (mixed >> 29)) * 0x9E3779B97F4A7C15ull;
    }

    bool x_started = false;
    std::string x_floor;
    std::unordered_map<Membership, std::string, MembershipHash> x_last;
    std::array<Generation, 2> x_recent; // the newer first
    std::string x_forgotten;            // the greatest that has left it
};

} // namespace parley::model
