// Films and sound in the boxes of ISO media files (MP4, QuickTime; ISO/IEC 14496-12), without what
// says where, when and by whom they were made. Input is hostile: every size is checked.
//
// Threading: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace parley::protocol::media {

// By its first bytes, and not a picture of that family.
bool is_film(std::string_view bytes);

// Boxes of metadata (udta, meta, uuid: names, places, XMP, cameras) become free space of the same
// length: nothing moves, and sound and picture stay bit for bit. False: there were none with
// anything in them. What is in tracks (subtitles, positions of a drone) is not looked at.
bool strip_film(std::string& bytes);

} // namespace parley::protocol::media
