// ContentFilter: what may be stored and shown. It is the only way from Draft to Filtered. Without
// lists it lets everything through.
//
// Looked at: posted and edited contents, names and topics of rooms; names of people by
// check_name(). Emoji are not. Of the hits (word_matcher.hpp) that no allowed word covers:
//   reject  the whole change is refused: content_rejected
//   hold    a post is Held; anything else is refused, having no nonce under which it could wait
//   mask    of the original text, each code point of the hit becomes "*"
// A draft's body_hash stays that of what was sent: a retry is the same message also after masking.
//
// Lists are immutable snapshots. publish() makes one take the place of the last: later calls of
// apply() see the new one, calls that run go on with the old one, nobody waits. A thread keeps the
// snapshot that it used last until its next call.
//
// Threading: everything from any thread. Time: that of the text, whatever the lists. Owner:
// app/wiring. Shutdown: nothing. Bounds: limits::kRoomsWithWords, by who publishes.
#pragma once

#include "base/metrics.hpp"
#include "base/result.hpp"
#include "chat/text_folding.hpp"
#include "chat/word_list.hpp"
#include "model/stages.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace parley::chat {

class WordMatcher;
class ScanText;
struct WordHit;

class ContentFilter {
public:
    struct Snapshot {
        std::shared_ptr<const WordMatcher> everywhere;                               // may be null
        std::unordered_map<model::RoomId, std::shared_ptr<const WordMatcher>> rooms; // additions
    };

    // A posted message that a moderator must see first. The draft is as it was sent; only posts are
    // held, since only a post has a nonce under which it can wait.
    struct Held {
        model::Draft draft;
        std::vector<std::string> words; // the entries that it matched, limits::kHeldWordsTold
    };
    // Error: content_rejected.
    using Verdict = std::variant<model::Filtered, Held, Error>;

    explicit ContentFilter(LookAlikes look_alikes = {}, Metrics* metrics = nullptr);
    ContentFilter(const ContentFilter&) = delete;
    ContentFilter& operator=(const ContentFilter&) = delete;

    Verdict apply(model::Draft draft) const;
    // A held draft that a moderator lets through: words to be masked are masked, no other counts.
    model::Filtered approve(model::Draft draft) const;
    // Of a person: content_rejected for any hit, since a name cannot be masked or wait.
    Result<void> check_name(std::string_view name) const;

    void publish(std::shared_ptr<const Snapshot> snapshot);
    std::shared_ptr<const Snapshot> snapshot() const;
    const TextFolding& folding() const { return x_folding; }

private:
    struct Findings;
    struct Scratch;
    const Snapshot& current() const;
    // Masks the text in place; what else was found is told.
    void look(std::string& text, model::RoomId room, Findings& findings) const;
    void find(std::string_view text, model::RoomId room, Scratch& scratch) const;
    static void drop_allowed(std::vector<WordHit>& hits);
    static std::string mask(const ScanText& text, const std::vector<WordHit>& hits);
    Findings look_at(model::Draft& draft) const;
    void count(WordAction action, std::uint64_t n = 1) const;

    const TextFolding x_folding;
    std::atomic<std::shared_ptr<const Snapshot>> x_snapshot;
    std::atomic<std::uint64_t> x_number; // of the snapshot; no two in a process have the same
    Counter* x_counters[3] = {};
};

} // namespace parley::chat
