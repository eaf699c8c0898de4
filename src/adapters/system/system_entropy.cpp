#include "adapters/system/system_entropy.hpp"

#include "base/assert.hpp"

#include <cerrno>
#include <sys/random.h>

namespace parley::system {

void SystemEntropy::fill(std::span<std::byte> out) {
    while (!out.empty()) {
        const ssize_t got = ::getrandom(out.data(), out.size(), 0);
        PARLEY_ASSERT(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
    }
}

} // namespace parley::system
