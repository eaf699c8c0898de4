// The secret that signs tokens, in a file of its own: at least 32 random bytes, readable by its
// owner only. Whoever has it can be any user.
#pragma once

#include "ports/entropy.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace parley::crypto {

// Throws std::runtime_error, with a text for the operator that does not show the secret, unless it
// has at least limits::kSecretBytes. `origin` names where it came from.
void check_secret(std::string_view secret, std::string_view origin);

// Reads the secret, or makes it when there is no file (base64url text of 32 random bytes, mode 600,
// on the disk before it is used). One line break at its end does not count. Throws
// std::runtime_error for a file that others can read, that is too short, or that cannot be read or
// made. Threading: at start, one process per directory.
std::string load_or_make_secret(const std::filesystem::path& path, ports::Entropy& entropy);

} // namespace parley::crypto
