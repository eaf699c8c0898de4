#include "chat/text_folding.hpp"

#include <algorithm>
#include <cstring>
#include <utf8proc.h>

namespace parley::chat {

namespace {

constexpr std::uint32_t kSkipped = 0xFFFFFFFF, kMany = 0xFFFFFFFE;

struct Pair {
    char32_t from, to;
};
// Of folded letters, so lower case; a capital has its small letter's look.
constexpr Pair kCyrillic[] = {
    {U'а', 'a'}, {U'ԁ', 'd'}, {U'е', 'e'}, {U'һ', 'h'}, {U'і', 'i'}, {U'ј', 'j'}, {U'к', 'k'},
    {U'м', 'm'}, {U'н', 'h'}, {U'о', 'o'}, {U'р', 'p'}, {U'ԛ', 'q'}, {U'г', 'r'}, {U'ѕ', 's'},
    {U'т', 't'}, {U'у', 'y'}, {U'х', 'x'}, {U'в', 'b'}, {U'п', 'n'}, {U'ԝ', 'w'}, {U'с', 'c'}};
constexpr Pair kGreek[] = {{U'α', 'a'}, {U'β', 'b'}, {U'ε', 'e'}, {U'ζ', 'z'}, {U'η', 'h'},
                           {U'ι', 'i'}, {U'κ', 'k'}, {U'μ', 'm'}, {U'ν', 'n'}, {U'ο', 'o'},
                           {U'ρ', 'p'}, {U'τ', 't'}, {U'υ', 'u'}, {U'χ', 'x'}};
constexpr Pair kLeet[] = {{'0', 'o'}, {'1', 'i'}, {'3', 'e'}, {'4', 'a'}, {'5', 's'},
                          {'7', 't'}, {'8', 'b'}, {'9', 'g'}, {'@', 'a'}, {'$', 's'},
                          {'!', 'i'}, {'|', 'i'}, {'+', 't'}, {U'€', 'e'}};

template <std::size_t N>
char32_t look_up(const Pair (&pairs)[N], char32_t c) {
    for (const Pair& pair : pairs)
        if (pair.from == c) return pair.to;
    return c;
}

const utf8proc_property_t& property(char32_t c) {
    return *utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
}

bool is_space(char32_t c) {
    if ((c >= 0x09 && c <= 0x0D) || c == 0x85) return true;
    const auto category = property(c).category;
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

bool is_invisible(char32_t c) {
    const utf8proc_property_t& p = property(c);
    return p.ignorable || p.category == UTF8PROC_CATEGORY_CC ||
           p.category == UTF8PROC_CATEGORY_CF || p.category == UTF8PROC_CATEGORY_CS || c == 0x0640;
}

// Joins the symbol before it where Unicode has one for both: a vowel or a final consonant of
// Hangul, the voicing of kana.
bool is_joiner(char32_t c) {
    if (c >= 0x1161 && c <= 0x1175) return true;
    if (c >= 0x11A8 && c <= 0x11C2) return true;
    const auto combining = c < 0x300 ? 0 : property(c).combining_class;
    return combining == 7 || combining == 8;
}

char32_t join(char32_t first, char32_t second) {
    utf8proc_int32_t both[] = {static_cast<utf8proc_int32_t>(first),
                               static_cast<utf8proc_int32_t>(second)};
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    return utf8proc_normalize_utf32(both, 2, options) == 1 ? static_cast<char32_t>(both[0]) : 0;
}

bool is_in(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }

bool has_no_spaces(char32_t c) {
    return is_in(c, 0x0E00, 0x0EFF) || is_in(c, 0x1000, 0x109F) || is_in(c, 0x1780, 0x17FF) ||
           is_in(c, 0x3040, 0x30FF) || is_in(c, 0x31F0, 0x31FF) || is_in(c, 0x3400, 0x4DBF) ||
           is_in(c, 0x4E00, 0x9FFF) || is_in(c, 0xF900, 0xFAFF) || is_in(c, 0xFF66, 0xFF9F) ||
           is_in(c, 0x20000, 0x3FFFF);
}

// Its own symbol, whatever stands beside it. Most of the plane, so the table is made quickly.
bool is_itself(char32_t c) {
    return is_in(c, 0x3400, 0x4DBF) || is_in(c, 0x4E00, 0xA48F) || is_in(c, 0xAC00, 0xD7A3) ||
           is_in(c, 0xE000, 0xF8FF);
}

} // namespace

char32_t decode_utf8(std::string_view text, std::size_t& size) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t n =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                         static_cast<utf8proc_ssize_t>(text.size()), &c);
    size = n > 0 ? static_cast<std::size_t>(n) : std::min<std::size_t>(text.size(), 1);
    return n > 0 ? static_cast<char32_t>(c) : U'�';
}

void FoldedText::clear() {
    symbols.clear();
    begins.clear();
    ends.clear();
    plain.clear();
    marks.clear();
}

// Where symbols go: the one place that composes and keeps the arrays alike.
class TextFolding::Out {
public:
    Out(const TextFolding& folding, FoldedText& text, bool details)
        : x_folding(folding), x_text(text), x_details(details) {}
    void at(std::uint32_t begin, std::uint32_t end) { x_begin = begin, x_end = end; }
    void add(char32_t plain) {
        auto& t = x_text;
        if (!t.symbols.empty() && is_joiner(plain)) {
            if (const char32_t whole = join(t.symbols.back(), plain)) {
                t.symbols.back() = whole;
                t.ends.back() = x_end;
                if (x_details) t.plain.back() = whole;
                return;
            }
        }
        add_symbol(x_folding.look_alike(plain));
        if (!x_details) return;
        t.plain.push_back(plain);
        t.marks.emplace_back();
    }
    void add_symbol(char32_t symbol) {
        x_text.symbols.push_back(symbol);
        x_text.begins.push_back(x_begin);
        x_text.ends.push_back(x_end);
    }
    void add_mark(char32_t mark) {
        if (!x_details || x_text.marks.empty()) return;
        std::u32string& marks = x_text.marks.back();
        if (marks.size() >= kMarksMax) return;
        marks.insert(std::lower_bound(marks.begin(), marks.end(), mark), mark);
    }

private:
    // No writing has as many on one letter; what comes after them is not compared.
    static constexpr std::size_t kMarksMax = 8;
    const TextFolding& x_folding;
    FoldedText& x_text;
    const bool x_details;
    std::uint32_t x_begin = 0, x_end = 0;
};

TextFolding::TextFolding(LookAlikes look_alikes) : x_look_alikes(look_alikes) {
    fill_table();
    for (std::size_t c = 0; c < x_ascii.size(); ++c)
        x_ascii[c] = x_table[c] == kSkipped ? '\0' : static_cast<char>(x_table[c]);
}

void TextFolding::fill_table() {
    x_table.resize(0x10000);
    FoldedText one;
    for (char32_t c = 0; c < 0x10000; ++c) {
        if (is_itself(c)) {
            x_table[c] = c;
            continue;
        }
        one.clear();
        Out out(*this, one, false);
        take_apart(c, out);
        const auto& symbols = one.symbols;
        const bool alone = symbols.size() == 1 && !is_joiner(symbols[0]);
        x_table[c] = symbols.empty() ? kSkipped : alone ? symbols[0] : kMany;
    }
}

bool TextFolding::is_skipped_mark(char32_t c) {
    if (c < 0x300) return false;
    const utf8proc_property_t& p = property(c);
    const auto k = p.combining_class;
    return p.category == UTF8PROC_CATEGORY_ME || k == 1 || (k >= 10 && k <= 36) || k >= 200;
}

bool TextFolding::is_letter(char32_t c) {
    if (c < 0x80) return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    const auto category = property(c).category;
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool TextFolding::is_number(char32_t c) {
    const auto category = property(c).category;
    return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool TextFolding::is_leet(char32_t c) { return look_up(kLeet, c) != c; }

bool TextFolding::is_word_part(char32_t c) {
    if (c < 0x80) return is_letter(c) || (c >= '0' && c <= '9');
    const auto category = property(c).category;
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO &&
           !has_no_spaces(c);
}

char32_t TextFolding::look_alike(char32_t plain) const {
    if (plain < 0x80) return x_look_alikes.leet ? look_up(kLeet, plain) : plain;
    if (is_in(plain, 0x370, 0x3FF)) return x_look_alikes.greek ? look_up(kGreek, plain) : plain;
    if (is_in(plain, 0x400, 0x52F))
        return x_look_alikes.cyrillic ? look_up(kCyrillic, plain) : plain;
    return x_look_alikes.leet ? look_up(kLeet, plain) : plain;
}

void TextFolding::take_apart(char32_t c, Out& out) const {
    if (is_space(c)) return out.add(' ');
    if (is_itself(c)) return out.add(c);
    utf8proc_int32_t pieces[32];
    int last_class = UTF8PROC_BOUNDCLASS_START;
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                                        UTF8PROC_CASEFOLD | UTF8PROC_STABLE);
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), pieces, 32, options, &last_class);
    for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(count, 32); ++i) {
        const auto piece = static_cast<char32_t>(pieces[i]);
        if (is_space(piece))
            out.add(' ');
        else if (is_skipped_mark(piece))
            out.add_mark(piece);
        else if (!is_invisible(piece))
            out.add(piece);
    }
}

void TextFolding::fold(std::string_view text, FoldedText& out) const {
    out.clear();
    out.symbols.reserve(text.size());
    out.begins.reserve(text.size());
    out.ends.reserve(text.size());
    Out symbols(*this, out, false);
    for (std::size_t i = 0; i < text.size();) {
        std::size_t size = 1;
        const auto byte = static_cast<unsigned char>(text[i]);
        const char32_t c = byte < 0x80 ? byte : decode_utf8(text.substr(i), size);
        symbols.at(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i + size));
        i += size;
        const std::uint32_t known = c < 0x10000 ? x_table[c] : kMany;
        if (known == kMany)
            take_apart(c, symbols);
        else if (known != kSkipped)
            symbols.add_symbol(known);
    }
}

void TextFolding::fold_with_details(std::string_view text, FoldedText& out) const {
    out.clear();
    Out symbols(*this, out, true);
    for (std::size_t i = 0; i < text.size();) {
        std::size_t size = 1;
        const char32_t c = decode_utf8(text.substr(i), size);
        symbols.at(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i + size));
        i += size;
        take_apart(c, symbols);
    }
}

bool TextFolding::is_simple(std::string_view text) {
    const auto odd = [](char c) {
        const auto from_tab = static_cast<unsigned char>(c - 0x09);
        const auto from_space = static_cast<unsigned char>(c - 0x20);
        return static_cast<unsigned char>((from_space > 0x5E) & (from_tab > 4));
    };
    // Without a branch on what the bytes are, so that the compiler takes many at a time.
    const char* p = text.data();
    const char* const end = p + text.size();
    for (; end - p >= 64; p += 64) {
        unsigned char any = 0;
        for (int i = 0; i < 64; ++i) any |= odd(p[i]);
        if (any) return false;
    }
    return std::none_of(p, end, [odd](char c) { return odd(c) != 0; });
}

} // namespace parley::chat
