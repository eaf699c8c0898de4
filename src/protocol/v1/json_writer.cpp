#include "protocol/v1/json_writer.hpp"

#include <bit>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace parley::protocol::v1 {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ull;

bool must_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

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

#ifdef __SSE2__
constexpr std::size_t kStep = 16;

// Copies kStep bytes; how many of them come before the first one to escape.
std::size_t copy_step(const char* text, char* out) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(controls, quotes), backslashes));
    return static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(found) | 0x1'0000u));
}
#else
constexpr std::size_t kStep = 8;

// The same. A byte that is less than what is taken from it borrows and gets its high bit set;
// borrows go upwards only, so that the lowest bit is right.
std::size_t copy_step(const char* text, char* out) {
    static_assert(std::endian::native == std::endian::little, "the lowest byte is the first one");
    std::uint64_t word = 0;
    std::memcpy(&word, text, 8);
    std::memcpy(out, &word, 8);
    const std::uint64_t quote = word ^ kOnes * '"', backslash = word ^ kOnes * '\\';
    const std::uint64_t found =
        ((word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes)) & ~word & kOnes * 0x80;
    return static_cast<std::size_t>(std::countr_zero(found)) / 8;
}
#endif

// Copies up to the first byte to escape, or all, and says how many. Whole steps are copied before
// they are judged: what is wrong at the end of `out` is written over.
std::size_t copy_plain(const char* text, std::size_t size, char* out) {
    std::size_t at = 0;
    if (size < kStep) {
        for (; at < size && !must_escape(text[at]); ++at) out[at] = text[at];
        return at;
    }
    while (true) {
        const std::size_t plain = copy_step(text + at, out + at);
        at += plain;
        if (plain < kStep || at == size) return at;
        if (at + kStep > size) at = size - kStep; // the last step overlaps the one before
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

Digits::Digits(std::uint64_t value) {
    constexpr std::uint64_t kEight = 100'000'000;
    constexpr std::uint64_t kZeros = kOnes * '0';
    std::uint64_t above = value / kEight;
    auto lead = static_cast<std::uint32_t>(value % kEight);
    x_words[1] = x_words[2] = kZeros;
    std::uint32_t words_behind = 0;
    if (above >= kEight) {
        x_words[1] = eight_digits(static_cast<std::uint32_t>(above % kEight)) | kZeros;
        x_words[2] = eight_digits(lead) | kZeros;
        lead = static_cast<std::uint32_t>(above / kEight);
        words_behind = 2;
    } else if (above > 0) {
        x_words[1] = eight_digits(lead) | kZeros;
        lead = static_cast<std::uint32_t>(above);
        words_behind = 1;
    }
    const std::uint64_t digits = eight_digits(lead);
    const auto zeros = lead ? static_cast<std::uint32_t>(std::countr_zero(digits)) / 8 : 7u;
    x_words[0] = (digits | kZeros) >> (8 * zeros);
    x_lead = 8 - zeros;
    x_size = x_lead + 8 * words_behind;
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
