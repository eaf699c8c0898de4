// Errors on the classic surface: {"error": "<text>"} with the statuses of the Go application: 400
// for what is wrong with a call (an unknown room and a name that is taken among it), 401, 403, 409
// for an account that exists; 404, 405, 413, 429 and 503 as everywhere.
//
// Threading: pure functions.
#pragma once

#include "base/result.hpp"
#include "net/http.hpp"

#include <string_view>

namespace parley::api {

// Whether a path, or a route's pattern, belongs to the classic surface.
bool is_classic_path(std::string_view path);
net::HttpResponse classic_error(const Error& error);
// The same of a problem (errors.hpp) that knew nothing of classic; its status stays.
net::HttpResponse as_classic(net::HttpResponse problem);

} // namespace parley::api
