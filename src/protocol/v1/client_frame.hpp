// v1 frames from a client: bytes -> values. Grammar (JSON, one object a frame; unknown fields are
// ignored; the order of fields is free):
//
//   frame       := { "op": op, "ref"?: string(<= 64 bytes), fields of the op }
//   hello       := token: string
//   subscribe   := room_id: id, since?: id | null
//   unsubscribe := room_id: id
//   send        := room_id: id, nonce: string, type: string, content: string,
//                  media_id?: id | null, reply_to?: id | null
//   edit        := room_id: id, message_id: id, content: string
//   delete      := room_id: id, message_id: id
//   react       := room_id: id, message_id: id, emoji: string, added: boolean
//   typing      := room_id: id
//   read        := room_id: id, message_id: id
//   ping        :=
//   id          := string of the digits of 1 .. 2^63-1
//
// Errors: bad_frame (not one JSON object, deeper than limits::kJsonDepth, a key twice, text after
// it, a lone surrogate or U+0000 in a string), unknown_op (`op` is a string that is none of these),
// invalid_field (a field, `op` included, is missing or has another type; the detail names it),
// too_long (more than limits::kFrameBytes). `ref` and `nonce` are given with the error when they
// could be read. Lengths of content, nonce, emoji and token are not judged here (chat/composer).
//
// Threading: one Decoder per core, not shared. Strings in a Frame point into the decoder and live
// until the next call. Allocates nothing in the steady state.
#pragma once

#include "base/result.hpp"
#include "model/ids.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace parley::protocol::v1 {

struct Hello {
    std::string_view token;
};
struct Subscribe {
    model::RoomId room_id;
    std::optional<model::EventId> since;
};
struct Unsubscribe {
    model::RoomId room_id;
};
struct Send {
    model::RoomId room_id;
    std::string_view nonce, type, content;
    std::optional<model::MediaId> media_id;
    std::optional<model::MessageId> reply_to;
};
struct Edit {
    model::RoomId room_id;
    model::MessageId message_id;
    std::string_view content;
};
struct Delete {
    model::RoomId room_id;
    model::MessageId message_id;
};
struct React {
    model::RoomId room_id;
    model::MessageId message_id;
    std::string_view emoji;
    bool added = true;
};
struct Typing {
    model::RoomId room_id;
};
struct Read {
    model::RoomId room_id;
    model::MessageId message_id;
};
struct Ping {};

using ClientOp =
    std::variant<Hello, Subscribe, Unsubscribe, Send, Edit, Delete, React, Typing, Read, Ping>;

struct ClientFrame {
    std::string_view ref; // "": none
    ClientOp op;
};

enum class FrameErrc : std::uint8_t { bad_frame, unknown_op, invalid_field, too_long };
std::string_view name_of(FrameErrc code); // the error code of the contract

struct FrameError {
    FrameErrc code = FrameErrc::bad_frame;
    std::string detail;
    std::string ref, nonce; // "" where unreadable
};

class Decoder {
public:
    Decoder();
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    // `text` is valid UTF-8 of at most limits::kFrameBytes.
    std::variant<ClientFrame, FrameError> decode(std::string_view text);

private:
    struct Impl;
    std::unique_ptr<Impl> x_impl;
};

} // namespace parley::protocol::v1
