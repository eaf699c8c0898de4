// Words by their first symbols, as a question that costs one or a few words of memory: "may one of
// them begin so?" It may be yes by chance, never no for one that does. A symbol is a class of 1 to
// 31; 0 is no symbol of any word.
//
// Threading: immutable once made. Owner: the WordMatcher and its WordSieve. Shutdown: nothing.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace parley::chat {

constexpr std::size_t kKeySymbols = 16;
using WordKey = std::array<std::uint8_t, kKeySymbols>; // the first classes; 0 behind the end

inline std::uint64_t load_eight(const std::uint8_t* classes) {
    std::uint64_t eight;
    std::memcpy(&eight, classes, sizeof eight);
    return eight;
}
inline std::uint64_t mix(std::uint64_t value) {
    value *= 0x9E3779B97F4A7C15ull;
    value ^= value >> 32;
    return value * 0xD6E8FEB86659FD93ull;
}

// A set of hashes: two bits of one word each.
class HashSet {
public:
    void make(std::size_t hashes);
    void add(std::uint64_t hash) { x_words[hash >> x_shift] |= bits(hash); }
    std::uint64_t has(std::uint64_t hash) const {
        const std::uint64_t both = bits(hash);
        return (x_words.data()[hash >> x_shift] & both) == both;
    }
    std::size_t memory_bytes() const { return x_words.size() * sizeof(std::uint64_t); }

private:
    static std::uint64_t bits(std::uint64_t hash) {
        return std::uint64_t{1} << (hash & 63) | std::uint64_t{1} << (hash >> 6 & 63);
    }
    std::vector<std::uint64_t> x_words;
    unsigned x_shift = 63;
};

// Entries by their first symbols: a bitmap for all of them, then one for each of some lengths.
class WordPrefixes {
public:
    void make(const std::vector<WordKey>& keys);
    // Symbols of the shortest, at most kFar; 0: there is none.
    std::size_t shortest() const { return x_shortest; }
    // Of eight classes in the order of memory: 1 or 0, by the first of them.
    std::uint64_t may_be_near(std::uint64_t eight) const {
        const std::uint32_t hash = near_hash(eight), word = x_near.data()[hash >> x_near_shift];
        return word >> (hash >> 12 & 31) & word >> (hash >> 7 & 31) & 1;
    }
    // The same of 64 places at once, a bit for each. With AVX2, which the core must have.
    std::uint64_t may_be_near_by_avx2(const std::uint8_t* classes) const;
    // To be asked where that was 1.
    bool may_be(std::uint64_t eight) const;
    std::size_t memory_bytes() const;

private:
    struct Far {
        std::size_t length;
        HashSet hashes;
    };
    static std::size_t length_of(const WordKey& key);
    // 32 bits, since that is what cores can multiply several of at once.
    static constexpr std::uint32_t kFirstFour = 0x9E3779B1, kNextTwo = 0x85EBCA6B;
    std::uint32_t near_hash(std::uint64_t eight) const {
        return static_cast<std::uint32_t>(eight) * kFirstFour +
               (static_cast<std::uint32_t>(eight >> 32) & x_next_mask) * kNextTwo;
    }
    void make_near(const std::vector<WordKey>& keys);
    static constexpr std::size_t kNear = 5, kNearMax = 6, kFar = 8; // symbols that are compared
    static constexpr std::size_t kTailsMax = 512 * 1024; // of words shorter than kNear
    static constexpr std::size_t kClasses = 32;

    std::size_t x_shortest = 0;
    std::uint32_t x_next_mask = 0; // of the symbols behind the first four
    unsigned x_near_shift = 31;
    std::vector<std::uint32_t> x_near; // two bits of one word each
    std::vector<Far> x_far;
};

} // namespace parley::chat
