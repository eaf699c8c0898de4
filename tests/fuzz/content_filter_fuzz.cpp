// The content filter agrees with one that tries every word at every place, for any list and any
// bytes. Input: a word list in the grammar of chat/word_list.hpp, a NUL, a text.
#include "base/assert.hpp"
#include "chat/composer.hpp"
#include "chat/content_filter.hpp"
#include "chat/word_matcher.hpp"
#include "chat/word_sieve.hpp"
#include "tests/support/naive_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using namespace parley;

namespace {

// The naive filter takes their product in time.
constexpr std::size_t kListBytes = 400, kTextBytes = 2'500;

void compare(chat::ContentFilter& filter, const std::vector<chat::WordEntry>& entries,
             const std::string& text) {
    auto draft = chat::Composer::edit({1}, {2}, {3}, text);
    if (!draft) return;
    const std::string content = std::get<model::EditDraft>(draft->body()).content;
    const auto expected = support::NaiveFilter(filter.folding(), entries).look(content);
    const auto verdict = filter.apply(*std::move(draft));
    const bool refused = std::holds_alternative<Error>(verdict);
    PARLEY_ASSERT(refused == (expected.rejected || expected.held));
    if (refused) return;
    const auto& body = std::get<model::Filtered>(verdict).draft().body();
    PARLEY_ASSERT(std::get<model::EditDraft>(body).content == expected.masked);
}

// The sieve with the instructions of this core, and with those of every core.
void compare_sieves(const chat::TextFolding& folding, const std::vector<chat::WordEntry>& entries,
                    const std::string& text) {
    if (!chat::WordSieve::kFast || !chat::TextFolding::is_simple(text)) return;
    std::vector<chat::FoldedText> folded(entries.size());
    std::vector<std::u32string> symbols;
    std::vector<chat::WordSieve::Entry> sifted;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        folding.fold(entries[i].text, folded[i]);
        symbols.emplace_back(folded[i].symbols.begin(), folded[i].symbols.end());
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
        sifted.push_back({symbols[i], !entries[i].open_left, !entries[i].open_right});
    chat::WordSieve sieve;
    sieve.make(folding, sifted);
    for (std::size_t at = 0; at < text.size(); at += chat::WordSieve::kBlock) {
        chat::WordSieve::Found fast{}, slow{};
        sieve.find(text, at, fast, true);
        sieve.find(text, at, slow, false);
        PARLEY_ASSERT(fast == slow);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t end = std::min(input.find('\0'), input.size());
    if (end > kListBytes || size - end > kTextBytes) return 0;
    const auto entries = chat::parse_word_file("fuzz", input.substr(0, end));
    if (!entries) return 0;
    PARLEY_ASSERT(chat::parse_word_file("again", chat::print_words(*entries)).value() == *entries);
    static chat::ContentFilter filter;
    const auto matcher = chat::WordMatcher::make(filter.folding(), *entries);
    if (!matcher) return 0;
    auto snapshot = std::make_shared<chat::ContentFilter::Snapshot>();
    snapshot->everywhere = *matcher;
    filter.publish(std::move(snapshot));
    const std::string text(input.substr(std::min(end + 1, size)));
    compare(filter, *entries, text);
    compare_sieves(filter.folding(), *entries, text);
    // Bytes that are no text are never drafts, but no reason to fail either.
    chat::ScanText scanned;
    std::vector<chat::WordHit> hits;
    scanned.set(filter.folding(), input);
    (*matcher)->scan(scanned, hits);
    return 0;
}
