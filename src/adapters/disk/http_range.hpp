// What a request says about the part of a file that it wants (RFC 9110, sections 13 and 14): one
// range of bytes, and what the client has already. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::disk {

struct ByteRange {
    std::uint64_t offset = 0, size = 0;
};

struct RangeAnswer {
    enum class Kind : std::uint8_t { whole, part, unsatisfiable } kind = Kind::whole;
    ByteRange range = {}; // of a part
};
// A header that is malformed, of another unit, or of several ranges is as none: the whole file.
RangeAnswer choose_range(std::string_view header, std::uint64_t file_size);

// Whether `list` (If-None-Match) has the tag, compared weakly, or is "*".
bool names_tag(std::string_view list, std::string_view tag);

// IMF-fixdate.
std::string to_http_date(std::int64_t seconds);
std::optional<std::int64_t> from_http_date(std::string_view text);

} // namespace parley::disk
