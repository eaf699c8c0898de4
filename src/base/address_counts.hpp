// AddressCounts: how many connections each address (an IPv6 one by its /64) has open, with a cap.
//
// Threading: any thread; a lock for each connection that opens or closes. Owner: who counts.
// Bound: one entry for each address with a connection.
#pragma once

#include "base/address_block.hpp"

#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace parley {

class AddressCounts {
public:
    explicit AddressCounts(std::size_t most) : x_most(most) {}

    // False: the address has as many as it may; it was not counted.
    bool enter(const AddressBlock& address) {
        const std::lock_guard lock(x_mutex);
        std::size_t& count = x_counts[address];
        if (count >= x_most) return false; // never of a new entry: the cap is at least 1
        ++count;
        return true;
    }
    void leave(const AddressBlock& address) {
        const std::lock_guard lock(x_mutex);
        const auto found = x_counts.find(address);
        if (found != x_counts.end() && --found->second == 0) x_counts.erase(found);
    }
    std::size_t addresses() const {
        const std::lock_guard lock(x_mutex);
        return x_counts.size();
    }

private:
    struct Hash {
        std::size_t operator()(const AddressBlock& a) const {
            const std::uint64_t mixed = (a.high ^ a.low) * 0x9E3779B97F4A7C15u;
            return mixed ^ mixed >> 32;
        }
    };
    const std::size_t x_most;
    mutable std::mutex x_mutex;
    std::unordered_map<AddressBlock, std::size_t, Hash> x_counts; // guarded by x_mutex
};

} // namespace parley
