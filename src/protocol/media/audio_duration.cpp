// WAV, Ogg and MP3.
#include "protocol/media/duration_parts.hpp"

#include <array>

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kOggPageMax = 65'307;

Measure of_seconds(double seconds) {
    Measure measure;
    measure.duration_ms = milliseconds(seconds);
    return measure;
}

// A header of layer III: samples and bytes of a second, by version and the tables of 11172-3.
struct Mp3Frame {
    double sample_rate = 0, bits_per_second = 0, samples = 0;
    std::size_t side = 0; // bytes between the header and a Xing header
};

std::optional<Mp3Frame> read_mp3_frame(std::uint32_t header) {
    constexpr std::array kBits1{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
    constexpr std::array kBits2{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
    constexpr std::array kRates{44'100, 48'000, 32'000};
    const std::uint32_t version = header >> 19 & 3, bits = header >> 12 & 15,
                        rate = header >> 10 & 3;
    if (header >> 21 != 0x7FF || version == 1 || (header >> 17 & 3) != 1) return {};
    if (bits == 0 || bits == 15 || rate == 3) return {};
    const bool first = version == 3, mono = (header >> 6 & 3) == 3;
    Mp3Frame frame;
    frame.sample_rate = kRates[rate] / (first ? 1.0 : version == 2 ? 2.0 : 4.0);
    frame.bits_per_second = 1'000.0 * (first ? kBits1[bits] : kBits2[bits]);
    frame.samples = first ? 1'152 : 576;
    frame.side = first ? (mono ? 17 : 32) : (mono ? 9 : 17);
    return frame;
}

} // namespace

Measure measure_wav(Pieces& pieces) {
    double bytes_per_second = 0;
    for (std::uint64_t at = 12; at < pieces.size();) {
        const std::string chunk = pieces.at(at, 24);
        if (chunk.size() < 8) break;
        std::uint64_t size = le32(chunk, 4);
        if (chunk.starts_with("fmt "sv)) bytes_per_second = le32(chunk, 16);
        if (chunk.starts_with("data"sv)) {
            size = std::min(size, pieces.size() - at - 8); // a stream says 0xFFFFFFFF
            return bytes_per_second > 0 ? of_seconds(static_cast<double>(size) / bytes_per_second)
                                        : Measure{};
        }
        at += 8 + size + (size & 1);
    }
    return {};
}

// The position of the last page, less what Opus tells to skip.
Measure measure_ogg(Pieces& pieces) {
    const std::string first = pieces.at(0, 128);
    const std::string_view serial = part(first, 14, 4);
    const std::string_view packet = from(first, 27 + std::size_t{byte_at(first, 26)});
    double rate = 0, skip = 0;
    if (packet.starts_with("OpusHead"sv)) {
        rate = 48'000;
        skip = le16(packet, 10);
    } else if (packet.starts_with("\1vorbis"sv)) {
        rate = le32(packet, 12);
    }
    if (rate <= 0) return {};
    const std::uint64_t tail_at =
        pieces.size() - std::min<std::uint64_t>(pieces.size(), kOggPageMax);
    const std::string tail = pieces.at(tail_at, kReadMax);
    for (std::size_t at = tail.rfind("OggS"); at != std::string::npos;
         at = at == 0 ? std::string::npos : tail.rfind("OggS", at - 1)) {
        const std::uint64_t position = little_endian(tail, at + 6, 8);
        if (part(tail, at + 14, 4) != serial || position == ~std::uint64_t{0}) continue;
        return of_seconds((static_cast<double>(position) - skip) / rate);
    }
    return {};
}

Measure measure_mp3(Pieces& pieces) {
    std::uint64_t at = 0;
    const std::string tag = pieces.at(0, 10);
    if (tag.starts_with("ID3"sv)) // its size has seven bits in each byte
        at = 10 + (std::uint64_t{byte_at(tag, 6) & 0x7FU} << 21 | (byte_at(tag, 7) & 0x7FU) << 14 |
                   (byte_at(tag, 8) & 0x7FU) << 7 | (byte_at(tag, 9) & 0x7FU));
    const std::string head = pieces.at(at, 256);
    const auto frame = read_mp3_frame(be32(head, 0));
    if (!frame) return {};
    const std::string_view xing = from(head, 4 + frame->side);
    if ((xing.starts_with("Xing"sv) || xing.starts_with("Info"sv)) && be32(xing, 4) & 1)
        return of_seconds(be32(xing, 8) * frame->samples / frame->sample_rate);
    return of_seconds(static_cast<double>(pieces.size() - at) * 8 / frame->bits_per_second);
}

} // namespace parley::protocol::media
