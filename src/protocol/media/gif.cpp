#include "protocol/media/gif.hpp"

#include "protocol/media/bytes.hpp"

#include <algorithm>

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

enum Introducer : std::uint8_t { kImage = 0x2C, kExtension = 0x21, kTrailer = 0x3B };
enum Label : std::uint8_t { kPlainText = 0x01, kControl = 0xF9, kComment = 0xFE, kApp = 0xFF };

constexpr std::size_t kScreenSize = 13; // signature and logical screen
constexpr std::size_t kImageSize = 10;

Error broken() { return Error(Errc::invalid_field, "the GIF is broken"); }

std::size_t table_size(std::uint8_t flags) {
    return flags & 0x80 ? std::size_t{3} << ((flags & 7) + 1) : 0;
}

// After the sub-blocks that begin at `at`, or npos.
std::size_t end_of_data(std::string_view bytes, std::size_t at) {
    while (at < bytes.size()) {
        const std::size_t size = byte_at(bytes, at);
        at += 1 + size;
        if (size == 0) return at;
    }
    return std::string_view::npos;
}

struct Block {
    std::uint8_t introducer = 0, label = 0;
    std::string_view whole;
};

Result<Block> block_at(std::string_view bytes, std::size_t at) {
    Block block{byte_at(bytes, at), byte_at(bytes, at + 1), {}};
    std::size_t end = std::string_view::npos;
    if (block.introducer == kTrailer && at < bytes.size())
        end = at + 1;
    else if (block.introducer == kExtension)
        end = end_of_data(bytes, at + 2);
    else if (block.introducer == kImage) // a code size stands before its data
        end = end_of_data(bytes, at + kImageSize + table_size(byte_at(bytes, at + 9)) + 1);
    if (end == std::string_view::npos || end > bytes.size()) return broken();
    block.whole = bytes.substr(at, end - at);
    return block;
}

Result<std::size_t> first_block(std::string_view bytes) {
    const std::size_t at = kScreenSize + table_size(byte_at(bytes, 10));
    if (at > bytes.size()) return broken();
    return at;
}

bool is_kept(const Block& block) {
    if (block.introducer != kExtension) return true;
    if (block.label == kControl || block.label == kPlainText) return true;
    if (block.label != kApp) return false;
    const std::string_view name = part(block.whole, 3, 11); // these say how often it plays
    return name == "NETSCAPE2.0"sv || name == "ANIMEXTS1.0"sv || name == "ICCRGBG1012"sv;
}

} // namespace

Result<PictureHeader> read_gif_header(std::string_view bytes) {
    PARLEY_TRY(std::size_t at, first_block(bytes));
    PictureHeader header;
    header.format = PictureFormat::gif;
    while (true) {
        PARLEY_TRY(const Block block, block_at(bytes, at));
        if (block.introducer == kTrailer)
            return Error(Errc::invalid_field, "the GIF has no picture");
        if (block.introducer == kImage) {
            const auto far_edge = [&](std::size_t begin, std::size_t size) {
                return std::uint32_t{le16(block.whole, begin)} + le16(block.whole, size);
            };
            header.width = std::max<std::uint32_t>(le16(bytes, 6), far_edge(1, 5));
            header.height = std::max<std::uint32_t>(le16(bytes, 8), far_edge(3, 7));
            return header;
        }
        at += block.whole.size();
    }
}

Result<std::string> first_frame_of_gif(std::string_view bytes) {
    PARLEY_TRY(std::size_t at, first_block(bytes));
    std::string out(bytes.substr(0, at));
    while (true) {
        PARLEY_TRY(const Block block, block_at(bytes, at));
        if (block.introducer == kTrailer) return broken();
        const bool image = block.introducer == kImage;
        if (image || (block.introducer == kExtension && block.label == kControl))
            out += block.whole;
        if (image) return out += static_cast<char>(kTrailer);
        at += block.whole.size();
    }
}

Result<std::string> strip_gif(std::string_view bytes) {
    PARLEY_TRY(std::size_t at, first_block(bytes));
    std::string out(bytes.substr(0, at));
    for (bool ended = false; !ended;) {
        PARLEY_TRY(const Block block, block_at(bytes, at));
        if (is_kept(block)) out += block.whole;
        at += block.whole.size();
        ended = block.introducer == kTrailer;
    }
    return out;
}

} // namespace parley::protocol::media
