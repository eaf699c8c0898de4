// What a certificate file says, for a look before clients see it. Threading: pure functions of the
// files. Errors: std::runtime_error with the file's name; nothing of the key is shown.
#pragma once

#include "model/time.hpp"

#include <filesystem>

namespace parley::crypto {

struct CertificateFacts {
    model::Time valid_from, valid_until; // of the first one, which is the server's own
    bool key_matches = false;
};

CertificateFacts read_certificate(const std::filesystem::path& chain,
                                  const std::filesystem::path& key);

} // namespace parley::crypto
