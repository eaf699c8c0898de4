// How long a film or a sound is, and how large its picture, where its file says so: MP4 and
// QuickTime, WebM, WAV, Ogg (Opus, Vorbis) and MP3. Only headers are read, and of any file at most
// kReadsMax pieces, whatever it claims.
//
// Sources: ISO/IEC 14496-12, RFC 8794 and the Matroska elements, RIFF, RFC 3533 and 7845, ISO/IEC
// 11172-3 and the Xing header.
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol::media {

// A file that is not in memory: up to `count` bytes from `at`; fewer only at its end.
struct ByteSource {
    std::uint64_t size = 0;
    std::function<std::string(std::uint64_t at, std::size_t count)> read;
};

struct Measure {
    std::optional<std::uint64_t> duration_ms;
    std::optional<std::uint32_t> width, height; // as shown

    bool operator==(const Measure&) const = default;
};

inline constexpr int kReadsMax = 4'096;
inline constexpr std::size_t kReadMax = 64 * 1024; // of one piece

// Nothing where nothing is said, or where the file is broken.
Measure measure(const ByteSource& source);

} // namespace parley::protocol::media
