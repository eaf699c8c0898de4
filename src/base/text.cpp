#include "base/text.hpp"

#include <cstring>

namespace parley {

namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080ull;

std::uint64_t load8(const char* p) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    return word;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// White_Space of the Unicode Character Database, as UTF-8.
std::size_t leading_space(std::string_view s) {
    if (s.empty()) return 0;
    const auto c = static_cast<unsigned char>(s[0]);
    if (c == ' ' || (c >= 0x09 && c <= 0x0D)) return 1;
    if (s.size() >= 2 && c == 0xC2) {
        const auto d = static_cast<unsigned char>(s[1]);
        return d == 0x85 || d == 0xA0 ? 2 : 0;
    }
    if (s.size() < 3) return 0;
    const std::string_view three = s.substr(0, 3);
    if (three == "\xE1\x9A\x80" || three == "\xE2\x80\xA8" || three == "\xE2\x80\xA9" ||
        three == "\xE2\x80\xAF" || three == "\xE2\x81\x9F" || three == "\xE3\x80\x80")
        return 3;
    const auto last = static_cast<unsigned char>(s[2]);
    return three.starts_with("\xE2\x80") && last >= 0x80 && last <= 0x8A ? 3 : 0;
}

} // namespace

bool Utf8Validator::feed(std::string_view bytes) {
    const char* p = bytes.data();
    const char* const end = p + bytes.size();
    while (p != end && !x_bad) {
        if (x_need == 0) {
            while (end - p >= 8 && (load8(p) & kHighBits) == 0) p += 8;
            if (p == end) break;
        }
        const auto c = static_cast<unsigned char>(*p++);
        if (x_need > 0) {
            if (c < x_low || c > x_high) x_bad = true;
            x_low = 0x80, x_high = 0xBF;
            --x_need;
        } else if (c < 0x80) {
            continue;
        } else if (c >= 0xC2 && c <= 0xDF) {
            x_need = 1;
        } else if (c >= 0xE0 && c <= 0xEF) {
            x_need = 2;
            if (c == 0xE0) x_low = 0xA0;
            if (c == 0xED) x_high = 0x9F;
        } else if (c >= 0xF0 && c <= 0xF4) {
            x_need = 3;
            if (c == 0xF0) x_low = 0x90;
            if (c == 0xF4) x_high = 0x8F;
        } else {
            x_bad = true;
        }
    }
    return !x_bad;
}

bool is_valid_utf8(std::string_view text) {
    Utf8Validator validator;
    return validator.feed(text) && validator.complete();
}

std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    const char* p = text.data();
    const char* const end = p + text.size();
    while (end - p >= 8 && (load8(p) & kHighBits) == 0) p += 8, count += 8;
    for (; p != end; ++p) count += !is_continuation(*p);
    return count;
}

std::string_view trim(std::string_view text) {
    while (const std::size_t n = leading_space(text)) text.remove_prefix(n);
    while (!text.empty()) {
        std::size_t start = text.size() - 1;
        while (start > 0 && text.size() - start < 4 && is_continuation(text[start])) --start;
        const std::string_view last = text.substr(start);
        if (leading_space(last) != last.size()) break;
        text.remove_suffix(last.size());
    }
    return text;
}

bool has_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) return true;
        if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
            return true;
    }
    return false;
}

bool has_nul(std::string_view text) { return text.find(char{0}) != std::string_view::npos; }

} // namespace parley
