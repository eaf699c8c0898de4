// Which types of media are taken, what the first bytes of each look like, and which may be shown
// where they are instead of being downloaded. What may run (SVG, HTML, scripts in a PDF) is only
// ever an attachment. Sources: the WHATWG MIME Sniffing Standard, RFC 9649 (WebP), ISO/IEC 14496-12
// (brands), RFC 8794 (EBML), RFC 3533 (Ogg).
//
// A type is allowed by its name and by its bytes: a file that says image/png and begins with <html>
// is refused, and no answer ever names a type that was not checked.
//
// Threading: pure functions over constant tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace parley::service {

// How many bytes of a file first_bytes_match() wants to see; fewer only where the file is shorter.
inline constexpr std::size_t kFirstBytes = 4 * 1024;

enum class MediaKind : std::uint8_t { image, video, audio, document };

struct MediaType {
    std::string_view name; // "image/png"
    MediaKind kind = MediaKind::document;
    bool shown_inline = false; // otherwise Content-Disposition: attachment
    bool picture = false;      // the picture worker decodes it
    bool film = false;         // MP4 or QuickTime: its metadata can be taken out, as of pictures

    bool has_metadata() const { return picture || film; }
};

// All that this build knows; a setting may allow fewer.
std::span<const MediaType> media_types();
// By the name that a client gives: in any case, with or without parameters such as charset.
// Null when it is not in the table.
const MediaType* find_media_type(std::string_view content_type);
// Whether a file that begins so can be of that type. `whole` says that these are all its bytes.
bool first_bytes_match(const MediaType& type, std::string_view first_bytes, bool whole = false);

} // namespace parley::service
