#include "protocol/media/jpeg.hpp"

#include "protocol/media/bytes.hpp"
#include "protocol/media/exif.hpp"

namespace parley::protocol::media {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

enum Marker : std::uint8_t {
    kTem = 0x01,
    kSof0 = 0xC0, // to 0xCF, less the three below
    kDht = 0xC4,
    kJpg = 0xC8,
    kDac = 0xCC,
    kRst0 = 0xD0,
    kRst7 = 0xD7,
    kSoi = 0xD8,
    kEoi = 0xD9,
    kSos = 0xDA,
    kApp0 = 0xE0,
    kApp1 = 0xE1,
    kApp2 = 0xE2,
    kApp14 = 0xEE,
    kApp15 = 0xEF,
    kCom = 0xFE
};

struct Segment {
    std::uint8_t marker = 0;
    std::string_view body;  // without marker and length
    std::string_view whole; // with them, and of kSos with the coded data that follows
};

bool is_frame(std::uint8_t marker) {
    return (marker & 0xF0) == kSof0 && marker != kDht && marker != kJpg && marker != kDac;
}

bool is_coded(std::uint8_t after_ff) {
    return after_ff == 0 || (after_ff >= kRst0 && after_ff <= kRst7);
}

// Where the coded data that begins at `at` ends: at the next marker, or with the file.
std::size_t end_of_scan(std::string_view bytes, std::size_t at) {
    while (true) {
        at = bytes.find('\xFF', at);
        if (at == std::string_view::npos || at + 1 >= bytes.size()) return bytes.size();
        if (!is_coded(byte_at(bytes, at + 1))) return at;
        at += 2;
    }
}

// Segment by segment; an error where one does not fit into the file.
class Segments {
public:
    explicit Segments(std::string_view bytes) : x_bytes(bytes) {}

    Result<Segment> next() {
        const Error broken(Errc::invalid_field, "the JPEG is broken");
        if (byte_at(x_bytes, x_at) != 0xFF) return broken;
        const std::size_t begin = x_at;
        while (byte_at(x_bytes, x_at + 1) == 0xFF) ++x_at; // fill bytes
        Segment segment;
        segment.marker = byte_at(x_bytes, x_at + 1);
        x_at += 2;
        if (x_at > x_bytes.size() || segment.marker == 0) return broken;
        const bool alone = segment.marker == kTem || segment.marker == kEoi ||
                           (segment.marker >= kRst0 && segment.marker <= kSoi);
        if (!alone) {
            const std::size_t size = be16(x_bytes, x_at);
            if (size < 2 || size > x_bytes.size() - x_at) return broken;
            segment.body = x_bytes.substr(x_at + 2, size - 2);
            x_at += size;
            if (segment.marker == kSos) x_at = end_of_scan(x_bytes, x_at);
        }
        segment.whole = x_bytes.substr(begin, x_at - begin);
        return segment;
    }

    bool at_end() const { return x_at >= x_bytes.size(); }

private:
    const std::string_view x_bytes;
    std::size_t x_at = 2; // after SOI
};

// Of the application segments only these say something about the pixels.
bool is_kept(const Segment& segment) {
    if (segment.marker == kCom) return false;
    if (segment.marker < kApp0 || segment.marker > kApp15) return true;
    if (segment.marker == kApp0) return segment.body.starts_with("JFIF\0"sv);
    if (segment.marker == kApp2) return segment.body.starts_with("ICC_PROFILE\0"sv);
    return segment.marker == kApp14 && segment.body.starts_with("Adobe"sv);
}

bool is_exif(const Segment& segment) {
    return segment.marker == kApp1 && segment.body.starts_with("Exif\0\0"sv);
}

std::string exif_segment(std::uint8_t orientation) {
    const std::string body = "Exif\0\0"s + make_orientation(orientation);
    return "\xFF\xE1\0"s + static_cast<char>(body.size() + 2) + body;
}

} // namespace

Result<PictureHeader> read_jpeg_header(std::string_view bytes) {
    PictureHeader header;
    Segments segments(bytes);
    while (!segments.at_end()) {
        PARLEY_TRY(const Segment segment, segments.next());
        if (is_exif(segment)) header.orientation = read_orientation(segment.body);
        if (segment.marker == kSos || segment.marker == kEoi) break;
        if (!is_frame(segment.marker)) continue;
        header.height = be16(segment.body, 1);
        header.width = be16(segment.body, 3);
        return header;
    }
    return Error(Errc::invalid_field, "the JPEG has no frame");
}

Result<std::string> strip_jpeg(std::string_view bytes) {
    std::uint8_t orientation = 1;
    std::string head, rest;
    Segments segments(bytes);
    bool framed = false, ended = false;
    while (!ended && !segments.at_end()) {
        PARLEY_TRY(const Segment segment, segments.next());
        if (is_exif(segment) && orientation == 1) orientation = read_orientation(segment.body);
        if (!is_kept(segment)) continue;
        // Exif stands before everything but JFIF's own segment.
        (segment.marker == kApp0 && rest.empty() ? head : rest) += segment.whole;
        framed = framed || is_frame(segment.marker);
        ended = segment.marker == kEoi;
    }
    if (!framed) return Error(Errc::invalid_field, "the JPEG has no frame");
    std::string out = "\xFF\xD8" + head;
    if (orientation != 1) out += exif_segment(orientation);
    return out += rest;
}

} // namespace parley::protocol::media
