// Fuzz target: how long films and sounds are. Whatever a file claims, the reads stay bounded and
// what comes out is plausible. Stripping is idempotent, and changes neither size nor length.
#include "protocol/media/bytes.hpp"
#include "protocol/media/duration.hpp"
#include "protocol/media/film.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace parley::protocol::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    int reads = 0;
    ByteSource source;
    source.size = size;
    source.read = [&](std::uint64_t at, std::size_t count) {
        if (++reads > kReadsMax || count > kReadMax) std::abort();
        return std::string(part(bytes, at, count));
    };
    const Measure measured = measure(source);
    if (measured.duration_ms && *measured.duration_ms > 31ULL * 24 * 3600 * 1000) std::abort();
    if (measured.width.has_value() != measured.height.has_value()) std::abort();
    if (!is_film(bytes)) return 0;
    std::string stripped(bytes);
    strip_film(stripped);
    if (stripped.size() != size || strip_film(stripped)) std::abort();
    reads = 0;
    source.read = [&](std::uint64_t at, std::size_t count) {
        return std::string(part(stripped, at, count));
    };
    if (measure(source).duration_ms != measured.duration_ms) std::abort();
    return 0;
}
