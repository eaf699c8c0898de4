// WebM: Segment/Info says how long it is in units of its TimestampScale, Segment/Tracks how large.
// A browser that records live leaves the length out, and the sizes of elements open.
#include "protocol/media/duration_parts.hpp"

#include <bit>

namespace parley::protocol::media {
namespace {

enum Id : std::uint32_t {
    kEbml = 0x1A45DFA3,
    kSegment = 0x18538067,
    kInfo = 0x1549A966,
    kTimestampScale = 0x2AD7B1,
    kDuration = 0x4489,
    kTracks = 0x1654AE6B,
    kTrack = 0xAE,
    kVideo = 0xE0,
    kWidth = 0xB0,
    kHeight = 0xBA,
    kCluster = 0x1F43B675
};

struct Element {
    std::uint32_t id = 0;
    std::uint64_t body = 0, end = 0; // in the file
};

// The element at `at` of those that end at `end` (RFC 8794, 4 and 5).
std::optional<Element> element_at(Pieces& pieces, std::uint64_t at, std::uint64_t end) {
    const std::string head = pieces.at(at, 12);
    const int id_size = std::countl_zero(byte_at(head, 0)) + 1;
    if (head.empty() || id_size > 4) return {};
    const auto id_bytes = static_cast<std::size_t>(id_size);
    const std::uint8_t first = byte_at(head, id_bytes);
    const int size_size = std::countl_zero(first) + 1;
    if (size_size > 8) return {};
    const auto size_bytes = static_cast<std::size_t>(size_size);
    const std::uint64_t mask = (std::uint64_t{1} << 7 * size_bytes) - 1;
    std::uint64_t size = big_endian(head, id_bytes, size_bytes) & mask;
    Element element;
    element.id = static_cast<std::uint32_t>(big_endian(head, 0, id_bytes));
    element.body = at + id_bytes + size_bytes;
    if (element.body > end) return {};
    if (size == mask) size = end - element.body; // unknown: as far as it goes
    if (size > end - element.body) return {};
    element.end = element.body + size;
    return element;
}

template <class Visit>
void for_each_element(Pieces& pieces, std::uint64_t at, std::uint64_t end, Visit visit) {
    while (at < end) {
        const auto element = element_at(pieces, at, end);
        if (!element || !visit(*element)) return;
        at = element->end;
    }
}

std::uint64_t number_of(Pieces& pieces, const Element& element) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(element.end - element.body, 8));
    return big_endian(pieces.at(element.body, size), 0, size);
}

double float_of(Pieces& pieces, const Element& element) {
    const std::uint64_t bits = number_of(pieces, element);
    return element.end - element.body == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits))
                                           : std::bit_cast<double>(bits);
}

void read_info(Pieces& pieces, const Element& info, Measure& measure) {
    double scale = 1'000'000, units = 0; // nanoseconds
    for_each_element(pieces, info.body, info.end, [&](const Element& element) {
        if (element.id == kTimestampScale) scale = static_cast<double>(number_of(pieces, element));
        if (element.id == kDuration) units = float_of(pieces, element);
        return true;
    });
    measure.duration_ms = milliseconds(units * scale / 1e9);
}

void read_video(Pieces& pieces, const Element& video, Measure& measure) {
    std::uint64_t width = 0, height = 0;
    for_each_element(pieces, video.body, video.end, [&](const Element& element) {
        if (element.id == kWidth) width = number_of(pieces, element);
        if (element.id == kHeight) height = number_of(pieces, element);
        return true;
    });
    if (width == 0 || height == 0 || width > 65'535 || height > 65'535) return;
    measure.width = static_cast<std::uint32_t>(width);
    measure.height = static_cast<std::uint32_t>(height);
}

void read_tracks(Pieces& pieces, const Element& tracks, Measure& measure) {
    for_each_element(pieces, tracks.body, tracks.end, [&](const Element& track) {
        if (track.id != kTrack) return true;
        for_each_element(pieces, track.body, track.end, [&](const Element& part) {
            if (part.id == kVideo) read_video(pieces, part, measure);
            return true;
        });
        return true;
    });
}

} // namespace

Measure measure_webm(Pieces& pieces) {
    Measure measure;
    for_each_element(pieces, 0, pieces.size(), [&](const Element& top) {
        if (top.id != kSegment) return top.id == kEbml;
        for_each_element(pieces, top.body, top.end, [&](const Element& element) {
            if (element.id == kInfo) read_info(pieces, element, measure);
            if (element.id == kTracks) read_tracks(pieces, element, measure);
            return element.id != kCluster; // both stand before the film itself
        });
        return false;
    });
    return measure;
}

} // namespace parley::protocol::media
