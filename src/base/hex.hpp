// Bytes as hexadecimal digits. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace parley {

std::string to_hex(std::string_view bytes); // lower case
// Digits of either case, two for each byte; nullopt for anything else.
std::optional<std::string> from_hex(std::string_view text);

} // namespace parley
