// What the load generator and the limit server share: the clock, WebSocket framing (RFC 6455,
// written a second time here, so that a mistake in the server's own codec cannot hide itself), and
// a few helpers for the JSON that the server sends.
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace parley::bench {

inline std::uint64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(t.tv_nsec);
}

enum class Opcode : std::uint8_t { continuation = 0, text = 1, close = 8, ping = 9, pong = 10 };

struct FrameHead {
    Opcode opcode = Opcode::text;
    bool masked = false;
    std::uint8_t mask[4] = {0, 0, 0, 0};
    std::uint64_t payload_bytes = 0;
    std::size_t head_bytes = 0;
};

// False: the header is not complete yet.
inline bool read_frame_head(std::string_view bytes, FrameHead& head) {
    if (bytes.size() < 2) return false;
    const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
    head.opcode = static_cast<Opcode>(at[0] & 0x0f);
    head.masked = (at[1] & 0x80) != 0;
    const std::uint8_t code = at[1] & 0x7f;
    const std::size_t length_bytes = code == 127 ? 8 : code == 126 ? 2 : 0;
    head.head_bytes = 2 + length_bytes + (head.masked ? 4 : 0);
    if (bytes.size() < head.head_bytes) return false;
    head.payload_bytes = length_bytes == 0 ? code : 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        head.payload_bytes = head.payload_bytes << 8 | at[2 + i];
    if (head.masked) std::memcpy(head.mask, at + 2 + length_bytes, 4);
    return true;
}

inline std::size_t write_frame_head(char* out, Opcode opcode, std::size_t payload_bytes,
                                    bool masked) {
    const int mask_bit = masked ? 0x80 : 0;
    out[0] = static_cast<char>(0x80 | static_cast<int>(opcode));
    if (payload_bytes < 126) {
        out[1] = static_cast<char>(mask_bit | static_cast<int>(payload_bytes));
        return 2;
    }
    const std::size_t length_bytes = payload_bytes < 65'536 ? 2 : 8;
    out[1] = static_cast<char>(mask_bit | (length_bytes == 2 ? 126 : 127));
    for (std::size_t i = 0; i < length_bytes; ++i)
        out[2 + i] = static_cast<char>(payload_bytes >> (8 * (length_bytes - 1 - i)));
    return 2 + length_bytes;
}

// Eight bytes at a time; `from` and `to` may be the same.
inline void apply_mask(const char* from, char* to, std::size_t bytes, const std::uint8_t mask[4]) {
    std::uint64_t wide = 0;
    std::memcpy(&wide, mask, 4);
    wide |= wide << 32;
    std::size_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        std::uint64_t chunk = 0;
        std::memcpy(&chunk, from + i, 8);
        chunk ^= wide;
        std::memcpy(to + i, &chunk, 8);
    }
    for (; i < bytes; ++i) to[i] = static_cast<char>(from[i] ^ static_cast<char>(mask[i & 3]));
}

// One masked frame, as a client must send it. The key of a measuring tool needs no secrecy.
inline void append_client_frame(std::string& out, Opcode opcode, std::string_view payload,
                                std::uint32_t key) {
    char head[14];
    std::size_t head_bytes = write_frame_head(head, opcode, payload.size(), true);
    std::uint8_t mask[4];
    std::memcpy(mask, &key, 4);
    std::memcpy(head + head_bytes, mask, 4);
    head_bytes += 4;
    const std::size_t start = out.size();
    out.resize(start + head_bytes + payload.size());
    std::memcpy(out.data() + start, head, head_bytes);
    apply_mask(payload.data(), out.data() + start + head_bytes, payload.size(), mask);
}

// The value of the first `"key":"..."` at or after `from`, and where it ends; "" when there is
// none. Good for ids and for our own contents, which hold nothing that JSON escapes.
inline std::string_view string_field(std::string_view json, std::string_view quoted_key,
                                     std::size_t& from) {
    const std::size_t key = json.find(quoted_key, from);
    if (key == std::string_view::npos) return {};
    const std::size_t start = key + quoted_key.size();
    if (start + 1 >= json.size() || json[start] != ':' || json[start + 1] != '"') return {};
    const std::size_t end = json.find('"', start + 2);
    if (end == std::string_view::npos) return {};
    from = end;
    return json.substr(start + 2, end - start - 2);
}

inline std::string_view string_field(std::string_view json, std::string_view quoted_key) {
    std::size_t from = 0;
    return string_field(json, quoted_key, from);
}

inline std::uint64_t to_number(std::string_view digits) {
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return 0;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

} // namespace parley::bench
