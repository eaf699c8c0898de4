// The WebSocket wire format, RFC 6455 section 5, and RFC 7692's use of RSV1: frames to bytes, bytes
// to events.
//
//   frame   = first second [length16 | length64] [mask:4] payload
//   first   = FIN:1 RSV:3 opcode:4        second = MASK:1 length:7 (126: length16, 127: length64)
//
// Pure: no I/O and no clock. The result does not depend on how the bytes are split.
// Threading: value types. Bounds: WsLimits; a length over them fails before anything is allocated.
#pragma once

#include "base/frame.hpp"
#include "base/text.hpp"
#include "net/websocket.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace parley::net {

enum class Opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

// One unmasked, final frame of a server. The payload of a control frame has at most 125 bytes.
FrameRef make_frame(Opcode opcode, std::string_view payload);
// The same with RSV1 set: `payload` is the compressed form of a message.
FrameRef make_compressed_frame(Opcode opcode, std::string_view payload);
// What follows the header of a whole, unmasked frame.
std::string_view payload_of(std::string_view frame);
// Whether nothing follows the first of them.
bool is_one_frame(std::string_view frame);
// `reason` is cut to what fits, between two code points. none_received makes an empty close frame.
FrameRef make_close_frame(CloseCode code, std::string_view reason);
// Whether a close frame may carry `code` (RFC 6455 section 7.4 and the IANA registry).
bool is_wire_close_code(std::uint16_t code);

class Inflater;

struct WsLimits {
    std::size_t message_bytes; // as it is handed out, so after inflating
    std::size_t fragments;
    bool binary = false;          // else a binary message fails with unsupported_data
    Inflater* inflater = nullptr; // set: permessage-deflate was agreed on
};

struct WsEvent {
    enum class Kind : std::uint8_t { text, binary, ping, pong, close, failure };
    Kind kind;
    CloseCode code = CloseCode::normal; // close: the peer's, or none_received; failure: ours
    std::string_view data = {};         // the payload; the reason of a close
};

// Reads the masked frames of one client.
class WsParser {
public:
    // Takes bytes from the front of `input`, unmasking them in place, until an event is complete;
    // nullopt when all is taken. The event's data lives until the next call of any parser with the
    // same inflater, or as long as `input`.
    // After close or failure everything is swallowed.
    std::optional<WsEvent> next(std::span<char>& input, const WsLimits& limits);
    // Whether a frame or a fragmented message has begun and not ended.
    bool incomplete() const { return x_phase != Phase::first || in_message(); }

private:
    enum class Phase : std::uint8_t { first, second, length, mask, payload };
    bool in_message() const { return x_message_opcode != Opcode::continuation; }
    bool is_control() const { return static_cast<std::uint8_t>(x_opcode) >= 8; }
    // These return the failure's code, or nullopt.
    std::optional<CloseCode> take_header_byte(std::uint8_t byte, const WsLimits& limits);
    std::optional<CloseCode> take_first(std::uint8_t byte, const WsLimits& limits);
    std::optional<CloseCode> take_second(std::uint8_t byte, const WsLimits& limits);
    std::optional<CloseCode> check_length(const WsLimits& limits);
    std::optional<WsEvent> take_payload(std::span<char>& input, const WsLimits& limits);
    std::optional<WsEvent> take_control(std::string_view piece);
    std::optional<WsEvent> take_data(std::string_view piece, const WsLimits& limits);
    std::optional<WsEvent> end_message(std::string_view data, const WsLimits& limits);
    WsEvent close_event(std::string_view payload);
    WsEvent fail(CloseCode code);

    Phase x_phase = Phase::first;
    Opcode x_opcode = Opcode::continuation;         // of the current frame
    Opcode x_message_opcode = Opcode::continuation; // text or binary inside a message
    std::uint8_t x_length_bytes = 0;                // of the extended length: 0, 2 or 8
    std::uint8_t x_need = 0;                        // header bytes still to come in this phase
    std::uint8_t x_mask_at = 0;                     // mask byte for the next payload byte
    bool x_final = false;
    bool x_compressed = false; // of the message
    bool x_finished = false;
    bool x_returned = false; // x_message or x_control was handed out: free it on the next call
    std::array<std::uint8_t, 4> x_mask{};
    Utf8Validator x_utf8;
    std::uint32_t x_fragments = 0;
    std::uint64_t x_remaining = 0; // of the current frame's payload
    std::string x_message;         // what came of a message that is not complete, not inflated
    std::string x_control;         // the same of a control frame
};

} // namespace parley::net
