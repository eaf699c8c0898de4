#include "api/classic_errors.hpp"

#include "api/errors.hpp"

#include <algorithm>

namespace parley::api {

namespace {

int classic_status(Errc code) {
    if (code == Errc::email_taken || code == Errc::username_taken) return 409;
    const int status = status_of(code);
    return status == 404 || status == 409 || status == 422 ? 400 : status;
}

// The `detail` of a problem as it stands in the JSON, without its quotes.
std::string_view detail_of(std::string_view problem) {
    constexpr std::string_view key = "\"detail\":\"";
    const std::size_t at = problem.find(key);
    if (at == std::string_view::npos) return {};
    const std::string_view text = problem.substr(at + key.size());
    std::size_t end = 0;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    return text.substr(0, end);
}

} // namespace

bool is_classic_path(std::string_view path) {
    return path.starts_with("/user/") || path.starts_with("/img/") || path.starts_with("/ws/") ||
           path == "/user" || path == "/health";
}

net::HttpResponse classic_error(const Error& error) {
    const int status = classic_status(error.code);
    const bool no_token = status == 401 && error.code != Errc::invalid_credentials;
    net::HttpResponse response = as_classic(problem(
        no_token ? Error(Errc::unauthorized, "Send a valid token in the header 'token'.") : error));
    response.status = status;
    return response;
}

net::HttpResponse as_classic(net::HttpResponse problem) {
    problem.body = "{\"error\":\"" + std::string(detail_of(problem.body)) + "\"}";
    problem.content_type = "application/json";
    // A challenge of another scheme than the one that is spoken here.
    std::erase_if(problem.headers,
                  [](const auto& header) { return header.first == "WWW-Authenticate"; });
    return problem;
}

} // namespace parley::api
