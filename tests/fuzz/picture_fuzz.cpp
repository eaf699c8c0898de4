// Fuzz target: pictures without decoding them. The first byte picks a beginning, so that each
// format is met often. Stripping is idempotent, never makes a file much longer, and changes neither
// size nor orientation; the first frame of a GIF is a GIF of the same size.
#include "protocol/media/picture.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace parley::protocol::media;
using namespace std::string_view_literals;

namespace {

constexpr std::array kBeginnings{""sv,
                                 "\xFF\xD8"sv,
                                 "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv,
                                 "GIF89a"sv,
                                 "\0\0\0\x14"
                                 "ftypavif\0\0\0\0avif"sv,
                                 "RIFF"sv};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    std::string bytes(kBeginnings[data[0] % kBeginnings.size()]);
    bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);

    const auto header = read_picture_header(bytes);
    if (header && (header->pixels() == 0 || header->orientation < 1 || header->orientation > 8))
        std::abort();
    const auto stripped = strip_metadata(bytes);
    if (stripped && *stripped) {
        if ((*stripped)->size() > bytes.size() + 64) std::abort();
        const auto again = strip_metadata(**stripped);
        if (!again || *again) std::abort();
        const auto after = read_picture_header(**stripped);
        if (header && (!after || after->pixels() != header->pixels())) std::abort();
    }
    if (header && header->format == PictureFormat::gif) {
        const auto first = first_frame_of_gif(bytes);
        const auto after = first ? read_picture_header(*first) : header;
        if (!after || after->pixels() != header->pixels()) std::abort();
    }
    return 0;
}
