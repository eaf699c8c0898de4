// The chunks of a WebP. Threading: pure functions.
#pragma once

#include "protocol/media/picture.hpp"

namespace parley::protocol::media {

Result<PictureHeader> read_webp_header(std::string_view bytes);
// The whole file anew, without metadata.
Result<std::string> strip_webp(std::string_view bytes);

} // namespace parley::protocol::media
