// WebSocket connections as the layers above see them. RFC 6455 to the letter, and
// permessage-deflate (RFC 7692) where the settings allow it.
//
// Threading: everything on the connection's core. Ownership: net owns the WebSocket; it owns its
// handler from accept on, and destroys it after on_closed(). Sending after the close is a no-op.
#pragma once

#include "base/assert.hpp"
#include "base/frame.hpp"
#include "net/http.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace parley::net {

// RFC 6455 section 7.4 and the contract's own.
enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unsupported_data = 1003,
    none_received = 1005,
    abnormal = 1006, // never on the wire
    invalid_payload = 1007,
    policy_violation = 1008,
    message_too_big = 1009,
    internal_error = 1011,
    idle = 4000,
    too_slow = 4001,
    flooding = 4002,
    token_expired = 4003,
    bad_token = 4500,
    session_revoked = 4501,
    too_many_connections = 4502,
};

// The header of one unmasked, unfragmented server text frame, for payloads encoded once for many.
class TextHeader {
public:
    explicit TextHeader(std::size_t payload_bytes);
    std::string_view bytes() const { return {x_bytes, x_size}; }

private:
    char x_bytes[10];
    std::uint8_t x_size;
};
// A whole text frame of `payload`, ready for WebSocket::send and shared by any number of them.
FrameRef make_text_frame(std::string_view payload);

class WebSocket {
public:
    // Queues a whole frame made by make_text_frame, or several of them in one piece. Over
    // limits::kOutboundQueueBytes or ...Frames the connection is closed with too_slow. Written at
    // the end of the turn, with what else waits.
    virtual void send(const FrameRef& frame) = 0;
    // Sends what is queued, then a close frame; closes the socket after the peer's close frame or
    // limits::kCloseTimeout. on_closed() follows, never from inside this call.
    virtual void close(CloseCode code, std::string_view reason) = 0;
    virtual std::size_t queued_bytes() const = 0;
    virtual const std::string& peer_address() const = 0;

protected:
    ~WebSocket() = default;
};

class WebSocketHandler {
public:
    virtual ~WebSocketHandler() = default;
    // Bytes were read, of whatever kind; nothing of them was looked at yet. Answers for how long
    // the connection shall be read no more: what the peer sends meanwhile waits in its own buffers.
    // Asked again, with 0, when the time is over, and at least each limits::kReadPauseMax.
    virtual std::chrono::milliseconds on_received(std::size_t /*bytes*/) { return {}; }
    // One whole text message, valid UTF-8, at most limits::kFrameBytes. The bytes live until it
    // returns.
    virtual void on_text(std::string_view text) = 0;
    // Only with ServerSettings::binary_messages; otherwise net answers them with close 1003.
    virtual void on_binary(std::string_view) {}
    // The last call: the connection is gone. `code` is the peer's, ours, or abnormal.
    virtual void on_closed(CloseCode code) = 0;
};

// What the layer above says to a handshake. One per core.
class WebSocketAcceptor {
public:
    struct Verdict {
        std::optional<HttpResponse> refusal; // set: answered in place of 101
        std::string subprotocol;             // "" for none; echoed in the 101
        std::function<std::unique_ptr<WebSocketHandler>(WebSocket&)>
            open;           // runs after the 101 is queued
        bool later = false; // nothing is decided yet: decide() will
    };
    // The request is a well-formed RFC 6455 opening handshake (method, version, key and headers
    // were checked by net, which answers 400 or 426 itself).
    virtual Verdict on_handshake(const HttpRequest& request) = 0;
    // For a handshake whose verdict needs a look-up: `later` of on_handshake() asks for this. The
    // connection reads nothing meanwhile, and gets 503 after Timeouts::http_handler; its verdict is
    // dropped then.
    virtual Task<Verdict> decide(HttpRequest /*request*/) {
        PARLEY_ASSERT(!"an acceptor that says `later` decides");
        co_return Verdict{};
    }
    // Whether this path speaks WebSocket at all; a handshake to any other goes to the HttpHandler.
    virtual bool serves(std::string_view path) const = 0;

protected:
    ~WebSocketAcceptor() = default;
};

} // namespace parley::net
