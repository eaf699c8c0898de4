// How fast the content filter reads, for lists of 10 to 100,000 words. The words are made of the
// letter pairs of English, 5 to 12 letters long, half of them anywhere ("mixed": one in ten, the
// others of their own); the texts hold none:
//   prose    the documents of this project, ASCII of them
//   letters  random lower-case letters
//   cyrillic prose in Cyrillic, two bytes a letter
//   begins   nothing but the first halves of the words of the list: the worst case
#include "chat/word_matcher.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace parley::chat;

class Speaker {
public:
    explicit Speaker(std::uint32_t seed) : x_random(seed) {}
    std::string word(std::size_t shortest, std::size_t longest) {
        // A letter after a letter, as often as in English, roughly.
        static const std::string kAfterVowel = "nnnrrrssstttlldmcvpbgkfwxz",
                                 kAfterConsonant = "eeeeeaaaiiiooouthlrys";
        const std::size_t length = shortest + x_random() % (longest - shortest + 1);
        std::string word(1, static_cast<char>('a' + x_random() % 26));
        while (word.size() < length) {
            const bool vowel = std::string("aeiouy").find(word.back()) != std::string::npos;
            const std::string& from = vowel ? kAfterVowel : kAfterConsonant;
            word += from[x_random() % from.size()];
        }
        return word;
    }
    std::uint32_t number() { return static_cast<std::uint32_t>(x_random()); }

private:
    std::mt19937 x_random;
};

constexpr std::size_t kHalf = 2, kMixed = 10; // one word in so many is found anywhere

std::vector<WordEntry> make_list(std::size_t words, std::size_t one_in = kHalf) {
    Speaker speaker(1);
    std::vector<WordEntry> entries;
    for (std::size_t i = 0; i < words; ++i) {
        const bool anywhere = i % one_in == 0;
        entries.push_back({speaker.word(5, 12), WordAction::mask, anywhere, anywhere});
    }
    return entries;
}

const TextFolding& folding() {
    static const TextFolding made;
    return made;
}

const WordMatcher& matcher(std::size_t words, std::size_t one_in) {
    static std::map<std::pair<std::size_t, std::size_t>, std::shared_ptr<const WordMatcher>> made;
    auto& list = made[{words, one_in}];
    if (!list) list = WordMatcher::make(folding(), make_list(words, one_in)).value();
    return *list;
}

constexpr std::size_t kTexts = 64, kTextBytes = 16'000;

// The documents of this project.
std::string prose() {
    std::string text;
    std::vector<std::filesystem::path> paths{PARLEY_SOURCE "/LICENSE", PARLEY_SOURCE "/README.md"};
    for (const auto& each : std::filesystem::recursive_directory_iterator(PARLEY_SOURCE "/docs"))
        if (each.path().extension() == ".md") paths.push_back(each.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        std::ifstream in(path);
        for (char c; in.get(c);)
            if (c == '\n' || (c >= ' ' && c < 0x7F)) text += c;
    }
    return text;
}

std::string letters() {
    Speaker speaker(3);
    std::string text;
    while (text.size() < kTextBytes * 4) text += static_cast<char>('a' + speaker.number() % 26);
    return text;
}

std::string cyrillic() {
    std::string text;
    for (const char c : prose()) {
        if (c < 'a' || c > 'z') {
            text += c == ',' ? "," : " ";
            continue;
        }
        const int letter = 0x430 + (c - 'a');
        text += static_cast<char>(0xC0 | letter >> 6);
        text += static_cast<char>(0x80 | (letter & 0x3F));
    }
    return text;
}

std::string begins(std::size_t words) {
    std::string text;
    const auto list = make_list(words);
    for (std::size_t i = 0; text.size() < kTextBytes * 4; i = (i * 31 + 7) % list.size())
        text += list[i].text.substr(0, list[i].text.size() - 1);
    return text;
}

// What the matcher finds is taken out, so that the text has no hit.
std::vector<std::string> without_hits(const WordMatcher& matcher, std::string text) {
    for (ScanText scanned;;) {
        std::vector<WordHit> hits;
        scanned.set(folding(), text);
        matcher.scan(scanned, hits);
        if (hits.empty()) break;
        std::vector<bool> drop(text.size(), false);
        for (const WordHit& hit : hits) {
            const auto [begin, end] = scanned.bytes(hit.begin, hit.end);
            std::fill(drop.begin() + static_cast<std::ptrdiff_t>(begin),
                      drop.begin() + static_cast<std::ptrdiff_t>(end), true);
        }
        std::string left;
        for (std::size_t i = 0; i < text.size(); ++i)
            if (!drop[i]) left += text[i];
        text = std::move(left);
    }
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < kTexts; ++i)
        texts.push_back(text.substr(i * 431 % (text.size() - kTextBytes), kTextBytes));
    return texts;
}

void read(benchmark::State& state, std::string (*make)(std::size_t), std::size_t one_in) {
    const auto words = static_cast<std::size_t>(state.range(0));
    const WordMatcher& list = matcher(words, one_in);
    const auto texts = without_hits(list, make(words));
    ScanText scanned;
    std::vector<WordHit> hits;
    std::size_t next = 0;
    for (auto _ : state) {
        hits.clear();
        scanned.set(folding(), texts[next++ % texts.size()]);
        list.scan(scanned, hits);
        benchmark::DoNotOptimize(hits.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kTextBytes));
    state.counters["list_MB"] = static_cast<double>(list.memory_bytes()) / 1e6;
}

void sizes(benchmark::internal::Benchmark* bench) { bench->Arg(10)->Arg(10'000)->Arg(100'000); }

std::string prose_for(std::size_t) { return prose(); }
std::string letters_for(std::size_t) { return letters(); }
std::string cyrillic_for(std::size_t) { return cyrillic(); }

BENCHMARK_CAPTURE(read, prose, prose_for, kHalf)->Name("filter_prose")->Apply(sizes);
BENCHMARK_CAPTURE(read, letters, letters_for, kHalf)->Name("filter_letters")->Apply(sizes);
BENCHMARK_CAPTURE(read, prose, prose_for, kMixed)->Name("filter_mixed_prose")->Apply(sizes);
BENCHMARK_CAPTURE(read, letters, letters_for, kMixed)->Name("filter_mixed_letters")->Apply(sizes);
BENCHMARK_CAPTURE(read, cyrillic, cyrillic_for, kHalf)->Name("filter_cyrillic")->Apply(sizes);
BENCHMARK_CAPTURE(read, begins, begins, kHalf)->Name("filter_begins")->Apply(sizes);

void build(benchmark::State& state) {
    for (auto _ : state)
        benchmark::DoNotOptimize(
            WordMatcher::make(folding(), make_list(static_cast<std::size_t>(state.range(0)))));
}
BENCHMARK(build)->Name("filter_build")->Unit(benchmark::kMillisecond)->Arg(100'000);

} // namespace
