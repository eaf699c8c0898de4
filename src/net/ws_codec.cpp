#include "net/ws_codec.hpp"

#include "base/assert.hpp"
#include "net/ws_deflate.hpp"

#include <algorithm>
#include <cstring>

namespace parley::net {

namespace {

constexpr std::size_t kControlPayloadMax = 125;
constexpr std::uint8_t kRsv1 = 0x40;

// What a message may have on the wire. Deflate makes hardly anything longer.
std::size_t wire_bytes_max(bool compressed, const WsLimits& limits) {
    return limits.message_bytes + (compressed ? limits.message_bytes / 16 + 64 : 0);
}

// XORs `bytes` with the mask, whose byte `at` belongs to the first of them.
void unmask(std::span<char> bytes, const std::array<std::uint8_t, 4>& mask, std::uint8_t at) {
    std::array<std::uint8_t, 8> turned{};
    for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(i + at) % 4];
    std::uint64_t key;
    std::memcpy(&key, turned.data(), sizeof key);
    char* p = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= sizeof key; p += sizeof key, left -= sizeof key) {
        std::uint64_t word;
        std::memcpy(&word, p, sizeof word);
        word ^= key;
        std::memcpy(p, &word, sizeof word);
    }
    for (std::size_t i = 0; i < left; ++i) p[i] = static_cast<char>(p[i] ^ turned[i]);
}

std::uint8_t put_header(char* out, Opcode opcode, std::size_t size) {
    out[0] = static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode));
    if (size < 126) {
        out[1] = static_cast<char>(size);
        return 2;
    }
    const int length_bytes = size < 65536 ? 2 : 8;
    out[1] = static_cast<char>(length_bytes == 2 ? 126 : 127);
    for (int i = 0; i < length_bytes; ++i)
        out[2 + i] = static_cast<char>(size >> (8 * (length_bytes - 1 - i)));
    return static_cast<std::uint8_t>(2 + length_bytes);
}

} // namespace

TextHeader::TextHeader(std::size_t payload_bytes)
    : x_size(put_header(x_bytes, Opcode::text, payload_bytes)) {}

FrameRef make_text_frame(std::string_view payload) {
    return FrameRef::copy_of(TextHeader(payload.size()).bytes(), payload);
}

FrameRef make_frame(Opcode opcode, std::string_view payload) {
    PARLEY_ASSERT(static_cast<std::uint8_t>(opcode) < 8 || payload.size() <= kControlPayloadMax);
    char header[10];
    return FrameRef::copy_of({header, put_header(header, opcode, payload.size())}, payload);
}

FrameRef make_compressed_frame(Opcode opcode, std::string_view payload) {
    PARLEY_ASSERT(opcode == Opcode::text || opcode == Opcode::binary);
    char header[10];
    const std::uint8_t size = put_header(header, opcode, payload.size());
    header[0] = static_cast<char>(header[0] | kRsv1);
    return FrameRef::copy_of({header, size}, payload);
}

std::string_view payload_of(std::string_view frame) {
    PARLEY_ASSERT(frame.size() >= 2);
    const auto length = static_cast<std::uint8_t>(frame[1]);
    return frame.substr(length < 126 ? 2 : length == 126 ? 4 : 10);
}

bool is_one_frame(std::string_view frame) {
    const std::string_view rest = payload_of(frame);
    const std::size_t head = frame.size() - rest.size();
    std::size_t length = static_cast<std::uint8_t>(frame[1]);
    if (head > 2) {
        length = 0;
        for (std::size_t i = 2; i < head; ++i)
            length = length << 8 | static_cast<std::uint8_t>(frame[i]);
    }
    return rest.size() == length;
}

FrameRef make_close_frame(CloseCode code, std::string_view reason) {
    if (code == CloseCode::none_received) return make_frame(Opcode::close, {});
    const auto number = static_cast<std::uint16_t>(code);
    PARLEY_ASSERT(is_wire_close_code(number));
    if (reason.size() > kControlPayloadMax - 2) {
        std::size_t end = kControlPayloadMax - 2;
        while (end > 0 && (static_cast<std::uint8_t>(reason[end]) & 0xC0) == 0x80) --end;
        reason = reason.substr(0, end);
    }
    std::string payload{static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
    payload += reason;
    return make_frame(Opcode::close, payload);
}

bool is_wire_close_code(std::uint16_t code) {
    if (code >= 3000 && code <= 4999) return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

std::optional<WsEvent> WsParser::next(std::span<char>& input, const WsLimits& limits) {
    if (x_returned) {
        x_returned = false;
        std::string& given = is_control() ? x_control : x_message;
        std::string().swap(given);
    }
    while (!input.empty() && !x_finished) {
        if (x_phase != Phase::payload) {
            const auto byte = static_cast<std::uint8_t>(input.front());
            input = input.subspan(1);
            if (const auto failure = take_header_byte(byte, limits)) return fail(*failure);
            if (x_phase != Phase::payload) continue;
        }
        if (auto event = take_payload(input, limits)) return event;
    }
    input = {};
    return std::nullopt;
}

std::optional<CloseCode> WsParser::take_header_byte(std::uint8_t byte, const WsLimits& limits) {
    switch (x_phase) {
    case Phase::first:
        return take_first(byte, limits);
    case Phase::second:
        return take_second(byte, limits);
    case Phase::length:
        x_remaining = x_remaining << 8 | byte;
        if (--x_need == 0) return check_length(limits);
        return std::nullopt;
    case Phase::mask:
        x_mask[4 - x_need] = byte;
        if (--x_need == 0) x_phase = Phase::payload;
        return std::nullopt;
    case Phase::payload:
        break;
    }
    PARLEY_ASSERT(!"a payload byte is not a header byte");
}

std::optional<CloseCode> WsParser::take_first(std::uint8_t byte, const WsLimits& limits) {
    x_final = byte & 0x80;
    const std::uint8_t opcode = byte & 0x0F;
    const bool rsv1 = byte & kRsv1;
    if ((byte & 0x70) && !(rsv1 && limits.inflater && !(byte & 0x30)))
        return CloseCode::protocol_error;
    if ((opcode > 2 && opcode < 8) || opcode > 10) return CloseCode::protocol_error;
    // RFC 7692 section 6: RSV1 belongs to the first frame of a message.
    if (rsv1 && opcode != 1 && opcode != 2) return CloseCode::protocol_error;
    x_opcode = static_cast<Opcode>(opcode);
    x_phase = Phase::second;
    if (is_control()) {
        if (!x_final) return CloseCode::protocol_error;
        return std::nullopt;
    }
    if ((x_opcode == Opcode::continuation) != in_message()) return CloseCode::protocol_error;
    if (x_opcode == Opcode::binary && !limits.binary) return CloseCode::unsupported_data;
    if (x_opcode == Opcode::continuation) {
        if (++x_fragments > limits.fragments) return CloseCode::message_too_big;
    } else {
        x_message_opcode = x_opcode;
        x_compressed = rsv1;
        x_fragments = 1;
        x_utf8.reset();
    }
    return std::nullopt;
}

std::optional<CloseCode> WsParser::take_second(std::uint8_t byte, const WsLimits& limits) {
    if (!(byte & 0x80)) return CloseCode::protocol_error; // clients mask
    const std::uint8_t length = byte & 0x7F;
    if (is_control() && length > kControlPayloadMax) return CloseCode::protocol_error;
    x_length_bytes = length < 126 ? 0 : length == 126 ? 2 : 8;
    x_remaining = length < 126 ? length : 0;
    x_need = x_length_bytes;
    x_phase = Phase::length;
    return x_need == 0 ? check_length(limits) : std::nullopt;
}

std::optional<CloseCode> WsParser::check_length(const WsLimits& limits) {
    // Only the shortest form is a length, and the highest bit must be 0.
    if (x_length_bytes == 2 && x_remaining < 126) return CloseCode::protocol_error;
    if (x_length_bytes == 8 && (x_remaining < 65536 || x_remaining >> 63))
        return CloseCode::protocol_error;
    const std::size_t most = wire_bytes_max(x_compressed, limits);
    if (!is_control() && (x_remaining > most || x_message.size() > most - x_remaining))
        return CloseCode::message_too_big;
    x_phase = Phase::mask;
    x_need = 4;
    x_mask_at = 0;
    return std::nullopt;
}

std::optional<WsEvent> WsParser::take_payload(std::span<char>& input, const WsLimits& limits) {
    const std::size_t size = std::min<std::uint64_t>(x_remaining, input.size());
    const std::span<char> piece = input.first(size);
    input = input.subspan(size);
    unmask(piece, x_mask, x_mask_at);
    x_mask_at = static_cast<std::uint8_t>((x_mask_at + size) % 4);
    x_remaining -= size;
    const std::string_view text{piece.data(), piece.size()};
    return is_control() ? take_control(text) : take_data(text, limits);
}

std::optional<WsEvent> WsParser::take_control(std::string_view piece) {
    const bool whole = x_remaining == 0 && x_control.empty();
    if (!whole) x_control += piece;
    if (x_remaining > 0) return std::nullopt;
    x_phase = Phase::first;
    x_returned = !whole;
    const std::string_view payload = whole ? piece : std::string_view(x_control);
    if (x_opcode == Opcode::close) return close_event(payload);
    return WsEvent{.kind = x_opcode == Opcode::ping ? WsEvent::Kind::ping : WsEvent::Kind::pong,
                   .data = payload};
}

std::optional<WsEvent> WsParser::take_data(std::string_view piece, const WsLimits& limits) {
    const bool plain_text = x_message_opcode == Opcode::text && !x_compressed;
    if (plain_text && !x_utf8.feed(piece)) return fail(CloseCode::invalid_payload);
    const bool complete = x_remaining == 0 && x_final;
    const bool whole = complete && x_message.empty();
    if (!whole) x_message += piece;
    if (x_remaining == 0) x_phase = Phase::first;
    if (!complete) return std::nullopt;
    x_returned = !whole;
    return end_message(whole ? piece : std::string_view(x_message), limits);
}

std::optional<WsEvent> WsParser::end_message(std::string_view data, const WsLimits& limits) {
    const bool text = x_message_opcode == Opcode::text;
    x_message_opcode = Opcode::continuation;
    if (x_compressed) {
        const auto inflated =
            limits.inflater->inflate(data, limits.message_bytes, text ? &x_utf8 : nullptr);
        if (inflated.failure) return fail(*inflated.failure);
        data = inflated.message;
    }
    if (text && !x_utf8.complete()) return fail(CloseCode::invalid_payload);
    return WsEvent{.kind = text ? WsEvent::Kind::text : WsEvent::Kind::binary, .data = data};
}

WsEvent WsParser::close_event(std::string_view payload) {
    if (payload.empty()) {
        x_finished = true;
        return {.kind = WsEvent::Kind::close, .code = CloseCode::none_received};
    }
    if (payload.size() == 1) return fail(CloseCode::protocol_error);
    const auto code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 |
                                                 static_cast<std::uint8_t>(payload[1]));
    if (!is_wire_close_code(code)) return fail(CloseCode::protocol_error);
    payload.remove_prefix(2);
    if (!is_valid_utf8(payload)) return fail(CloseCode::invalid_payload);
    x_finished = true;
    return {.kind = WsEvent::Kind::close, .code = static_cast<CloseCode>(code), .data = payload};
}

WsEvent WsParser::fail(CloseCode code) {
    x_finished = true;
    return {.kind = WsEvent::Kind::failure, .code = code};
}

} // namespace parley::net
