// Fuzz target: the HTTP request parser and the check of a WebSocket handshake. The first byte seeds
// the split points. Whatever the bytes: no crash, bounded results, the same end for every split,
// and an answer that can be written.
#include "net/http_codec.hpp"
#include "net/ws_handshake.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace parley::net;

constexpr HttpLimits kLimits{.header_bytes = 2048, .body_bytes = 1024};

void check(bool good) {
    if (!good) std::abort();
}

// What became of one request, in a form that can be compared.
std::string parse(std::string_view bytes, std::uint32_t seed) {
    HttpParser parser(kLimits);
    std::size_t taken = 0;
    while (taken < bytes.size()) {
        std::size_t size = bytes.size();
        if (seed != 0) {
            seed = seed * 1664525 + 1013904223;
            size = 1 + (seed >> 24) % 16;
        }
        const std::string piece(bytes.substr(taken, size));
        std::size_t used = 0;
        const auto progress = parser.feed(piece, used);
        check(used <= piece.size());
        taken += used;
        if (progress == HttpParser::Progress::failed)
            return "failed " + std::to_string(parser.failure().status);
        if (progress == HttpParser::Progress::more) {
            check(used == piece.size());
            continue;
        }
        const ParsedRequest parsed = parser.take();
        const HttpRequest& request = parsed.request;
        check(request.body.size() <= kLimits.body_bytes && request.path.starts_with('/'));
        check(request.path.find('\0') == std::string::npos);
        if (const auto refusal = refuse_handshake(parsed))
            serialise(*refusal, {});
        else
            check(accept_key(request.header("sec-websocket-key")).size() == 28 &&
                  request.method == "GET" && !parsed.has_body);
        request.query_is_ambiguous("roomid");
        std::string out = "complete " + std::to_string(taken) + request.method + request.target;
        for (const auto& [name, value] : request.headers) out += "\n" + name + ":" + value;
        return out + "\n\n" + request.body;
    }
    return "more";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    check(parse(bytes, 0) == parse(bytes, data[0] + 1U));
    return 0;
}
