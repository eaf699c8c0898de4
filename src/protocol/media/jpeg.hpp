// The segments of a JPEG. Threading: pure functions.
#pragma once

#include "protocol/media/picture.hpp"

namespace parley::protocol::media {

Result<PictureHeader> read_jpeg_header(std::string_view bytes);
// The whole file anew, without metadata.
Result<std::string> strip_jpeg(std::string_view bytes);

} // namespace parley::protocol::media
