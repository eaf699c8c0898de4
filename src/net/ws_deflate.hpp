// permessage-deflate, RFC 7692: what is agreed on in the handshake, and messages to and from their
// compressed form. Both sides begin each message anew (no context takeover), so a connection holds
// no window: each core has one Inflater and one Deflater for all of its connections, and an event
// is compressed at most once on a core, like it is encoded once.
//
// Threading: the core's thread. Owner: the NetLoop. Bounds: an inflated message has at most the
// bytes that the caller names, whatever the input says; the buffers of a core come to about 200 KiB
// and the largest message. Memory is taken at the first use.
#pragma once

#include "base/frame.hpp"
#include "base/text.hpp"
#include "net/websocket.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;

namespace parley::net {

// How far back what this server compresses may point. A client that asks for the smallest window
// of all, 256 bytes, which zlib cannot keep to, gets everything uncompressed.
enum class DeflateWindow { wide, narrow, none };

struct DeflateTerms {
    DeflateWindow window = DeflateWindow::wide;
    std::string answer; // the value of Sec-WebSocket-Extensions
};

// The first offer in a Sec-WebSocket-Extensions value that can be taken. nullopt: none, or the
// value is malformed; then the connection goes without compression.
std::optional<DeflateTerms> choose_deflate(std::string_view offers);

class Inflater {
public:
    Inflater();
    ~Inflater();

    struct Outcome {
        std::optional<CloseCode> failure;
        std::string_view message = {}; // lives until the next call
    };
    // The message of one compressed payload. More than `bytes_max` fails with message_too_big
    // after that many; what is no whole deflate stream, or not what `utf8` takes (if there is one),
    // with invalid_payload.
    Outcome inflate(std::string_view payload, std::size_t bytes_max, Utf8Validator* utf8);

private:
    bool feed(std::string_view bytes, std::size_t bytes_max, Utf8Validator* utf8);

    struct Freed {
        void operator()(z_stream_s* stream) const;
    };
    std::unique_ptr<z_stream_s, Freed> x_stream;
    std::string x_out;
    std::size_t x_size = 0; // of the message so far
    std::optional<CloseCode> x_failure;
    bool x_ended = false; // with a final block, and nothing after it
};

class Deflater {
public:
    static constexpr std::size_t kPayloadMin = 256; // of less, little is saved

    Deflater();
    ~Deflater();

    // `frame` (any whole, unmasked one) compressed; or itself if it is small, a control frame,
    // several frames in one piece, or would not become smaller. Given again at once, a frame is not
    // compressed again.
    const FrameRef& compress(const FrameRef& frame, DeflateWindow window);
    std::uint64_t compressed() const { return x_compressed; } // runs of zlib so far

private:
    struct Freed {
        void operator()(z_stream_s* stream) const;
    };
    struct Kind {
        std::unique_ptr<z_stream_s, Freed> stream;
        FrameRef plain, packed; // the last ones
    };
    FrameRef pack(Kind& kind, int window_bits, const FrameRef& frame);

    std::array<Kind, 2> x_kinds; // wide, narrow
    std::string x_out;
    std::uint64_t x_compressed = 0;
};

} // namespace parley::net
