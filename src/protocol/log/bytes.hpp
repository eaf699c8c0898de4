// Bytes of the log's records: fixed little-endian numbers, and strings behind their length.
//
//   u8, u32, u64   little-endian
//   i64            as u64, two's complement
//   bytes          u32 length, then as many bytes
//   opt(T)         u8 0 | u8 1, T
//
// Reader: every read is checked; after the first that fails all give zero values and ok() is
// false, so that a decoder asks once, at its end. Threading: none.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace parley::protocol::log {

class Writer {
public:
    void u8(std::uint8_t value) { x_out.push_back(static_cast<char>(value)); }
    void u32(std::uint32_t value) { number(value); }
    void u64(std::uint64_t value) { number(value); }
    void i64(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
    void bytes(std::string_view value) {
        u32(static_cast<std::uint32_t>(value.size()));
        x_out.append(value);
    }
    template <class Id>
    void id(Id value) {
        i64(value.value);
    }
    std::string take() { return std::move(x_out); }

private:
    template <class Number>
    void number(Number value) {
        char raw[sizeof value];
        for (char& byte : raw) {
            byte = static_cast<char>(value & 0xff);
            value >>= 8;
        }
        x_out.append(raw, sizeof raw);
    }
    std::string x_out;
};

class Reader {
public:
    explicit Reader(std::string_view in) : x_in(in) {}
    std::uint8_t u8() { return static_cast<std::uint8_t>(number<std::uint8_t>()); }
    std::uint32_t u32() { return number<std::uint32_t>(); }
    std::uint64_t u64() { return number<std::uint64_t>(); }
    std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
    std::string_view view() {
        const std::uint32_t size = u32();
        if (size > x_in.size()) return fail();
        const std::string_view value = x_in.substr(0, size);
        x_in.remove_prefix(size);
        return value;
    }
    std::string bytes() { return std::string(view()); }
    // Ids are never negative.
    template <class Id>
    Id id() {
        const std::int64_t value = i64();
        if (value < 0) fail();
        return Id{x_ok ? value : 0};
    }
    // An enumeration whose values are low..high.
    template <class Enum>
    Enum enumerator(Enum low, Enum high) {
        const std::uint8_t value = u8();
        if (value < static_cast<std::uint8_t>(low) || value > static_cast<std::uint8_t>(high)) {
            fail();
            return low;
        }
        return static_cast<Enum>(value);
    }
    bool flag() {
        const std::uint8_t value = u8();
        if (value > 1) fail();
        return value == 1;
    }
    // How many elements follow, each of at least `least` bytes.
    std::size_t count(std::size_t least) {
        const std::uint32_t value = u32();
        if (value > x_in.size() / least) fail();
        return x_ok ? value : 0;
    }
    std::string_view fail() {
        x_ok = false;
        x_in = {};
        return {};
    }
    bool ok() const { return x_ok; }
    bool at_end() const { return x_in.empty(); }

private:
    template <class Number>
    Number number() {
        if (x_in.size() < sizeof(Number)) {
            fail();
            return 0;
        }
        Number value = 0;
        for (std::size_t i = sizeof(Number); i-- > 0;)
            value = static_cast<Number>((static_cast<std::uint64_t>(value) << 8) |
                                        static_cast<unsigned char>(x_in[i]));
        x_in.remove_prefix(sizeof(Number));
        return value;
    }
    std::string_view x_in;
    bool x_ok = true;
};

} // namespace parley::protocol::log
