// The chunks of a PNG. Threading: pure functions.
#pragma once

#include "protocol/media/picture.hpp"

namespace parley::protocol::media {

Result<PictureHeader> read_png_header(std::string_view bytes);
// The whole file anew, without metadata.
Result<std::string> strip_png(std::string_view bytes);

} // namespace parley::protocol::media
