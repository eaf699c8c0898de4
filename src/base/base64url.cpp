#include "base/base64url.hpp"

#include <array>
#include <cstdint>

namespace parley {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> kValues = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}();

} // namespace

void append_base64url(std::string& out, std::string_view bytes) {
    std::uint32_t held = 0;
    int bits = 0;
    for (const char c : bytes) {
        held = (held << 8 | static_cast<unsigned char>(c)) & 0xFFFF;
        for (bits += 8; bits >= 6; bits -= 6) out += kAlphabet[held >> (bits - 6) & 63];
    }
    if (bits > 0) out += kAlphabet[held << (6 - bits) & 63];
}

std::string to_base64url(std::string_view bytes) {
    std::string out;
    out.reserve(base64url_size(bytes.size()));
    append_base64url(out, bytes);
    return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t held = 0;
    int bits = 0;
    for (const char c : text) {
        const std::int8_t value = kValues[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        held = (held << 6 | static_cast<std::uint32_t>(value)) & 0x3FFF;
        if ((bits += 6) < 8) continue;
        bits -= 8;
        out += static_cast<char>(held >> bits & 0xFF);
    }
    if ((held & ((1u << bits) - 1)) != 0) return std::nullopt;
    return out;
}

} // namespace parley
