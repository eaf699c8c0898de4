// Base64url without padding (RFC 4648 section 5), for tokens and cursors.
//
// Decoding is strict: one text for one value. Padding, white space, the plus and slash of the other
// alphabet, and unused bits that are not zero are refused, so that a token cannot be spelt twice.
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace parley {

constexpr std::size_t base64url_size(std::size_t bytes) { return (bytes * 4 + 2) / 3; }

void append_base64url(std::string& out, std::string_view bytes);
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

} // namespace parley
