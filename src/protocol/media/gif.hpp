// The blocks of a GIF. Threading: pure functions.
#pragma once

#include "protocol/media/picture.hpp"

namespace parley::protocol::media {

// As large as the first frame and the screen together.
Result<PictureHeader> read_gif_header(std::string_view bytes);
// The whole file anew, without comments and XMP.
Result<std::string> strip_gif(std::string_view bytes);

} // namespace parley::protocol::media
