// Numbers in the bytes of a file. Each is 0 beyond the end: a parser checks sizes once, where it
// matters, and can never read outside. Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::protocol::media {

inline std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
    return at < bytes.size() ? static_cast<std::uint8_t>(bytes[at]) : 0;
}

// `count` bytes at most 8; most significant first.
inline std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | byte_at(bytes, at + i);
    return value;
}

// Least significant first.
inline std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | byte_at(bytes, at + i);
    return value;
}

inline std::uint16_t be16(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(big_endian(bytes, at, 2));
}
inline std::uint32_t be32(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint32_t>(big_endian(bytes, at, 4));
}
inline std::uint16_t le16(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(little_endian(bytes, at, 2));
}
inline std::uint32_t le32(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint32_t>(little_endian(bytes, at, 4));
}

inline void put_be32(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}
inline void put_le32(std::string& out, std::uint32_t value) {
    for (int shift = 0; shift <= 24; shift += 8) out += static_cast<char>(value >> shift);
}

// From `at` to the end, or nothing.
inline std::string_view from(std::string_view bytes, std::size_t at) {
    return at < bytes.size() ? bytes.substr(at) : std::string_view();
}
inline std::string_view part(std::string_view bytes, std::size_t at, std::size_t size) {
    return from(bytes, at).substr(0, size);
}

} // namespace parley::protocol::media
