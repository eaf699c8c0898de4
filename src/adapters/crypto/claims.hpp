// The payload of an access token, read strictly. Threading: pure function.
#pragma once

#include "ports/credentials.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::crypto {

struct ParsedClaims {
    ports::AccessClaims access;
    std::int64_t not_before_s = 0; // 0: none
};

// nullopt unless `json` is one flat object with every claim of an access token of this service,
// each of its right type and none twice. Unknown claims that are strings, integers, booleans or
// null are ignored (RFC 7519, section 4); one of another type is refused.
std::optional<ParsedClaims> parse_claims(std::string_view json);

} // namespace parley::crypto
