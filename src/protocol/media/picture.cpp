#include "protocol/media/picture.hpp"

#include "protocol/media/avif.hpp"
#include "protocol/media/gif.hpp"
#include "protocol/media/jpeg.hpp"
#include "protocol/media/png.hpp"
#include "protocol/media/webp.hpp"

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

Error unknown_format() { return Error(Errc::invalid_field, "not a picture of a known format"); }

Result<PictureHeader> read_header(PictureFormat format, std::string_view bytes) {
    switch (format) {
    case PictureFormat::jpeg:
        return read_jpeg_header(bytes);
    case PictureFormat::png:
        return read_png_header(bytes);
    case PictureFormat::gif:
        return read_gif_header(bytes);
    case PictureFormat::webp:
        return read_webp_header(bytes);
    case PictureFormat::avif:
        return read_avif_header(bytes);
    }
    return unknown_format();
}

Result<std::string> strip(PictureFormat format, std::string_view bytes) {
    switch (format) {
    case PictureFormat::jpeg:
        return strip_jpeg(bytes);
    case PictureFormat::png:
        return strip_png(bytes);
    case PictureFormat::gif:
        return strip_gif(bytes);
    case PictureFormat::webp:
        return strip_webp(bytes);
    case PictureFormat::avif:
        return strip_avif(bytes);
    }
    return unknown_format();
}

} // namespace

std::optional<PictureFormat> picture_format(std::string_view bytes) {
    if (bytes.starts_with("\xFF\xD8\xFF"sv)) return PictureFormat::jpeg;
    if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return PictureFormat::png;
    if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) return PictureFormat::gif;
    if (bytes.size() < 16) return {};
    if (bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv) return PictureFormat::webp;
    if (bytes.substr(4, 4) != "ftyp"sv) return {};
    for (const auto brand : {"avif"sv, "avis"sv, "mif1"sv, "msf1"sv})
        if (bytes.substr(8, 4) == brand) return PictureFormat::avif;
    return {};
}

std::string_view content_type_of(PictureFormat format) {
    switch (format) {
    case PictureFormat::jpeg:
        return "image/jpeg";
    case PictureFormat::png:
        return "image/png";
    case PictureFormat::gif:
        return "image/gif";
    case PictureFormat::webp:
        return "image/webp";
    case PictureFormat::avif:
        return "image/avif";
    }
    return {};
}

Result<PictureHeader> read_picture_header(std::string_view bytes) {
    const auto format = picture_format(bytes);
    if (!format) return unknown_format();
    PARLEY_TRY(const PictureHeader header, read_header(*format, bytes));
    if (header.width == 0 || header.height == 0)
        return Error(Errc::invalid_field, "the picture has no pixels");
    return header;
}

Result<std::optional<std::string>> strip_metadata(std::string_view bytes) {
    const auto format = picture_format(bytes);
    if (!format) return unknown_format();
    PARLEY_TRY(std::string stripped, strip(*format, bytes));
    if (stripped == bytes) return std::optional<std::string>();
    return std::optional(std::move(stripped));
}

} // namespace parley::protocol::media
