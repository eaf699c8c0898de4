#include "net/http_codec.hpp"

#include "base/assert.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace parley::net {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
// A chunked body may cost this many bytes on the wire for each byte that it may hold.
constexpr std::size_t kChunkOverhead = 8;

// Fields that have one value. A second line of them is either an attack or a mistake.
constexpr std::array<std::string_view, 13> kSingleFields{"authorization",
                                                         "content-length",
                                                         "content-type",
                                                         "expect",
                                                         "host",
                                                         "if-none-match",
                                                         "origin",
                                                         "sec-websocket-key",
                                                         "cookie",
                                                         "upgrade",
                                                         "transfer-encoding",
                                                         "x-forwarded-proto",
                                                         "sec-websocket-version"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
    return out;
}

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; }

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_host(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
    });
}

std::string_view to_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

} // namespace

struct HttpParser::Beast {
    http::request_parser<http::string_body> parser;
};

HttpParser::HttpParser(HttpLimits limits, StreamTest streams)
    : x_limits(limits), x_streams(std::move(streams)), x_beast(std::make_unique<Beast>()) {
    x_beast->parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes + kHeadEnd.size()));
    x_beast->parser.body_limit(limits.body_bytes);
    x_beast->parser.eager(true);
}

HttpParser::~HttpParser() = default;

bool HttpParser::fail(int status, std::string_view code, std::string_view detail) {
    x_failure = {status, code, detail};
    return false;
}

HttpParser::Progress HttpParser::feed(std::string_view bytes, std::size_t& used) {
    used = 0;
    if (!x_head_complete) {
        if (!scan_head(bytes, used)) return Progress::failed;
        if (!x_head.ends_with(kHeadEnd)) return Progress::more;
        if (!take_head()) return Progress::failed;
        x_head_complete = true;
        bytes.remove_prefix(used);
        if (x_streaming) return Progress::complete;
    }
    std::size_t body_used = 0;
    if (!x_beast->parser.is_done() && !take_body(bytes, body_used)) return Progress::failed;
    used += body_used;
    return x_beast->parser.is_done() ? Progress::complete : Progress::more;
}

// Collects the head and refuses, at the first bad byte, what parsers disagree about.
bool HttpParser::scan_head(std::string_view bytes, std::size_t& used) {
    for (; used < bytes.size() && !x_head.ends_with(kHeadEnd); ++used) {
        const char c = bytes[used];
        const char before = x_head.empty() ? char{0} : x_head.back();
        if ((c == '\n') != (before == '\r'))
            return malformed("A line of the head does not end with CR LF.");
        if (is_control(c) && c != '\r' && c != '\n')
            return malformed("The head has a control character.");
        if ((c == ' ' || c == '\t') && before == '\n')
            return malformed("A header field goes over several lines.");
        if (x_head.size() == x_limits.header_bytes)
            return fail(431, "headers_too_large", "The request line and headers are too long.");
        x_head += c;
    }
    return true;
}

bool HttpParser::take_head() {
    // RFC 9112 section 2.2: an empty line before the request line is ignored.
    if (x_head.starts_with("\r\n")) x_head.erase(0, 2);
    if (!check_request_line(std::string_view(x_head).substr(0, x_head.find('\r')))) return false;
    x_streaming = x_streams && x_streams(x_parsed.request.method, x_parsed.request.path);
    if (x_streaming) x_beast->parser.body_limit(boost::none);
    std::size_t used = 0;
    if (!put(x_head, used)) return false;
    if (used != x_head.size() || !x_beast->parser.is_header_done())
        return malformed("The head is malformed.");
    std::string().swap(x_head);
    for (const auto& field : x_beast->parser.get().base())
        x_parsed.request.headers.emplace_back(lower(to_view(field.name_string())),
                                              trim_blanks(to_view(field.value())));
    return check_fields() && check_body_fields();
}

bool HttpParser::check_request_line(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || first > 32)
        return malformed("The request line is malformed.");
    HttpRequest& request = x_parsed.request;
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0")
        return malformed("The HTTP version is not 1.1 or 1.0.");
    x_parsed.http_1_1 = version == "HTTP/1.1";
    const std::string& target = request.target;
    if (!target.starts_with('/')) return malformed("The target does not begin with a slash.");
    if (std::any_of(target.begin(), target.end(),
                    [](char c) { return c <= 0x20 || c >= 0x7F || c == '#'; }))
        return malformed("The target has a character that must be escaped.");
    const std::size_t mark = std::min(target.find('?'), target.size());
    auto path = percent_decode(std::string_view(target).substr(0, mark), Plus::literal);
    request.query = target.substr(std::min(mark + 1, target.size()));
    if (!path || !percent_decode(request.query, Plus::literal))
        return malformed("The target has a bad percent escape.");
    if (path->find(char{0}) != std::string::npos) return malformed("The path has a NUL.");
    // A slash that is escaped would be a separator to us and none to a proxy.
    if (std::count(path->begin(), path->end(), '/') !=
        std::count(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(mark), '/'))
        return malformed("The path has an escaped slash.");
    request.path = std::move(*path);
    return true;
}

bool HttpParser::check_fields() {
    const auto& headers = x_parsed.request.headers;
    for (std::string_view single : kSingleFields)
        if (std::count_if(headers.begin(), headers.end(),
                          [&](const auto& field) { return field.first == single; }) > 1)
            return malformed("A header field that has one value was sent twice.");
    const auto host = std::find_if(headers.begin(), headers.end(),
                                   [](const auto& field) { return field.first == "host"; });
    if (host == headers.end() && x_parsed.http_1_1) return malformed("The Host header is missing.");
    if (host != headers.end() && !is_host(host->second))
        return malformed("The Host header is malformed.");
    bool close = !x_parsed.http_1_1;
    for (const auto& [name, value] : headers)
        if (name == "connection" && has_token(value, "close")) close = true;
    x_parsed.keep_alive = !close;
    return true;
}

bool HttpParser::check_body_fields() {
    const HttpRequest& request = x_parsed.request;
    const auto has = [&](std::string_view name) {
        return std::any_of(request.headers.begin(), request.headers.end(),
                           [&](const auto& field) { return field.first == name; });
    };
    const bool chunked = has("transfer-encoding");
    const bool sized = has("content-length");
    if (chunked && sized)
        return malformed("Content-Length and Transfer-Encoding exclude each other.");
    if (chunked && (!x_parsed.http_1_1 || lower(request.header("transfer-encoding")) != "chunked"))
        return malformed("The Transfer-Encoding is not chunked.");
    const std::string_view length = request.header("content-length");
    if (sized && !all_digits(length)) return malformed("The Content-Length is not a number.");
    x_parsed.has_body = chunked || sized;
    if (x_streaming && chunked)
        return fail(411, "length_required", "This body must have a Content-Length.");
    if (x_streaming && sized) {
        const auto [end, error] =
            std::from_chars(length.data(), length.data() + length.size(), x_parsed.stream_size);
        if (error != std::errc()) return fail(413, "payload_too_large", "The body is too long.");
    }
    const std::string expect = lower(request.header("expect"));
    if (!expect.empty() && expect != "100-continue")
        return fail(417, "expectation_failed", "The Expect header is not 100-continue.");
    x_expect_continue = !expect.empty() && x_parsed.http_1_1 && !x_beast->parser.is_done();
    return true;
}

bool HttpParser::take_body(std::string_view bytes, std::size_t& used) {
    used = bytes.size();
    x_body_wire_bytes += bytes.size();
    if (x_body_wire_bytes > kChunkOverhead * (x_limits.body_bytes + x_limits.header_bytes))
        return fail(413, "payload_too_large", "The body is too long.");
    if (!x_rest.empty()) {
        x_rest += bytes;
        bytes = x_rest;
    }
    std::size_t taken = 0;
    while (taken < bytes.size() && !x_beast->parser.is_done()) {
        std::size_t step = 0;
        if (!put(bytes.substr(taken), step)) return false;
        if (step == 0) break;
        taken += step;
    }
    if (bytes.size() - taken > x_limits.header_bytes && !x_beast->parser.is_done())
        return malformed("A chunk's header is too long.");
    if (x_beast->parser.is_done()) {
        // Bytes of the next request can only have come with this call.
        used -= bytes.size() - taken;
        std::string().swap(x_rest);
    } else {
        x_rest = std::string(bytes.substr(taken));
    }
    return true;
}

bool HttpParser::put(std::string_view bytes, std::size_t& used) {
    boost::beast::error_code error;
    used = x_beast->parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (!error || error == http::error::need_more) return true;
    if (error == http::error::header_limit)
        return fail(431, "headers_too_large", "The request line and headers are too long.");
    if (error == http::error::body_limit || error == http::error::buffer_overflow)
        return fail(413, "payload_too_large", "The body is too long.");
    return malformed("The request is malformed.");
}

bool HttpParser::take_expect_continue() { return std::exchange(x_expect_continue, false); }

ParsedRequest HttpParser::take() {
    PARLEY_ASSERT(x_head_complete && (x_streaming || x_beast->parser.is_done()));
    x_parsed.request.body = std::move(x_beast->parser.get().body());
    return std::move(x_parsed);
}

} // namespace parley::net
