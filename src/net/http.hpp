// HTTP/1.1 requests and answers as values. Parsing and writing are Beast's, inside http_codec.cpp
// only.
#pragma once

#include "base/task.hpp"
#include "net/body_stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::net {

struct HttpRequest {
    std::string method; // upper case, e.g. "GET"
    std::string target; // as sent: path and query
    std::string path;   // percent-decoded, starts with '/'; bad escapes are refused before
    std::string query;  // raw, without '?'
    std::vector<std::pair<std::string, std::string>> headers; // names in lower case
    std::string body;
    std::string
        peer_address; // client address; from X-Forwarded-For only if a trusted proxy sent it
    // In place of `body` where the handler streams().
    std::shared_ptr<BodyStream> stream;
    bool tls = false; // the client's side, X-Forwarded-Proto from a trusted proxy included

    // The header's value, or "" (the first one; doubled single-valued headers are refused before).
    std::string_view header(std::string_view lower_case_name) const;
    // All values of a header that may be given more than once, with commas between.
    std::string joined(std::string_view lower_case_name) const;
    // The percent-decoded value of a query parameter; nullopt when absent. A parameter that is
    // given twice has no value that could be trusted: see query_is_ambiguous.
    std::optional<std::string> query_value(std::string_view name) const;
    bool query_is_ambiguous(std::string_view name) const;
    // The parameter as it was written; nullopt also when it is given twice or when it or its name
    // has an escape: what a proxy that routes by the raw query could read otherwise.
    std::optional<std::string_view> plain_query_value(std::string_view name) const;
    // A credential: the header of that name, or else the parameter, if it is given once; or "".
    std::string header_or_query(std::string_view lower_case_name) const;
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    // Bytes that live as long as the process (the web client); used in place of `body` when set.
    std::string_view static_body;
    std::shared_ptr<const FileBody> file; // the same
    bool close = false;                   // end the connection after this answer
};

// One per core. handle() runs on that core; an exception that leaves it is answered with 500 and
// logged.
class HttpHandler {
public:
    virtual Task<HttpResponse> handle(HttpRequest request) = 0;
    // Whether the body of a request with this method and path is handed over as a stream, which may
    // be of any size; it must then have a Content-Length.
    virtual bool streams(std::string_view /*method*/, std::string_view /*path*/) const {
        return false;
    }
    // What net refuses by itself at `path` (a body that is too long, a bad handshake, a time-out),
    // in the words of the surface that the path belongs to. "" where no path was read.
    virtual HttpResponse refusal(std::string_view /*path*/, HttpResponse refused) {
        return refused;
    }

protected:
    ~HttpHandler() = default;
};

} // namespace parley::net
