// The content filter's rules once more, as plainly as possible: every entry is tried at every place
// of the text. What the real one must agree with, for any list and any bytes.
#pragma once

#include "chat/text_folding.hpp"
#include "chat/word_list.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace parley::support {

struct NaiveFindings {
    std::string masked;
    bool rejected = false, held = false;
};

class NaiveFilter {
public:
    NaiveFilter(const chat::TextFolding& folding, std::vector<chat::WordEntry> entries)
        : x_folding(folding) {
        for (chat::WordEntry& entry : entries) {
            Entry& e = x_entries.emplace_back();
            x_folding.fold_with_details(entry.text, e.folded);
            e.entry = std::move(entry);
        }
    }

    NaiveFindings look(const std::string& text) const {
        chat::FoldedText folded;
        x_folding.fold_with_details(text, folded);
        std::vector<Hit> hits, allowed;
        for (const Entry& entry : x_entries)
            for (std::size_t at = 0; at < folded.symbols.size(); ++at)
                if (stands_at(entry, text, folded, at))
                    (entry.entry.action == chat::WordAction::allow ? allowed : hits)
                        .push_back({at, at + entry.folded.symbols.size(), entry.entry.action});
        NaiveFindings findings;
        std::vector<bool> starred(text.size(), false);
        for (const Hit& hit : hits) {
            const bool covered = std::any_of(allowed.begin(), allowed.end(), [&](const Hit& a) {
                return a.begin <= hit.begin && hit.end <= a.end;
            });
            if (covered) continue;
            findings.rejected = findings.rejected || hit.action == chat::WordAction::reject;
            findings.held = findings.held || hit.action == chat::WordAction::hold;
            if (hit.action != chat::WordAction::mask) continue;
            for (std::size_t i = folded.begins[hit.begin]; i < end_of(text, folded, hit.end); ++i)
                starred[i] = true;
        }
        for (std::size_t i = 0, size = 0; i < text.size(); i += size) {
            chat::decode_utf8(std::string_view(text).substr(i), size);
            findings.masked += starred[i] ? "*" : text.substr(i, size);
        }
        return findings;
    }

private:
    struct Entry {
        chat::WordEntry entry;
        chat::FoldedText folded;
    };
    struct Hit {
        std::size_t begin, end;
        chat::WordAction action;
    };
    using Folding = chat::TextFolding;

    static char32_t code_point(const std::string& text, std::size_t at) {
        std::size_t size = 0;
        return chat::decode_utf8(std::string_view(text).substr(at), size);
    }
    static std::size_t end_of(const std::string& text, const chat::FoldedText& folded,
                              std::size_t end) {
        std::size_t at = folded.ends[end - 1];
        for (std::size_t size = 0; at < text.size(); at += size) {
            const char32_t c = chat::decode_utf8(std::string_view(text).substr(at), size);
            if (!Folding::is_skipped_mark(c)) break;
        }
        return at;
    }
    static bool bounded(const Entry& e, const std::string& text, const chat::FoldedText& folded,
                        std::size_t begin, std::size_t end) {
        const auto inside = [&](std::size_t i) { return folded.begins[i - 1] == folded.begins[i]; };
        if (!e.entry.open_left && Folding::is_word_part(e.folded.plain.front()) && begin > 0 &&
            (Folding::is_word_part(code_point(text, folded.begins[begin - 1])) || inside(begin)))
            return false;
        return e.entry.open_right || !Folding::is_word_part(e.folded.plain.back()) ||
               end == folded.symbols.size() ||
               (!Folding::is_word_part(code_point(text, folded.begins[end])) && !inside(end));
    }
    static bool stands_at(const Entry& e, const std::string& text, const chat::FoldedText& folded,
                          std::size_t at) {
        const std::size_t length = e.folded.symbols.size();
        if (at + length > folded.symbols.size()) return false;
        const bool exactly = e.entry.action == chat::WordAction::allow;
        bool lettered = false, entry_lettered = false, strict = exactly;
        bool same_anywhere = false, foreign = false, foreign_same = false;
        for (std::size_t i = 0; i < length; ++i) {
            if (folded.symbols[at + i] != e.folded.symbols[i]) return false;
            const char32_t want = e.folded.plain[i], have = folded.plain[at + i];
            const auto &want_marks = e.folded.marks[i], &have_marks = folded.marks[at + i];
            const bool leet = Folding::is_leet(want) && !Folding::is_letter(want);
            if ((exactly || leet) && want != have) return false;
            if (exactly ? want_marks != have_marks
                        : !std::includes(have_marks.begin(), have_marks.end(), want_marks.begin(),
                                         want_marks.end()))
                return false;
            strict = strict || leet || !want_marks.empty();
            const char32_t original = code_point(text, folded.begins[at + i]);
            lettered = lettered || (original < 0x80 ? Folding::is_letter(original)
                                                    : !Folding::is_leet(original) &&
                                                          !Folding::is_number(original));
            entry_lettered = entry_lettered || Folding::is_letter(want);
            same_anywhere = same_anywhere || want == have;
            if (Folding::is_letter(want) && want >= 0x80) {
                foreign = true;
                foreign_same = foreign_same || want == have;
            }
        }
        if (foreign && !foreign_same) return false;
        // A plain entry of letters wants one letter; the others one thing as it stands in them.
        if (!strict && !foreign && entry_lettered && !lettered) return false;
        if ((strict || foreign) && !same_anywhere && !lettered) return false;
        return bounded(e, text, folded, at, at + length);
    }

    const chat::TextFolding& x_folding;
    std::vector<Entry> x_entries;
};

} // namespace parley::support
