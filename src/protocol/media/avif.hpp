// The boxes of an AVIF. Its metadata are items somewhere in the file, found by an offset: to take
// one out would move all others, so its bytes are overwritten with zeros. Which way up it is stands
// in a box of its own. Threading: pure functions.
#pragma once

#include "protocol/media/picture.hpp"

namespace parley::protocol::media {

// As large as the largest item.
Result<PictureHeader> read_avif_header(std::string_view bytes);
// The whole file anew, its metadata zeros.
Result<std::string> strip_avif(std::string_view bytes);

} // namespace parley::protocol::media
