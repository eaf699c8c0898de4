// TextFolding: what is left of a text when two ways of writing the same word are to be one.
//
// Source: Unicode NFKD and full case folding (UAX 15, UTS 18), by utf8proc; look-alikes after the
// idea of a "skeleton" (UTS 39). In this order, for each code point:
//   - Case is folded and compatibility forms (full width, circled, mathematical) are taken apart.
//   - White space of any kind is one space. Other controls, format characters, what is invisible by
//     default (zero-width, bidi controls, soft hyphen, variation selectors) and the Arabic tatweel
//     are skipped.
//   - Combining marks that decorate a letter are skipped: enclosing ones, and those whose
//     canonical combining class is 1 (overlays), 10..36 (Hebrew points, Arabic and Syriac vowels)
//     or 200 and above (accents). All other marks are letters of their script and stay: vowel signs
//     and viramas of India and South-East Asia, Thai tone marks, nukta, kana voicing.
//   - Hangul and kana are composed again, so that a syllable is one symbol.
//   - Look-alikes, as set, become the Latin letter that they look like:
//       cyrillic  авгԁеһіјкмнопрԛсѕтухԝ -> abrdehijkmhonpqcstyxw
//       greek     αβεζηικμνορτυχ -> abezhikmnoptux
//       leet      01345789@$!|+€ -> oieastbgasiite
//     They stand for a letter only where the list has that letter (word_matcher.hpp).
//
// Threading: immutable. Owner: who makes the ContentFilter. Memory: 256 KB.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::chat {

struct LookAlikes {
    bool cyrillic = true, greek = true, leet = true;
};

// Symbols of a text, each with the bytes of the code point (or of the first and last one, where
// several make one) that it comes from.
struct FoldedText {
    std::vector<char32_t> symbols;
    std::vector<std::uint32_t> begins, ends;
    // Only from fold_with_details(): before look-alikes, and the marks that were skipped, sorted.
    std::vector<char32_t> plain;
    std::vector<std::u32string> marks;
    void clear();
};

class TextFolding {
public:
    explicit TextFolding(LookAlikes look_alikes = {});
    TextFolding(const TextFolding&) = delete;
    TextFolding& operator=(const TextFolding&) = delete;

    // Any bytes: malformed ones are skipped.
    void fold(std::string_view text, FoldedText& out) const;
    void fold_with_details(std::string_view text, FoldedText& out) const;

    // Whether the text is ASCII with nothing to be skipped: then each byte is one symbol.
    static bool is_simple(std::string_view text);
    char fold_simple(char c) const { return x_ascii[static_cast<unsigned char>(c)]; }

    // A letter, a digit or a mark: what a word is made of. Letters of scripts that put no space
    // between words (Han, kana, Thai, Lao, Khmer, Burmese) are none: beside them a word may begin.
    static bool is_word_part(char32_t c);
    static bool is_letter(char32_t c);
    static bool is_number(char32_t c);
    // After case folding: a sign or a digit that leet takes for a letter.
    static bool is_leet(char32_t c);
    // A mark that decorates.
    static bool is_skipped_mark(char32_t c);

private:
    class Out;
    char32_t look_alike(char32_t plain) const;
    void take_apart(char32_t c, Out& out) const;
    void fill_table();

    const LookAlikes x_look_alikes;
    std::array<char, 128> x_ascii{};
    std::vector<std::uint32_t> x_table; // of U+0000..U+FFFF: the symbol, or kSkipped or kMany
};

// The first code point; malformed bytes are U+FFFD of size 1. `size` is 0 at the end.
char32_t decode_utf8(std::string_view text, std::size_t& size);

} // namespace parley::chat
