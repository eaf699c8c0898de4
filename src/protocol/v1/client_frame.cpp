#include "protocol/v1/client_frame.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "protocol/v1/json_fields.hpp"

#include <utility>

namespace parley::protocol::v1 {

namespace {

using Kind = Field::Kind;

// Takes the fields of one op; the first that is missing or of another type is the one complained
// of.
class Taker {
public:
    explicit Taker(const JsonFields& fields) : x_fields(fields) {}

    std::string_view text(Key key) {
        const Field& field = x_fields.field(key);
        if (field.kind != Kind::string) complain(key, field.kind, "a string");
        return field.text;
    }
    template <class IdType>
    IdType id(Key key) {
        const Field& field = x_fields.field(key);
        if (field.kind == Kind::string)
            if (const auto id = IdType::parse(field.text)) return *id;
        complain(key, field.kind, "a string of digits");
        return {};
    }
    template <class IdType>
    std::optional<IdType> optional_id(Key key) {
        const Kind kind = x_fields.field(key).kind;
        if (kind == Kind::absent || kind == Kind::null) return std::nullopt;
        return id<IdType>(key);
    }
    bool flag(Key key) {
        const Kind kind = x_fields.field(key).kind;
        if (kind != Kind::truth && kind != Kind::falsehood) complain(key, kind, "true or false");
        return kind == Kind::truth;
    }
    // At most limits::kRefBytes; "" where there is none.
    std::string_view ref() {
        const Field& field = x_fields.field(Key::ref);
        if (field.kind == Kind::absent || field.kind == Kind::null) return {};
        if (field.kind != Kind::string || field.text.size() > limits::kRefBytes)
            complain(Key::ref, field.kind, "a string of at most 64 bytes");
        return field.text;
    }

    bool good() const { return x_detail.empty(); }
    std::string detail() && { return std::move(x_detail); }

private:
    void complain(Key key, Kind kind, std::string_view expected) {
        if (!good()) return;
        x_detail = name_of(key);
        if (kind == Kind::absent) {
            x_detail += " is missing";
        } else {
            x_detail += " must be ";
            x_detail += expected;
        }
    }

    const JsonFields& x_fields;
    std::string x_detail;
};
static_assert(limits::kRefBytes == 64, "the text of Taker::ref names it");

// False if `op` is not in the list. Braces around the fields fix the order in which they are looked
// at.
bool take_op(std::string_view op, Taker& take, ClientOp& out) {
    const auto room = [&] { return take.id<model::RoomId>(Key::room_id); };
    const auto message = [&] { return take.id<model::MessageId>(Key::message_id); };
    if (op == "send")
        out = Send{room(),
                   take.text(Key::nonce),
                   take.text(Key::type),
                   take.text(Key::content),
                   take.optional_id<model::MediaId>(Key::media_id),
                   take.optional_id<model::MessageId>(Key::reply_to)};
    else if (op == "ping")
        out = Ping{};
    else if (op == "read")
        out = Read{room(), message()};
    else if (op == "typing")
        out = Typing{room()};
    else if (op == "subscribe")
        out = Subscribe{room(), take.optional_id<model::EventId>(Key::since)};
    else if (op == "unsubscribe")
        out = Unsubscribe{room()};
    else if (op == "react")
        out = React{room(), message(), take.text(Key::emoji), take.flag(Key::added)};
    else if (op == "edit")
        out = Edit{room(), message(), take.text(Key::content)};
    else if (op == "delete")
        out = Delete{room(), message()};
    else if (op == "hello")
        out = Hello{take.text(Key::token)};
    else
        return false;
    return true;
}

// A text to give back, "" where it cannot be: an overlong one is not worth an answer of its size.
std::string readable(const JsonFields& fields, Key key, std::size_t bytes_max) {
    const Field& field = fields.field(key);
    if (field.kind != Kind::string || field.text.size() > bytes_max) return {};
    return std::string(field.text);
}

FrameError error_of(const JsonFields& fields, FrameErrc code, std::string detail) {
    return {code, std::move(detail), readable(fields, Key::ref, limits::kRefBytes),
            readable(fields, Key::nonce, limits::kNonceBytes)};
}

} // namespace

std::string_view name_of(FrameErrc code) {
    switch (code) {
    case FrameErrc::bad_frame:
        return "bad_frame";
    case FrameErrc::unknown_op:
        return "unknown_op";
    case FrameErrc::invalid_field:
        return "invalid_field";
    case FrameErrc::too_long:
        return "too_long";
    }
    PARLEY_ASSERT(!"a FrameErrc outside its enum");
}

struct Decoder::Impl {
    JsonFields fields;
};

Decoder::Decoder() : x_impl(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;

std::variant<ClientFrame, FrameError> Decoder::decode(std::string_view text) {
    std::variant<ClientFrame, FrameError> answer;
    if (text.size() > limits::kFrameBytes) {
        answer = FrameError{FrameErrc::too_long, "a frame has at most 65536 bytes", {}, {}};
        return answer;
    }
    JsonFields& fields = x_impl->fields;
    if (const std::string_view fault = fields.read(text); !fault.empty()) {
        answer = error_of(fields, FrameErrc::bad_frame, std::string(fault));
        return answer;
    }
    Taker take(fields);
    auto& frame = std::get<ClientFrame>(answer);
    frame.ref = take.ref();
    const std::string_view op = take.text(Key::op);
    const bool known = take.good() && take_op(op, take, frame.op);
    if (!take.good())
        answer = error_of(fields, FrameErrc::invalid_field, std::move(take).detail());
    else if (!known)
        answer = error_of(fields, FrameErrc::unknown_op, "op is none that v1 has");
    return answer;
}
static_assert(limits::kFrameBytes == 65536, "the text of Decoder::decode names it");

} // namespace parley::protocol::v1
