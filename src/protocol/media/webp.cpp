#include "protocol/media/webp.hpp"

#include "protocol/media/bytes.hpp"
#include "protocol/media/exif.hpp"

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kFileHeader = 12, kChunkHeader = 8;
// In the first byte of VP8X.
constexpr std::uint8_t kHasExif = 0x08, kHasXmp = 0x04;

struct Chunk {
    std::string_view name, body, whole;
};

Error broken() { return Error(Errc::invalid_field, "the WebP is broken"); }

// What the file says that it holds; what comes after is not part of it.
Result<std::string_view> content_of(std::string_view bytes) {
    const std::size_t size = le32(bytes, 4);
    if (size < 4 || size > bytes.size() - 8) return broken();
    return bytes.substr(0, size + 8);
}

Result<Chunk> chunk_at(std::string_view bytes, std::size_t at) {
    const std::size_t size = le32(bytes, at + 4);
    if (bytes.size() - at < kChunkHeader || size > bytes.size() - at - kChunkHeader)
        return broken();
    // Padded to an even size; the last padding is missing in some files.
    const std::size_t whole = kChunkHeader + size + (size & 1);
    return Chunk{bytes.substr(at, 4), bytes.substr(at + kChunkHeader, size),
                 bytes.substr(at, whole)};
}

Result<PictureHeader> measure(const Chunk& chunk) {
    PictureHeader header;
    header.format = PictureFormat::webp;
    if (chunk.name == "VP8X"sv && chunk.body.size() >= 10) {
        header.width = static_cast<std::uint32_t>(little_endian(chunk.body, 4, 3)) + 1;
        header.height = static_cast<std::uint32_t>(little_endian(chunk.body, 7, 3)) + 1;
    } else if (chunk.name == "VP8L"sv && byte_at(chunk.body, 0) == 0x2F) {
        const std::uint32_t bits = le32(chunk.body, 1);
        header.width = (bits & 0x3FFF) + 1;
        header.height = (bits >> 14 & 0x3FFF) + 1;
    } else if (chunk.name == "VP8 "sv && part(chunk.body, 3, 3) == "\x9D\x01\x2A"sv) {
        header.width = le16(chunk.body, 6) & 0x3FFF;
        header.height = le16(chunk.body, 8) & 0x3FFF;
    } else {
        return broken();
    }
    return header;
}

bool is_metadata(const Chunk& chunk) { return chunk.name == "EXIF"sv || chunk.name == "XMP "sv; }

} // namespace

Result<PictureHeader> read_webp_header(std::string_view bytes) {
    PARLEY_TRY(const std::string_view content, content_of(bytes));
    PARLEY_TRY(const Chunk first, chunk_at(content, kFileHeader));
    PARLEY_TRY(PictureHeader header, measure(first));
    if (first.name != "VP8X"sv) return header;
    for (std::size_t at = kFileHeader; at < content.size();) {
        const auto chunk = chunk_at(content, at);
        if (!chunk) break;
        if (chunk->name == "EXIF"sv) header.orientation = read_orientation(chunk->body);
        at += chunk->whole.size();
    }
    return header;
}

Result<std::string> strip_webp(std::string_view bytes) {
    PARLEY_TRY(const std::string_view content, content_of(bytes));
    PARLEY_TRY(const PictureHeader header, read_webp_header(bytes));
    std::string out(content.substr(0, kFileHeader));
    for (std::size_t at = kFileHeader; at < content.size();) {
        PARLEY_TRY(const Chunk chunk, chunk_at(content, at));
        at += chunk.whole.size();
        if (is_metadata(chunk)) continue;
        const std::size_t begin = out.size();
        out += chunk.whole;
        if (out.size() % 2 != 0) out += '\0';
        if (chunk.name != "VP8X"sv || chunk.body.empty()) continue;
        auto flags = static_cast<std::uint8_t>(byte_at(chunk.body, 0) & ~(kHasExif | kHasXmp));
        if (header.orientation != 1) flags |= kHasExif;
        out[begin + kChunkHeader] = static_cast<char>(flags);
    }
    if (header.orientation != 1) {
        const std::string exif = make_orientation(header.orientation);
        out += "EXIF"sv;
        put_le32(out, static_cast<std::uint32_t>(exif.size()));
        out += exif;
    }
    std::string size;
    put_le32(size, static_cast<std::uint32_t>(out.size() - 8));
    out.replace(4, 4, size);
    return out;
}

} // namespace parley::protocol::media
