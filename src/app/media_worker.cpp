#include "app/media_worker.hpp"

#include "adapters/system/sandbox.hpp"
#include "adapters/vips/thumbnails.hpp"
#include "base/media_limits.hpp"
#include "protocol/media/blurhash.hpp"
#include "protocol/media/duration.hpp"
#include "protocol/media/film.hpp"
#include "protocol/media/picture.hpp"
#include "protocol/media/report.hpp"

#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::app {
namespace {

namespace media = protocol::media;

enum Descriptor : int { kFile = 0, kReport = 1, kSmall = 3, kLarge = 4 };

std::string read_piece(std::uint64_t at, std::size_t count) {
    std::string piece(count, '\0');
    std::size_t filled = 0;
    while (filled < count) {
        const ssize_t got =
            pread(kFile, piece.data() + filled, count - filled, static_cast<off_t>(at + filled));
        if (got <= 0) break;
        filled += static_cast<std::size_t>(got);
    }
    piece.resize(filled);
    return piece;
}

bool write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = write(descriptor, bytes.data(), bytes.size());
        if (put <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
}

// One thumbnail, made of `picture`, and written; its size.
Result<std::optional<model::PictureSize>> make(vips::Library& library, std::string_view picture,
                                               model::MediaVariant variant, int descriptor) {
    PARLEY_TRY(const vips::Thumbnail thumbnail,
               library.thumbnail(picture, static_cast<std::uint32_t>(variant)));
    // The encoder writes an Exif of its own.
    PARLEY_TRY(const auto stripped, media::strip_metadata(thumbnail.webp));
    if (!write_all(descriptor, stripped ? *stripped : thumbnail.webp))
        return Error(Errc::unavailable, "a thumbnail could not be written");
    return std::optional(model::PictureSize{thumbnail.width, thumbnail.height});
}

Result<void> decode(vips::Library& library, std::string_view picture, media::Report& report) {
    using model::MediaVariant;
    PARLEY_TRY(report.large, make(library, picture, MediaVariant::large, kLarge));
    PARLEY_TRY(report.small, make(library, picture, MediaVariant::small, kSmall));
    PARLEY_TRY(const vips::Pixels pixels, library.pixels(picture, limits::kBlurhashSide));
    report.blurhash = media::make_blurhash(pixels.rgb, pixels.width, pixels.height);
    return {};
}

Result<media::Report> look_at_picture(vips::Library* library, std::string bytes) {
    PARLEY_TRY(const media::PictureHeader header, media::read_picture_header(bytes));
    media::Report report;
    const bool lies = header.orientation >= 5;
    report.width = lies ? header.height : header.width;
    report.height = lies ? header.width : header.height;
    if (header.pixels() > limits::kPicturePixels) {
        report.broken = true;
        return report;
    }
    if (header.format == media::PictureFormat::gif) {
        PARLEY_TRY(bytes, media::first_frame_of_gif(bytes));
    }
    if (!library) return report;
    if (!decode(*library, bytes, report)) {
        report = {};
        report.broken = true;
    }
    return report;
}

media::Report look_at_rest(std::uint64_t size) {
    const media::Measure measured = media::measure({size, &read_piece});
    media::Report report;
    report.duration_ms = measured.duration_ms;
    report.width = measured.width;
    report.height = measured.height;
    return report;
}

media::Report look_at(std::uint64_t size, bool picture, vips::Library* library) {
    media::Report report;
    if (picture) {
        auto looked = look_at_picture(library, read_piece(0, static_cast<std::size_t>(size)));
        if (looked)
            report = std::move(*looked);
        else
            report.broken = true;
    }
    // What begins with ftyp may be a film as well.
    if (!picture || report.broken) {
        const media::Report rest = look_at_rest(size);
        if (rest.duration_ms) report = rest;
    }
    return report;
}

media::Report strip(std::uint64_t size) {
    media::Report report;
    std::string bytes = read_piece(0, static_cast<std::size_t>(size));
    if (media::is_film(bytes)) {
        report.stripped = media::strip_film(bytes) && write_all(kSmall, bytes);
        return report;
    }
    const auto stripped = media::strip_metadata(bytes);
    report.broken = !stripped;
    report.stripped = stripped && *stripped && write_all(kSmall, **stripped);
    return report;
}

// Past the destructors of libraries that want to open something at their end.
[[noreturn]] void end_with(const media::Report& report) {
    _exit(write_all(kReport, media::to_text(report)) ? 0 : 5);
}

// One demuxer, so that nothing is taken for a list of other files; one frame; no sound.
int become(const char* ffmpeg, const char* format, const char* milliseconds) {
    const std::string at = std::string(milliseconds) + "ms";
    const std::string side = std::to_string(static_cast<int>(model::MediaVariant::large));
    const std::string scale = "scale=w='min(" + side + ",iw)':h='min(" + side +
                              ",ih)':force_original_aspect_ratio=decrease";
    const char* const arguments[] = {
        ffmpeg,      "-nostdin", "-v",       "error", "-threads", "1",    "-protocol_whitelist",
        "file",      "-f",       format,     "-ss",   at.c_str(), "-i",   "file:/dev/fd/0",
        "-map",      "0:V:0",    "-frames:v", "1",    "-vf",      scale.c_str(),
        "-threads",  "1",        "-c:v",     "png",   "-f",       "image2pipe", "pipe:1",
        nullptr};
    const char* const environment[] = {nullptr};
    execve(ffmpeg, const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
    return 6;
}

} // namespace

int run_media_worker(std::span<char* const> arguments) {
    const std::string_view mode = arguments.empty() ? "" : arguments[0];
    struct stat file{};
    if (fstat(kFile, &file) != 0 || !S_ISREG(file.st_mode)) return 2;
    const std::uint64_t written = mode == "strip" ? limits::kStripBytes : limits::kThumbnailBytes;
    if (!system::bound_process(
            {limits::kMediaWorkerMemory, limits::kMediaWorkerCpuSeconds, written}))
        return 3;
    const auto size = static_cast<std::uint64_t>(file.st_size);
    if (mode == "poster" && arguments.size() == 4) {
        if (!system::close_doors_but_reading(kFile)) return 4;
        return become(arguments[1], arguments[2], arguments[3]);
    }
    if (mode == "strip" && size <= limits::kStripBytes) {
        if (!system::close_doors()) return 4;
        end_with(strip(size));
    }
    if (!mode.empty()) return 2;
    const bool picture =
        media::picture_format(read_piece(0, 16)).has_value() && size <= limits::kPictureBytes;
    // What it needs of the system it opens before the doors are closed.
    auto library = picture ? vips::Library::open() : Error(Errc::unavailable, "not needed");
    if (!system::close_doors()) return 4;
    end_with(look_at(size, picture, library ? library->get() : nullptr));
}

} // namespace parley::app
