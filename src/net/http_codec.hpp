// HTTP/1.1 on the wire: bytes to a request, an answer to bytes. Stricter than RFC 9112 asks, so
// that no proxy in front can read a request in another way than this parser does.
//
// Pure: no I/O and no clock. Threading: value types. Bounds: HttpLimits.
#pragma once

#include "base/frame.hpp"
#include "base/limits.hpp"
#include "net/http.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace parley::net {

struct HttpLimits {
    std::size_t header_bytes = limits::kHttpHeaderBytes; // 431
    std::size_t body_bytes = limits::kHttpBodyBytes;     // 413
};

struct HttpFailure {
    int status = 400;
    std::string_view code = "bad_request"; // constants, all of them
    std::string_view detail;
};

struct ParsedRequest {
    HttpRequest request; // without peer_address and tls
    bool http_1_1 = true;
    bool keep_alive = true;        // the client's wish
    bool has_body = false;         // a body was announced, be it empty
    std::uint64_t stream_size = 0; // of a body that was not read here
};

// Reads one request; make a new one for the next.
class HttpParser {
public:
    using StreamTest = std::function<bool(std::string_view method, std::string_view path)>;
    // `streams` says for which requests only the head is read.
    explicit HttpParser(HttpLimits limits = {}, StreamTest streams = {});
    ~HttpParser();
    HttpParser(const HttpParser&) = delete;
    HttpParser& operator=(const HttpParser&) = delete;

    enum class Progress { more, complete, failed };
    // Takes bytes from the front and says in `used` how many; what follows a complete request is
    // left.
    Progress feed(std::string_view bytes, std::size_t& used);
    bool head_complete() const { return x_head_complete; }
    // The head is complete, and the body, stream_size bytes, follows what was used.
    bool leaves_body() const { return x_streaming && x_head_complete; }
    // The client waits for "100 Continue" before it sends the body. True once at most.
    bool take_expect_continue();
    const HttpFailure& failure() const { return x_failure; }
    // "" while the request line is not read.
    const std::string& path() const { return x_parsed.request.path; }
    ParsedRequest take();

private:
    // These return false and set x_failure.
    bool scan_head(std::string_view bytes, std::size_t& used);
    bool take_head();
    bool check_request_line(std::string_view line);
    bool check_fields();
    bool check_body_fields();
    bool take_body(std::string_view bytes, std::size_t& used);
    bool put(std::string_view bytes, std::size_t& used);
    bool fail(int status, std::string_view code, std::string_view detail);
    bool malformed(std::string_view detail) { return fail(400, "bad_request", detail); }

    struct Beast;
    const HttpLimits x_limits;
    const StreamTest x_streams;
    bool x_streaming = false;
    std::unique_ptr<Beast> x_beast;
    std::string x_head;
    std::string x_rest; // of the body: what Beast does not take before more has come
    std::size_t x_body_wire_bytes = 0;
    ParsedRequest x_parsed;
    HttpFailure x_failure;
    bool x_head_complete = false;
    bool x_expect_continue = false;
};

struct AnswerContext {
    bool head = false; // of a HEAD request: no body is sent
    bool close = false;
    std::string_view date = {}; // IMF-fixdate; empty: none
};
// The whole answer. A header value with a control character is left out.
FrameRef serialise(const HttpResponse& response, const AnswerContext& context);

// RFC 9457. `code` and `detail` are plain ASCII without quotes.
HttpResponse make_problem(int status, std::string_view code, std::string_view detail);
std::string_view reason_phrase(int status);
// Whether a comma-separated header value has `token` (lower case) in it, in any case of letters.
bool has_token(std::string_view list, std::string_view token);
// nullopt for a bad escape.
enum class Plus { literal, space };
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

} // namespace parley::net
