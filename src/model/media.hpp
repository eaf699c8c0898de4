// Media: files that messages carry. Plain values.
//
// What everybody in the room may know of a file is its MediaFacts; they travel in the draft and in
// the log beside media_id, filled in by the service, never by a client. Media is the record of one
// upload. A null MediaFactsRef: nothing is known, or no media; so a message without media pays one
// pointer.
//
// facts := JSON object, the same text on the wire of v1, in the column `media` of the stores and in
// the records of the log:
//   {"filename","content_type","size","width"?,"height"?,"duration_ms"?,"blurhash"?,
//    "thumbnails"?:[{"size":"small"|"large","width","height"}],"poster"?:true,"stripped"?:bool}
// Fields that are not known are skipped when it is read.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace parley::model {

enum class MediaState : std::uint8_t {
    ticketed = 1, // may be uploaded; nobody has looked at it yet
    stored = 2,   // it is what its ticket said
    removed = 3
};

// The file itself, or a picture made of it. The number is the longest side in pixels.
enum class MediaVariant : std::uint16_t { original = 0, small = 320, large = 1280 };
std::string_view name_of(MediaVariant variant); // "original", "small", "large"
// Where a variant lies, beside the original.
std::string variant_key(std::string_view key, MediaVariant variant);
// Where the copy without metadata lies.
std::string stripped_key(std::string_view key);

struct PictureSize {
    std::uint32_t width = 0, height = 0;
    friend bool operator==(PictureSize, PictureSize) = default;
};

struct MediaFacts {
    std::string filename;
    std::string content_type; // of the table in service/media_types.hpp
    std::uint64_t size = 0;
    // What the picture worker found out.
    std::optional<std::uint32_t> width = {}, height = {};
    std::optional<std::uint64_t> duration_ms = {};
    std::string blurhash = {};                         // "": none
    std::optional<PictureSize> small = {}, large = {}; // the thumbnails that exist
    bool poster = false;                               // the thumbnails are of a frame of the film
    // What readers get is a copy without metadata (stripped_key()), or the upload itself, which had
    // none that could be taken out. Absent: not looked at.
    std::optional<bool> stripped = {};
    friend bool operator==(const MediaFacts&, const MediaFacts&) = default;
};
using MediaFactsRef = std::shared_ptr<const MediaFacts>;

// One line, valid UTF-8.
std::string to_json(const MediaFacts& facts);
// Null when it is not such a text.
MediaFactsRef media_facts_of(std::string_view json);

struct Media {
    MediaId id;
    RoomId room_id; // that the ticket was for
    UserId user_id; // who uploads it
    MediaFacts facts;
    std::string key;    // in the object store; made by the server
    std::string sha256; // 32 bytes, or "" while it is not known
    MediaState state = MediaState::ticketed;
    Time created_at;
    Time ticket_expires_at; // an upload must have begun by then
};

} // namespace parley::model
