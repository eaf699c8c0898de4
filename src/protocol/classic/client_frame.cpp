#include "protocol/classic/client_frame.hpp"

#include "base/limits.hpp"

namespace parley::protocol::classic {

namespace {

using v1::Field;
using v1::Key;
using Kind = v1::Field::Kind;

bool is_empty(const Field& field) {
    return field.kind == Kind::absent || field.kind == Kind::null ||
           (field.kind == Kind::string && field.text.empty());
}

std::variant<ClientFrame, FrameError> take_chat(const v1::JsonFields& fields) {
    const Field& type = fields.field(Key::message_type);
    const Field& content = fields.field(Key::content);
    const Field& media = fields.field(Key::media_id);
    if (type.kind != Kind::string)
        return FrameError{FrameErrc::invalid_field, "message_type must be TEXT or MEDIA"};
    if (content.kind != Kind::string && !is_empty(content))
        return FrameError{FrameErrc::invalid_field, "content must be a string"};
    Chat chat{type.text, content.text, std::nullopt};
    if (is_empty(media)) return chat;
    if (media.kind == Kind::string || media.kind == Kind::number)
        chat.media_id = model::MediaId::parse(media.text);
    if (!chat.media_id)
        return FrameError{FrameErrc::invalid_field, "media_id must be an id or empty"};
    return chat;
}

} // namespace

std::variant<ClientFrame, FrameError> Decoder::decode(std::string_view text) {
    if (text.size() > limits::kFrameBytes)
        return FrameError{FrameErrc::too_long, "a frame has at most 65536 bytes"};
    if (const std::string_view fault = x_fields.read(text); !fault.empty())
        return FrameError{FrameErrc::bad_frame, fault};
    const Field& event = x_fields.field(Key::event_type);
    if (event.kind != Kind::string)
        return FrameError{FrameErrc::invalid_field, "event_type must be chat or heartbeat"};
    if (event.text == "chat") return take_chat(x_fields);
    if (event.text == "heartbeat") return Heartbeat{};
    return FrameError{FrameErrc::unknown_op, "event_type is neither chat nor heartbeat"};
}
static_assert(limits::kFrameBytes == 65536, "the text of Decoder::decode names it");

} // namespace parley::protocol::classic
