// Classic frames from a client: bytes -> values. Grammar (JSON, one object a frame; unknown fields
// are ignored; the order of fields is free):
//
//   frame     := { "event_type": "heartbeat" }
//              | { "event_type": "chat", "message_type": string, "content"?: string | null,
//                  "media_id"?: id | "" | null }
//   id        := number or string of the digits of 1 .. 2^63-1
//
// Errors as of v1 (protocol/v1/client_frame.hpp): bad_frame, invalid_field, too_long, and
// unknown_op for an event_type that is neither. Lengths of content are not judged here
// (chat/composer).
//
// Threading: one Decoder per core, not shared. Strings in a frame point into the decoder and live
// until the next call. Bounds: limits::kFrameBytes, limits::kJsonDepth.
#pragma once

#include "protocol/v1/client_frame.hpp"
#include "protocol/v1/json_fields.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace parley::protocol::classic {

struct Heartbeat {};
struct Chat {
    std::string_view message_type, content;
    std::optional<model::MediaId> media_id;
};
using ClientFrame = std::variant<Heartbeat, Chat>;
using v1::FrameErrc;
struct FrameError {
    FrameErrc code = FrameErrc::bad_frame;
    std::string_view detail; // a constant, or until the next call
};

class Decoder {
public:
    // `text` is valid UTF-8.
    std::variant<ClientFrame, FrameError> decode(std::string_view text);

private:
    v1::JsonFields x_fields;
};

} // namespace parley::protocol::classic
