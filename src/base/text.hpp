// UTF-8: validation and counting, without a library, since every inbound byte goes through it.
// Source: Unicode 15, table 3-7 (well-formed byte sequences); the decoder is a DFA over byte
// classes.
//
// Threading: pure functions and value types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley {

// Validates text that arrives in pieces and fails at the first byte that can't be right.
class Utf8Validator {
public:
    // False once the text is malformed; further calls stay false.
    bool feed(std::string_view bytes);
    // Whether the text may end here (not inside a code point).
    bool complete() const { return x_need == 0 && !x_bad; }
    void reset() { *this = Utf8Validator{}; }

private:
    std::uint8_t x_need = 0;                  // continuation bytes still to come
    std::uint8_t x_low = 0x80, x_high = 0xBF; // bounds of the next one
    bool x_bad = false;
};

bool is_valid_utf8(std::string_view text);
// Code points of well-formed text.
std::size_t count_code_points(std::string_view text);
// Without Unicode White_Space at both ends.
std::string_view trim(std::string_view text);
// A C0 or C1 control (U+0000 included), except tab and newline.
bool has_control(std::string_view text);
bool has_nul(std::string_view text);

} // namespace parley
