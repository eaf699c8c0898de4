// Fuzz target: the WebSocket frame parser. The first byte seeds the split points and says whether
// permessage-deflate is on; the rest is a client's stream. Whatever the bytes: no crash, memory
// within the limit, and every split gives the same events.
#include "net/ws_codec.hpp"
#include "net/ws_deflate.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using parley::net::WsEvent;
using parley::net::WsLimits;
using parley::net::WsParser;

constexpr WsLimits kLimits{.message_bytes = 4096, .fragments = 16, .binary = true};

struct Seen {
    WsEvent::Kind kind;
    parley::net::CloseCode code;
    std::string data;
    bool operator==(const Seen&) const = default;
};

// Pieces of 1 to 16 bytes by a small generator; seed 0: all at once.
std::vector<Seen> parse(std::string bytes, std::uint32_t seed, bool deflate) {
    static parley::net::Inflater inflater;
    WsLimits limits = kLimits;
    if (deflate) limits.inflater = &inflater;
    std::vector<Seen> out;
    WsParser parser;
    for (std::size_t at = 0; at < bytes.size();) {
        std::size_t size = bytes.size();
        if (seed != 0) {
            seed = seed * 1664525 + 1013904223;
            size = 1 + (seed >> 24) % 16;
        }
        std::string piece = bytes.substr(at, size);
        at += piece.size();
        std::span<char> input(piece);
        while (const auto event = parser.next(input, limits)) {
            if (event->data.size() > kLimits.message_bytes) std::abort();
            out.push_back({event->kind, event->code, std::string(event->data)});
        }
        if (!input.empty()) std::abort();
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const bool deflate = data[0] & 1;
    const auto whole = parse(stream, 0, deflate);
    if (parse(stream, data[0] + 1U, deflate) != whole) std::abort();
    for (const Seen& event : whole)
        if (event.kind == WsEvent::Kind::text && !parley::is_valid_utf8(event.data)) std::abort();
    return 0;
}
