#include "protocol/v1/json_writer.hpp"

#include <bit>

namespace parley::protocol::v1 {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ull;
constexpr std::uint64_t kHighs = 0x8080808080808080ull;

// The high bit of the lowest byte of eight that must be escaped (below 0x20, quote or backslash)
// and perhaps of some above it; 0 if there is none. A byte that is less than what is taken from it
// borrows and gets its high bit set; borrows go upwards only, so the lowest bit is right.
std::uint64_t escapes_in(std::uint64_t word) {
    const std::uint64_t quote = word ^ kOnes * '"', backslash = word ^ kOnes * '\\';
    return ((word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes)) & ~word & kHighs;
}
static_assert(std::endian::native == std::endian::little, "the lowest byte is the first one");

bool must_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

std::uint64_t load8(const char* p) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    return word;
}

// The eight decimal digits of a value below 10^8, one in each byte, the first in the lowest: halves
// of four digits, then of two, then of one, each step for all parts at once. The reciprocals are
// right for the ranges they meet: v * 10486 >> 20 is v / 100 below 10^4, v * 103 >> 10 is v / 10
// below 100.
std::uint64_t eight_digits(std::uint32_t value) {
    const std::uint64_t fours = value / 10'000 | std::uint64_t{value % 10'000} << 32;
    const std::uint64_t hundreds = fours * 10'486 >> 20 & 0x0000'007F'0000'007Full;
    const std::uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    const std::uint64_t tens = twos * 103 >> 10 & 0x000F'000F'000F'000Full;
    return tens | (twos - tens * 10) << 8;
}

char* put_eight_digits(char* out, std::uint32_t value) {
    const std::uint64_t digits = eight_digits(value) | kOnes * '0';
    std::memcpy(out, &digits, 8);
    return out + 8;
}

// Without leading zeros; below 10^8. Writes eight bytes whatever the length.
char* put_leading_digits(char* out, std::uint32_t value) {
    const std::uint64_t digits = eight_digits(value);
    const int zeros = value ? std::countr_zero(digits) / 8 : 7;
    const std::uint64_t text = (digits | kOnes * '0') >> (8 * zeros);
    std::memcpy(out, &text, 8);
    return out + (8 - zeros);
}

// Copies up to the first byte to escape, or all, and says how many. Whole words are copied before
// they are judged: what is wrong at the end of `out` is written over.
std::size_t copy_plain(const char* text, std::size_t size, char* out) {
    std::size_t at = 0;
    if (size < 8) {
        for (; at < size && !must_escape(text[at]); ++at) out[at] = text[at];
        return at;
    }
    while (true) {
        const std::uint64_t word = load8(text + at);
        const std::uint64_t found = escapes_in(word);
        std::memcpy(out + at, &word, 8);
        if (found) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
        at += 8;
        if (at == size) return at;
        if (at + 8 > size) at = size - 8; // the last word overlaps the one before
    }
}

char* put_escape(char* out, char c) {
    constexpr char kHex[] = "0123456789abcdef";
    *out++ = '\\';
    switch (c) {
    case '"':
    case '\\':
        *out++ = c;
        return out;
    case '\b':
        *out++ = 'b';
        return out;
    case '\f':
        *out++ = 'f';
        return out;
    case '\n':
        *out++ = 'n';
        return out;
    case '\r':
        *out++ = 'r';
        return out;
    case '\t':
        *out++ = 't';
        return out;
    default:
        std::memcpy(out, "u00", 3);
        out[3] = kHex[c >> 4 & 15], out[4] = kHex[c & 15];
        return out + 5;
    }
}

} // namespace

JsonWriter& JsonWriter::number(std::uint64_t value) {
    constexpr std::uint64_t kEight = 100'000'000;
    if (value < kEight) {
        x_end = put_leading_digits(x_end, static_cast<std::uint32_t>(value));
        return *this;
    }
    const std::uint64_t above = value / kEight;
    const auto low = static_cast<std::uint32_t>(value % kEight);
    if (above < kEight) {
        x_end = put_leading_digits(x_end, static_cast<std::uint32_t>(above));
    } else {
        x_end = put_leading_digits(x_end, static_cast<std::uint32_t>(above / kEight));
        x_end = put_eight_digits(x_end, static_cast<std::uint32_t>(above % kEight));
    }
    x_end = put_eight_digits(x_end, low);
    return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
    ensure(value.size() + 2 + kFixedBytes);
    *x_end++ = '"';
    const std::size_t plain = copy_plain(value.data(), value.size(), x_end);
    x_end += plain;
    if (plain != value.size()) escaped_text(value.data() + plain, value.data() + value.size());
    *x_end++ = '"';
    return *this;
}

// For texts with something to escape, from the first of it on; each byte may become six.
void JsonWriter::escaped_text(const char* p, const char* const end) {
    ensure(static_cast<std::size_t>(end - p) * 6 + 1 + kFixedBytes);
    while (true) {
        const std::size_t plain = copy_plain(p, static_cast<std::size_t>(end - p), x_end);
        p += plain, x_end += plain;
        if (p == end) return;
        x_end = put_escape(x_end, *p++);
    }
}

void JsonWriter::grow(std::size_t bytes) {
    const auto used = static_cast<std::size_t>(x_end - x_out.data());
    x_out.resize(used + bytes);
    x_end = x_out.data() + used;
    x_last = x_end + bytes;
}

} // namespace parley::protocol::v1
