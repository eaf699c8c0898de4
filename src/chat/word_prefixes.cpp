#include "chat/word_prefixes.hpp"

#include <algorithm>
#include <bit>
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace parley::chat {

namespace {

// Of the first `length` symbols of eight.
std::uint64_t hash_of(std::uint64_t eight, std::size_t length) {
    return mix(eight << (64 - 8 * length));
}

} // namespace

void HashSet::make(std::size_t hashes) {
    // 16 bits for each: one in 60 of the others is taken for one of them. 64 MB are enough for all.
    const unsigned words = std::clamp<unsigned>(std::bit_width(hashes / 4), 1u, 23u);
    x_words.assign(std::size_t{1} << words, 0);
    x_shift = 64 - words;
}

void WordPrefixes::make(const std::vector<WordKey>& keys) {
    if (keys.empty()) return;
    std::array<std::size_t, kFar + 1> counts{};
    // Of the lengths from kNear on not all have a bitmap: each is one more to be asked.
    const auto step_of = [](std::size_t length) { return length == 7 ? 6 : length; };
    x_shortest = kFar;
    for (const WordKey& key : keys) {
        x_shortest = std::min(x_shortest, length_of(key));
        ++counts[step_of(length_of(key))];
    }
    make_near(keys);
    for (std::size_t length = kFar; length > 0; --length) {
        if (!counts[length]) continue;
        Far& far = x_far.emplace_back();
        far.length = length;
        far.hashes.make(counts[length]);
        for (const WordKey& key : keys)
            if (step_of(length_of(key)) == length)
                far.hashes.add(hash_of(load_eight(key.data()), length));
    }
}

std::size_t WordPrefixes::length_of(const WordKey& key) {
    std::size_t length = 0;
    while (length < kFar && key[length]) ++length;
    return length;
}

// Whatever may follow a word that is shorter than the bitmap's block: so many more blocks.
void WordPrefixes::make_near(const std::vector<WordKey>& keys) {
    const std::size_t near = std::clamp(x_shortest, kNear, kNearMax);
    const auto tails_of = [near](const WordKey& key) {
        std::size_t tails = 1;
        for (std::size_t i = 0; i < near; ++i) tails *= key[i] ? 1 : kClasses;
        return tails;
    };
    std::size_t all = 0;
    for (const WordKey& key : keys) all += tails_of(key);
    x_next_mask = near == kNear ? 0xFF : 0xFFFF;
    const unsigned words = std::clamp<unsigned>(std::bit_width(all / 2), 6u, 15u);
    x_near_shift = 32 - words;
    // Too many short ones: the bitmaps of their lengths must do.
    x_near.assign(std::size_t{1} << words, all > kTailsMax ? ~0u : 0u);
    if (all > kTailsMax) return;
    for (WordKey key : keys) {
        const std::size_t tails = tails_of(key);
        const std::size_t length = length_of(key);
        for (std::size_t tail = 0; tail < tails; ++tail) {
            for (std::size_t i = length, rest = tail; i < near; ++i, rest /= kClasses)
                key[i] = static_cast<std::uint8_t>(rest % kClasses);
            const std::uint32_t hash = near_hash(load_eight(key.data()));
            x_near[hash >> x_near_shift] |= 1u << (hash >> 12 & 31) | 1u << (hash >> 7 & 31);
        }
    }
}

#ifdef __x86_64__
[[gnu::target("avx2")]] std::uint64_t WordPrefixes::may_be_near_by_avx2(
    const std::uint8_t* classes) const {
    // Of 16 bytes in each half: the four from each of eight places on, and the two behind these.
    const __m256i four = _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, //
                                          4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10);
    const __m256i two = _mm256_add_epi8(four, _mm256_set1_epi8(4));
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(x_next_mask));
    const __m256i by_four = _mm256_set1_epi32(static_cast<int>(kFirstFour));
    const __m256i by_two = _mm256_set1_epi32(static_cast<int>(kNextTwo));
    const __m256i low = _mm256_set1_epi32(31);
    const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(x_near_shift));
    const int* const words = reinterpret_cast<const int*>(x_near.data());
    std::uint64_t found = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        const __m256i bytes = _mm256_broadcastsi128_si256(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(classes + i)));
        const __m256i next = _mm256_and_si256(_mm256_shuffle_epi8(bytes, two), mask);
        const __m256i hash = _mm256_add_epi32(
            _mm256_mullo_epi32(_mm256_shuffle_epi8(bytes, four), by_four),
            _mm256_mullo_epi32(next, by_two));
        const __m256i word = _mm256_i32gather_epi32(words, _mm256_srl_epi32(hash, shift), 4);
        const __m256i one = _mm256_and_si256(_mm256_srli_epi32(hash, 12), low);
        const __m256i other = _mm256_and_si256(_mm256_srli_epi32(hash, 7), low);
        const __m256i both =
            _mm256_and_si256(_mm256_srlv_epi32(word, one), _mm256_srlv_epi32(word, other));
        const int bits = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(both, 31)));
        found |= static_cast<std::uint64_t>(bits) << i;
    }
    return found;
}
#else
std::uint64_t WordPrefixes::may_be_near_by_avx2(const std::uint8_t* classes) const {
    std::uint64_t found = 0;
    for (unsigned i = 0; i < 64; ++i) found |= may_be_near(load_eight(classes + i)) << i;
    return found;
}
#endif

bool WordPrefixes::may_be(std::uint64_t eight) const {
    return std::any_of(x_far.begin(), x_far.end(), [eight](const Far& far) {
        return far.hashes.has(hash_of(eight, far.length)) != 0;
    });
}

std::size_t WordPrefixes::memory_bytes() const {
    std::size_t bytes = x_near.size() * sizeof(std::uint32_t);
    for (const Far& far : x_far) bytes += far.hashes.memory_bytes();
    return bytes;
}

} // namespace parley::chat
