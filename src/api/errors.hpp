// Errors on the REST surface: RFC 9457 application/problem+json, with the stable `code` of the
// contract.
//
//   {"type":"about:blank","title":"<the status in words>","status":422,"detail":"...","code":"..."}
//
// Threading: pure functions.
#pragma once

#include "base/result.hpp"
#include "net/http.hpp"

#include <string_view>

namespace parley::api {

inline constexpr std::string_view kProblemType = "application/problem+json";

int status_of(Errc code);
// What a person reads when the error says nothing itself.
std::string_view default_detail(Errc code);

// With the headers that belong to the status: WWW-Authenticate (401), Retry-After (429, 503).
net::HttpResponse problem(const Error& error);
// For what only HTTP knows: not_found, method_not_allowed, unsupported_media_type.
net::HttpResponse problem(int status, std::string_view code, std::string_view detail);

} // namespace parley::api
