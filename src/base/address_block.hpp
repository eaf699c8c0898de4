// AddressBlock: what counts as one place on the network: an IPv4 address, or the first 64 bits of
// an IPv6 address, since one line or host usually has a whole /64 to itself.
//
// Threading: values.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley {

struct AddressBlock {
    std::uint64_t high = 0, low = 0; // low is 0 but for IPv4, which stands as ::ffff:a.b.c.d

    bool operator==(const AddressBlock&) const = default;
};

// What is no address gives the block of zeros, so that all such share one.
AddressBlock address_block(std::string_view address);

} // namespace parley
