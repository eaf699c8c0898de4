// MP4 and QuickTime: moov/mvhd says how long it is, moov/trak/tkhd how large and turned which way.
#include "protocol/media/duration_parts.hpp"

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

struct FileBox {
    std::string type;
    std::uint64_t body = 0, end = 0; // in the file
};

// The box at `at` of those that end at `end`.
std::optional<FileBox> box_at(Pieces& pieces, std::uint64_t at, std::uint64_t end) {
    const std::string head = pieces.at(at, 16);
    if (head.size() < 8) return {};
    std::uint64_t size = be32(head, 0), header = 8;
    if (size == 1) {
        size = big_endian(head, 8, 8);
        header = 16;
    } else if (size == 0) { // to the end
        size = end - at;
    }
    if (size < header || size > end - at) return {};
    return FileBox{head.substr(4, 4), at + header, at + size};
}

// Calls visit(box) for each box between the two.
template <class Visit>
void for_each_box(Pieces& pieces, std::uint64_t at, std::uint64_t end, Visit visit) {
    while (at < end) {
        const auto box = box_at(pieces, at, end);
        if (!box) return;
        visit(*box);
        at = box->end;
    }
}

void read_movie_header(const std::string& body, Measure& measure) {
    const bool wide = byte_at(body, 0) == 1;
    const double scale = wide ? be32(body, 20) : be32(body, 12);
    const std::uint64_t units = wide ? big_endian(body, 24, 8) : be32(body, 16);
    const bool unknown = units == (wide ? ~std::uint64_t{0} : 0xFFFFFFFF);
    if (scale > 0 && !unknown)
        measure.duration_ms = milliseconds(static_cast<double>(units) / scale);
}

// The largest track is the picture; a matrix whose first number is 0 turns it on its side.
void read_track_header(const std::string& body, Measure& measure) {
    const std::size_t matrix = byte_at(body, 0) == 1 ? 52 : 40;
    if (body.size() < matrix + 44) return;
    std::uint32_t width = be32(body, matrix + 36) >> 16, height = be32(body, matrix + 40) >> 16;
    if (width == 0 || height == 0) return;
    if (be32(body, matrix) == 0 && be32(body, matrix + 4) != 0) std::swap(width, height);
    if (measure.width &&
        std::uint64_t{*measure.width} * *measure.height >= std::uint64_t{width} * height)
        return;
    measure.width = width;
    measure.height = height;
}

} // namespace

Measure measure_mp4(Pieces& pieces) {
    Measure measure;
    for_each_box(pieces, 0, pieces.size(), [&](const FileBox& top) {
        if (top.type != "moov"sv) return;
        for_each_box(pieces, top.body, top.end, [&](const FileBox& box) {
            if (box.type == "mvhd"sv) read_movie_header(pieces.at(box.body, 32), measure);
            if (box.type != "trak"sv) return;
            for_each_box(pieces, box.body, box.end, [&](const FileBox& inner) {
                if (inner.type == "tkhd"sv) read_track_header(pieces.at(inner.body, 96), measure);
            });
        });
    });
    return measure;
}

} // namespace parley::protocol::media
