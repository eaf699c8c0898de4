// What the media worker, a process that has looked at a hostile file, says to the server that has
// started it. Lines, in any order, `end` last; without it the worker did not come to its end. What
// is not such a line is an error: the worker itself may have been taken over by the file.
//
//   width N   height N   duration_ms N   blurhash TEXT   small N N   large N N   broken
//   stripped   end
//
// Threading: pure functions.
#pragma once

#include "model/media.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol::media {

struct Report {
    std::optional<std::uint32_t> width, height;
    std::optional<std::uint64_t> duration_ms;
    std::string blurhash;
    std::optional<model::PictureSize> small, large;
    bool broken = false;   // nothing can be made of such a file
    bool stripped = false; // its metadata was taken out

    friend bool operator==(const Report&, const Report&) = default;
};

std::string to_text(const Report& report);
// Nothing: not complete, or not plausible.
std::optional<Report> read_report(std::string_view text);

} // namespace parley::protocol::media
