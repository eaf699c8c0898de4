#include "service/media_types.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace parley::service {
namespace {

using namespace std::string_view_literals;

// Types that share their first bytes.
// clang-format off
enum class Look : std::uint8_t {
    jpeg, png, gif, webp, avif, mp4, quicktime, webm, mpeg_audio, ogg, wav, pdf, zip, gzip, text
};
// clang-format on

struct Row {
    MediaType type;
    Look look;
};

constexpr MediaKind kImage = MediaKind::image, kVideo = MediaKind::video, kAudio = MediaKind::audio;

constexpr std::array kRows{
    Row{{"image/jpeg", kImage, true, true}, Look::jpeg},
    Row{{"image/png", kImage, true, true}, Look::png},
    Row{{"image/gif", kImage, true, true}, Look::gif},
    Row{{"image/webp", kImage, true, true}, Look::webp},
    Row{{"image/avif", kImage, true, true}, Look::avif},
    Row{{"video/mp4", kVideo, true, false, true}, Look::mp4},
    Row{{"video/webm", kVideo, true}, Look::webm},
    Row{{"video/quicktime", kVideo, true, false, true}, Look::quicktime},
    Row{{"audio/mpeg", kAudio, true}, Look::mpeg_audio},
    Row{{"audio/ogg", kAudio, true}, Look::ogg},
    Row{{"audio/mp4", kAudio, true, false, true}, Look::mp4},
    Row{{"audio/wav", kAudio, true}, Look::wav},
    Row{{"audio/webm", kAudio, true}, Look::webm},
    Row{{"application/pdf"}, Look::pdf},
    Row{{"application/zip"}, Look::zip},
    Row{{"application/gzip"}, Look::gzip},
    Row{{"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}, Look::zip},
    Row{{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}, Look::zip},
    Row{{"application/vnd.openxmlformats-officedocument.presentationml.presentation"}, Look::zip},
    Row{{"application/vnd.oasis.opendocument.text"}, Look::zip},
    Row{{"application/vnd.oasis.opendocument.spreadsheet"}, Look::zip},
    Row{{"application/vnd.oasis.opendocument.presentation"}, Look::zip},
    Row{{"text/plain"}, Look::text},
    Row{{"text/csv"}, Look::text},
    Row{{"text/markdown"}, Look::text},
    Row{{"application/json"}, Look::text},
    Row{{"image/svg+xml", kImage}, Look::text},
    Row{{"text/html"}, Look::text},
};

constexpr auto kTypes = [] {
    std::array<MediaType, kRows.size()> types;
    for (std::size_t i = 0; i < types.size(); ++i) types[i] = kRows[i].type;
    return types;
}();

std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
}

// The brands of the ftyp box that an ISO media file begins with; empty for any other file.
std::string_view brands_of(std::string_view bytes) {
    if (bytes.size() < 16 || bytes.substr(4, 4) != "ftyp"sv) return {};
    const std::uint32_t size = big_endian(bytes);
    if (size < 16 || size % 4 != 0) return {};
    return bytes.substr(8, std::min<std::size_t>(size, bytes.size()) - 8);
}

bool has_brand(std::string_view brands, std::initializer_list<std::string_view> wanted) {
    for (std::size_t at = 0; at + 4 <= brands.size(); at += 4) {
        if (at == 4) continue; // the minor version
        if (std::ranges::find(wanted, brands.substr(at, 4)) != wanted.end()) return true;
    }
    return false;
}

bool is_mp4(std::string_view bytes) {
    const std::string_view brands = brands_of(bytes);
    return has_brand(brands, {"isom"sv, "iso2"sv, "iso3"sv, "iso4"sv, "iso5"sv, "iso6"sv, "mp41"sv,
                              "mp42"sv, "avc1"sv, "dash"sv, "MSNV"sv, "M4V "sv, "M4A "sv, "M4B "sv,
                              "3gp4"sv, "3gp5"sv, "3gp6"sv}) &&
           !has_brand(brands, {"avif"sv, "avis"sv, "heic"sv, "heix"sv, "mif1"sv});
}

// QuickTime files older than the ftyp box begin with one of its atoms.
bool is_quicktime(std::string_view bytes) {
    if (has_brand(brands_of(bytes), {"qt  "sv})) return true;
    if (bytes.size() < 16 || (big_endian(bytes) < 8 && big_endian(bytes) != 1)) return false;
    const std::string_view atom = bytes.substr(4, 4);
    return atom == "moov"sv || atom == "mdat"sv || atom == "wide"sv;
}

// The header of EBML names the kind of document: element 0x4282.
bool is_webm(std::string_view bytes) {
    if (!bytes.starts_with("\x1A\x45\xDF\xA3"sv)) return false;
    return bytes.substr(0, 64).find("\x42\x82\x84webm"sv) != std::string_view::npos;
}

// An ID3 tag, or a frame header of layer III whose rates are none of the reserved ones.
bool is_mpeg_audio(std::string_view bytes) {
    if (bytes.starts_with("ID3"sv)) return bytes.size() >= 10 && bytes[3] >= 2 && bytes[3] <= 4;
    if (bytes.size() < 4) return false;
    const std::uint32_t header = big_endian(bytes);
    const std::uint32_t version = header >> 19 & 3, layer = header >> 17 & 3;
    const std::uint32_t bit_rate = header >> 12 & 15, sample_rate = header >> 10 & 3;
    return header >> 21 == 0x7FF && version != 1 && layer == 1 && bit_rate != 15 &&
           sample_rate != 3;
}

// UTF-8 without a control character that no text has.
bool is_text(std::string_view bytes, bool whole) {
    Utf8Validator utf8;
    if (!utf8.feed(bytes) || (whole && !utf8.complete())) return false;
    return std::ranges::none_of(bytes, [](char c) {
        const auto byte = static_cast<std::uint8_t>(c);
        return (byte < 0x20 && "\t\n\f\r\x1B"sv.find(c) == std::string_view::npos) || byte == 0x7F;
    });
}

bool looks_like(Look look, std::string_view bytes, bool whole) {
    switch (look) {
    case Look::jpeg:
        return bytes.starts_with("\xFF\xD8\xFF"sv);
    case Look::png:
        return bytes.starts_with("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv);
    case Look::gif:
        return bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv);
    case Look::webp:
        return bytes.starts_with("RIFF"sv) && bytes.size() >= 16 &&
               bytes.substr(8, 7) == "WEBPVP8"sv;
    case Look::avif:
        return has_brand(brands_of(bytes), {"avif"sv, "avis"sv});
    case Look::mp4:
        return is_mp4(bytes);
    case Look::quicktime:
        return is_quicktime(bytes);
    case Look::webm:
        return is_webm(bytes);
    case Look::mpeg_audio:
        return is_mpeg_audio(bytes);
    case Look::ogg:
        return bytes.starts_with("OggS\0"sv);
    case Look::wav:
        return bytes.starts_with("RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WAVE"sv;
    case Look::pdf:
        return bytes.starts_with("%PDF-"sv);
    case Look::zip:
        return bytes.starts_with("PK\3\4"sv) || bytes.starts_with("PK\5\6"sv);
    case Look::gzip:
        return bytes.starts_with("\x1F\x8B\x08"sv);
    case Look::text:
        return is_text(bytes, whole);
    }
    return false;
}

} // namespace

std::span<const MediaType> media_types() { return kTypes; }

const MediaType* find_media_type(std::string_view content_type) {
    std::string name(trim(content_type.substr(0, content_type.find(';'))));
    for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const auto found = std::ranges::find(kTypes, name, &MediaType::name);
    return found == kTypes.end() ? nullptr : &*found;
}

bool first_bytes_match(const MediaType& type, std::string_view first_bytes, bool whole) {
    const auto row =
        std::ranges::find(kRows, type.name, [](const Row& known) { return known.type.name; });
    return row != kRows.end() && looks_like(row->look, first_bytes, whole);
}

} // namespace parley::service
