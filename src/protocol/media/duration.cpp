#include "protocol/media/duration.hpp"

#include "protocol/media/duration_parts.hpp"

#include <cmath>

namespace parley::protocol::media {

using namespace std::string_view_literals;

std::string Pieces::at(std::uint64_t offset, std::size_t count) {
    if (x_left == 0 || offset >= x_source.size) return {};
    --x_left;
    std::string piece = x_source.read(offset, std::min(count, kReadMax));
    if (piece.size() > count) piece.resize(count);
    return piece;
}

std::optional<std::uint64_t> milliseconds(double seconds) {
    if (!std::isfinite(seconds) || seconds <= 0 || seconds > kSecondsMax) return {};
    return static_cast<std::uint64_t>(seconds * 1'000 + 0.5);
}

Measure measure(const ByteSource& source) {
    Pieces pieces(source);
    const std::string first = pieces.at(0, 16);
    if (first.starts_with("RIFF"sv) && part(first, 8, 4) == "WAVE"sv) return measure_wav(pieces);
    if (first.starts_with("OggS"sv)) return measure_ogg(pieces);
    if (first.starts_with("\x1A\x45\xDF\xA3"sv)) return measure_webm(pieces);
    const std::string_view box = part(first, 4, 4);
    for (const auto known : {"ftyp"sv, "moov"sv, "mdat"sv, "wide"sv})
        if (box == known) return measure_mp4(pieces);
    return measure_mp3(pieces);
}

} // namespace parley::protocol::media
