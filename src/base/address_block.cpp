#include "base/address_block.hpp"

#include <arpa/inet.h>
#include <array>
#include <string>

namespace parley {

AddressBlock address_block(std::string_view address) {
    const std::string text(address); // inet_pton wants a zero at the end
    std::array<unsigned char, 16> bytes{};
    if (::inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1)
        bytes[10] = bytes[11] = 0xFF;
    else if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1)
        return {};
    AddressBlock block;
    for (int i = 0; i < 8; ++i) block.high = block.high << 8 | bytes[i];
    for (int i = 8; i < 16; ++i) block.low = block.low << 8 | bytes[i];
    const bool is_v4 = block.high == 0 && block.low >> 32 == 0xFFFF;
    if (!is_v4) block.low = 0;
    return block;
}

} // namespace parley
