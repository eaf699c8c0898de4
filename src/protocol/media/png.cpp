#include "protocol/media/png.hpp"

#include "protocol/media/bytes.hpp"
#include "protocol/media/exif.hpp"

#include <algorithm>
#include <array>

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSignatureSize = 8;
constexpr std::array kDropped{"eXIf"sv, "tEXt"sv, "zTXt"sv, "iTXt"sv, "tIME"sv};

struct Chunk {
    std::string_view type, body, whole;
};

Result<Chunk> chunk_at(std::string_view bytes, std::size_t at) {
    const std::size_t size = be32(bytes, at);
    if (at + 12 > bytes.size() || size > bytes.size() - at - 12)
        return Error(Errc::invalid_field, "the PNG is broken");
    return Chunk{bytes.substr(at + 4, 4), bytes.substr(at + 8, size), bytes.substr(at, size + 12)};
}

// The CRC of PNG (annex D), bit by bit: it is only ever taken of a few bytes.
std::uint32_t crc_of(std::string_view bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const char c : bytes) {
        crc ^= static_cast<std::uint8_t>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

std::string make_chunk(std::string_view type, std::string_view body) {
    std::string chunk;
    put_be32(chunk, static_cast<std::uint32_t>(body.size()));
    chunk += type;
    chunk += body;
    put_be32(chunk, crc_of(std::string_view(chunk).substr(4)));
    return chunk;
}

} // namespace

Result<PictureHeader> read_png_header(std::string_view bytes) {
    PARLEY_TRY(const Chunk first, chunk_at(bytes, kSignatureSize));
    if (first.type != "IHDR"sv || first.body.size() != 13)
        return Error(Errc::invalid_field, "the PNG has no header");
    PictureHeader header;
    header.format = PictureFormat::png;
    header.width = be32(first.body, 0);
    header.height = be32(first.body, 4);
    // Exif stands before the pixels, or after them, where nobody looks for it here.
    for (std::size_t at = kSignatureSize + first.whole.size(); at < bytes.size();) {
        const auto chunk = chunk_at(bytes, at);
        if (!chunk || chunk->type == "IDAT"sv) break;
        if (chunk->type == "eXIf"sv) header.orientation = read_orientation(chunk->body);
        at += chunk->whole.size();
    }
    return header;
}

Result<std::string> strip_png(std::string_view bytes) {
    std::string head(bytes.substr(0, kSignatureSize)), rest;
    std::uint8_t orientation = 1;
    std::size_t at = kSignatureSize;
    for (bool ended = false; !ended;) {
        PARLEY_TRY(const Chunk chunk, chunk_at(bytes, at));
        if (at == kSignatureSize)
            head += chunk.whole;
        else if (std::ranges::find(kDropped, chunk.type) == kDropped.end())
            rest += chunk.whole;
        else if (chunk.type == "eXIf"sv)
            orientation = read_orientation(chunk.body);
        at += chunk.whole.size();
        ended = chunk.type == "IEND"sv;
    }
    if (orientation != 1) head += make_chunk("eXIf", make_orientation(orientation));
    return head + rest;
}

} // namespace parley::protocol::media
