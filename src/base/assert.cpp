#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace parley {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    std::fprintf(stderr, "parley: assertion failed: %s at %s:%d\n", expression, file, line);
    std::fflush(stderr);
    std::abort();
}

} // namespace parley
