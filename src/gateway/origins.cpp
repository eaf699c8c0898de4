#include "gateway/origins.hpp"

#include <algorithm>

namespace parley::gateway {

bool origin_is_allowed(const net::HttpRequest& request, const std::vector<std::string>& allowed) {
    const std::string_view origin = request.header("origin");
    if (origin.empty()) return true;
    const std::string own =
        (request.tls ? "https://" : "http://") + std::string(request.header("host"));
    return origin == own || std::ranges::find(allowed, origin) != allowed.end();
}

} // namespace parley::gateway
