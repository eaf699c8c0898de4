#include "chat/word_sieve.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#ifdef __x86_64__
#include <immintrin.h>
#define PARLEY_AVX2 [[gnu::target("avx2,bmi,bmi2,popcnt")]]
#else
#define PARLEY_AVX2
#endif

namespace parley::chat {

namespace {

constexpr std::uint64_t kSalt = 0xD6E8FEB86659FD93ull;
// More places of 64 than this are asked about faster all than by a list of them.
constexpr int kMany = 24;
constexpr std::uint8_t kClass = 0x1F, kLeet = 0x20, kPart = 0x40;

bool is_plain(char32_t symbol) { // a letter or a digit of ASCII
    return symbol < 0x80 && TextFolding::is_word_part(symbol);
}

// A mask of 128 bits: places where as many bits as wanted follow each other.
class Runs {
public:
    Runs(std::uint64_t low, std::uint64_t high) : x_low(low), x_high(high) {}
    [[gnu::always_inline]] std::uint64_t of(std::size_t length) {
        std::size_t have = 1;
        for (; 2 * have <= length; have *= 2) narrow(have);
        if (have < length) narrow(length - have);
        return x_low;
    }

private:
    [[gnu::always_inline]] void narrow(std::size_t by) {
        x_low &= x_low >> by | x_high << (64 - by);
        x_high &= x_high >> by;
    }
    std::uint64_t x_low, x_high;
};

// 64 bits from bit `from` of the word on.
[[gnu::always_inline]] inline std::uint64_t bits_from(const std::uint64_t* words,
                                                      std::size_t from) {
    return words[0] >> from | (words[1] << 1) << (63 - from);
}

// Of a run of so many symbols; those behind kKeySymbols do not count.
[[gnu::always_inline]] inline std::uint64_t run_hash(const std::uint8_t* classes,
                                                     unsigned length) {
    const auto cut = [](std::uint64_t eight, unsigned symbols) {
        return symbols >= 8 ? eight : eight & ((std::uint64_t{1} << 8 * symbols) - 1);
    };
    const std::uint64_t first = cut(load_eight(classes), length);
    if (length <= 8) return mix(first);
    return mix(first + std::rotl(cut(load_eight(classes + 8), length - 8) * kSalt, 32));
}

} // namespace

#ifdef __x86_64__
const bool WordSieve::kFast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                              __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
#else
const bool WordSieve::kFast = false;
#endif

// --- the list

void WordSieve::make(const TextFolding& folding, const std::vector<Entry>& entries) {
    std::array<std::uint8_t, 128> class_of{}; // by symbol
    for (char letter = 'a'; letter <= 'z'; ++letter)
        class_of[static_cast<unsigned char>(letter)] = static_cast<std::uint8_t>(letter & 31);
    std::uint8_t next = 27;
    const auto is_ascii = [](const Entry& entry) {
        return std::all_of(entry.symbols.begin(), entry.symbols.end(),
                           [](char32_t symbol) { return symbol < 0x80; });
    };
    std::vector<WordKey> runs, open, begins, inside;
    for (const Entry& entry : entries) {
        if (!is_ascii(entry)) continue; // not in a text of ASCII
        WordKey key{};
        for (std::size_t i = 0; i < std::min(kRun, entry.symbols.size()); ++i) {
            std::uint8_t& known = class_of[entry.symbols[i]];
            if (!known) {
                known = next;
                next = std::min<std::uint8_t>(next + 1, kClass);
            }
            key[i] = known;
        }
        // Also what lies behind the key is a symbol of the list.
        for (const char32_t symbol : entry.symbols.substr(std::min(kRun, entry.symbols.size())))
            if (!class_of[symbol]) class_of[symbol] = 31;
        const auto end = std::find_if_not(entry.symbols.begin(), entry.symbols.end(), is_plain);
        const auto run = static_cast<std::size_t>(end - entry.symbols.begin());
        if (!entry.left || run == 0) {
            inside.push_back(key);
            continue;
        }
        begins.push_back(key);
        if (run == entry.symbols.size() && !entry.right) {
            open.push_back(key);
            continue;
        }
        std::fill(key.begin() + std::min(run, kRun), key.end(), std::uint8_t{0});
        runs.push_back(key);
    }
    for (int byte = 0; byte < 0x80; ++byte) {
        const auto symbol =
            static_cast<unsigned char>(folding.fold_simple(static_cast<char>(byte)));
        x_bytes[byte] = class_of[symbol];
        if (TextFolding::is_word_part(static_cast<char32_t>(byte)))
            x_bytes[byte] |= kPart;
        else if (is_plain(symbol) && class_of[symbol])
            x_bytes[byte] |= kLeet;
    }
    x_open.make(open);
    x_begins.make(begins);
    x_inside.make(inside);
    x_shortest_begin = x_begins.shortest();
    x_runs.make(runs.size());
    for (const WordKey& key : runs) x_runs.add(run_hash(key.data(), kRun));
}

std::size_t WordSieve::memory_bytes() const {
    return x_runs.memory_bytes() + x_open.memory_bytes() + x_begins.memory_bytes() +
           x_inside.memory_bytes();
}

// --- the text

void WordSieve::read(const char* text, std::size_t size, std::size_t words, Classes& classes,
                     Masks& masks) const {
    const std::uint8_t* const bytes = x_bytes.data();
    for (std::size_t word = 0; word < words; ++word) {
        std::uint64_t parts = 0, known = 0, leet = 0;
        const std::size_t here = std::min(size - std::min(size, 64 * word), std::size_t{64});
        std::uint8_t* const out = classes + 64 * word;
        for (std::size_t i = 0; i < here; ++i) {
            const std::uint64_t byte = bytes[static_cast<unsigned char>(text[64 * word + i])];
            out[i] = byte & kClass;
            parts |= byte / kPart << i;
            leet |= (byte / kLeet & 1) << i;
            known |= std::uint64_t{(byte & kClass) != 0} << i;
        }
        std::fill(out + here, out + 64, std::uint8_t{0});
        masks.parts[word] = parts;
        masks.known[word] = known;
        masks.leet[word] = leet;
    }
}

#ifdef __x86_64__
namespace {
PARLEY_AVX2 inline std::uint64_t bits(__m256i vector) { // the highest of each byte
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(vector));
}
} // namespace

// A table of 16 bytes is looked up by one instruction, so that of 128 by eight of them.
PARLEY_AVX2 void WordSieve::read_by_avx2(const char* text, std::size_t size, std::size_t words,
                                         Classes& classes, Masks& masks) const {
    __m256i rows[8];
    for (int row = 0; row < 8; ++row)
        rows[row] = _mm256_broadcastsi128_si256(
            _mm_load_si128(reinterpret_cast<const __m128i*>(x_bytes.data()) + row));
    const __m256i mask = _mm256_set1_epi8(kClass);
    char rest[64];
    for (std::size_t word = 0; word < words; ++word) {
        const char* from = text + 64 * word;
        if (64 * word + 64 > size) {
            std::memset(rest, 0, sizeof rest);
            if (64 * word < size) std::memcpy(rest, from, size - 64 * word);
            from = rest;
        }
        std::uint64_t parts = 0, unknown = 0, leet = 0;
        for (unsigned half = 0; half < 64; half += 32) {
            const __m256i bytes =
                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + half));
            __m256i found = _mm256_setzero_si256();
            for (int row = 0; row < 8; ++row) {
                // Of the other rows' bytes the highest bit is set: nothing is looked up for them.
                const __m256i low = _mm256_adds_epu8(
                    _mm256_xor_si256(bytes, _mm256_set1_epi8(static_cast<char>(16 * row))),
                    _mm256_set1_epi8(0x70));
                found = _mm256_or_si256(found, _mm256_shuffle_epi8(rows[row], low));
            }
            const __m256i class_of = _mm256_and_si256(found, mask);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(classes + 64 * word + half), class_of);
            parts |= bits(_mm256_slli_epi16(found, 1)) << half;
            leet |= bits(_mm256_slli_epi16(found, 2)) << half;
            unknown |= bits(_mm256_cmpeq_epi8(class_of, _mm256_setzero_si256())) << half;
        }
        masks.parts[word] = parts;
        masks.known[word] = ~unknown;
        masks.leet[word] = leet;
    }
}
#else
void WordSieve::read_by_avx2(const char* text, std::size_t size, std::size_t words,
                             Classes& classes, Masks& masks) const {
    read(text, size, words, classes, masks);
}
#endif

// Inlined into two functions, which differ in what instructions they may use.
struct WordSieve::Places {
    const WordSieve& sieve;
    const std::uint8_t* classes;
    const Masks& masks;
    const bool fast;
    bool any_leet = false;

    using Numbers = std::uint16_t[kBlock + 8];

    // Numbers of the bits that are set, behind those that are there. In most words few are, so
    // eight are always written: how many they are is no branch.
    [[gnu::always_inline]] static inline std::size_t list(std::uint64_t bits, std::size_t first,
                                                          Numbers& numbers, std::size_t count) {
        const auto more = static_cast<std::size_t>(std::popcount(bits));
        std::uint16_t* out = numbers + count;
        for (std::size_t written = 0; written < more || written == 0; written += 8)
            for (int i = 0; i < 8; ++i, bits &= bits - 1)
                *out++ = static_cast<std::uint16_t>(first + std::countr_zero(bits));
        return count + more;
    }

    [[gnu::always_inline]] inline bool is_leet(std::size_t place) const {
        return masks.leet[place / 64] >> place % 64 & 1;
    }

    // Of places where a word must begin.
    [[gnu::always_inline]] inline std::uint64_t may_begin(std::size_t place) const {
        const std::uint8_t* const at = classes + place;
        const std::uint64_t parts = bits_from(&masks.parts[place / 64], place % 64);
        const auto run = static_cast<unsigned>(std::countr_zero(~parts | 1 << kRun));
        if (any_leet && run < kRun && is_leet(place + run)) {
            const std::uint64_t eight = load_eight(at);
            return sieve.x_begins.may_be_near(eight) && sieve.x_begins.may_be(eight);
        }
        if (sieve.x_open.shortest()) {
            const std::uint64_t eight = load_eight(at);
            if (sieve.x_open.may_be_near(eight) && sieve.x_open.may_be(eight)) return 1;
        }
        return sieve.x_runs.has(run_hash(at, run));
    }

    // The asked places are made fewer in turn; only the last question is rarely asked.
    [[gnu::always_inline]] inline void find_begins(Numbers& asked, std::size_t count,
                                                   Found& found) const {
        std::size_t left = 0;
        for (std::size_t a = 0; a < count; ++a) {
            const std::uint16_t place = asked[a];
            asked[left] = place;
            left += may_begin(place);
        }
        for (std::size_t a = 0; a < left; ++a)
            found[asked[a] / 64] |= std::uint64_t{1} << asked[a] % 64;
    }

    [[gnu::always_inline]] inline std::uint64_t may_be_inside(std::size_t place) const {
        return sieve.x_inside.may_be_near(load_eight(classes + place));
    }
    [[gnu::always_inline]] inline std::uint64_t may_be_inside_64(std::size_t place) const {
        if (fast) return sieve.x_inside.may_be_near_by_avx2(classes + place);
        std::uint64_t found = 0;
        for (std::size_t i = 0; i < 64; ++i) found |= may_be_inside(place + i) << i;
        return found;
    }

    void look_closer(const Numbers& places, std::size_t count, Found& found) const {
        for (std::size_t a = 0; a < count; ++a)
            if (sieve.x_inside.may_be(load_eight(classes + places[a])))
                found[places[a] / 64] |= std::uint64_t{1} << places[a] % 64;
    }

    [[gnu::always_inline]] inline void find_inside(std::size_t words, Found& found) const {
        Numbers asked, likely_ones;
        std::size_t count = 0, left = 0, dense = 0;
        for (std::size_t word = 0; word < words; ++word) {
            Runs known(masks.known[word], masks.known[word + 1]);
            const std::uint64_t places = known.of(sieve.x_inside.shortest());
            if (std::popcount(places) < kMany) {
                count = list(places, 64 * word, asked, count);
                continue;
            }
            const std::uint64_t likely = may_be_inside_64(64 * word) & places;
            dense = list(likely, 64 * word, likely_ones, dense);
        }
        for (std::size_t a = 0; a < count; ++a) {
            const std::uint16_t place = asked[a];
            asked[left] = place;
            left += may_be_inside(place);
        }
        look_closer(asked, left, found);
        look_closer(likely_ones, dense, found);
    }

    [[gnu::always_inline]] inline void find(std::uint64_t before, std::size_t words,
                                            Found& found) {
        std::fill_n(found.begin(), words, 0);
        if (sieve.x_shortest_begin) {
            std::size_t count = 0;
            Numbers asked;
            for (std::size_t word = 0; word < words; ++word) {
                const std::uint64_t parts = masks.parts[word], leet = masks.leet[word];
                Runs known(masks.known[word], masks.known[word + 1]);
                const std::uint64_t begins = (parts | leet) & ~(parts << 1 | before);
                count = list(begins & known.of(sieve.x_shortest_begin), 64 * word, asked, count);
                before = parts >> 63;
                any_leet = any_leet || leet;
            }
            any_leet = any_leet || masks.leet[words];
            find_begins(asked, count, found);
        }
        if (sieve.x_inside.shortest()) find_inside(words, found);
    }
};

void WordSieve::find_places(bool inside_word, std::size_t words, const Classes& classes,
                            const Masks& masks, Found& found) const {
    Places{*this, classes, masks, false}.find(inside_word, words, found);
}

PARLEY_AVX2 void WordSieve::find_places_by_bmi(bool inside_word, std::size_t words,
                                               const Classes& classes, const Masks& masks,
                                               Found& found) const {
    Places{*this, classes, masks, true}.find(inside_word, words, found);
}

std::size_t WordSieve::find(std::string_view text, std::size_t at, Found& found, bool fast) const {
    Classes classes;
    Masks masks;
    const std::size_t size = text.size() - at, words = (std::min(kBlock, size) + 63) / 64;
    const bool inside_word =
        at > 0 && TextFolding::is_word_part(static_cast<unsigned char>(text[at - 1]));
    if (fast) {
        read_by_avx2(text.data() + at, size, words + 1, classes, masks);
        find_places_by_bmi(inside_word, words, classes, masks, found);
    } else {
        read(text.data() + at, size, words + 1, classes, masks);
        find_places(inside_word, words, classes, masks, found);
    }
    return words;
}

} // namespace parley::chat
