// Which browsers may open sockets. Threading: pure.
#pragma once

#include "net/http.hpp"

#include <string>
#include <vector>

namespace parley::gateway {

// Whether the request's Origin is the host itself or one of `allowed`; without one, it is not a
// browser's, and its token alone decides.
bool origin_is_allowed(const net::HttpRequest& request, const std::vector<std::string>& allowed);

} // namespace parley::gateway
