#include "chat/content_filter.hpp"

#include "base/limits.hpp"
#include "chat/word_matcher.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace parley::chat {

struct ContentFilter::Findings {
    std::uint64_t masked = 0;
    bool rejected = false, held = false;
    std::vector<std::string> words; // of those that hold
    std::string sent;               // the text last masked, as it was
};

struct ContentFilter::Scratch {
    ScanText text;
    std::vector<WordHit> hits;
};

namespace {

std::uint64_t next_number() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

} // namespace

ContentFilter::ContentFilter(LookAlikes look_alikes, Metrics* metrics)
    : x_folding(look_alikes),
      x_snapshot(std::make_shared<const Snapshot>()),
      x_number(next_number()) {
    if (!metrics) return;
    for (const auto action : {WordAction::mask, WordAction::reject, WordAction::hold})
        x_counters[static_cast<int>(action)] =
            &metrics->counter("parley_filter_matches_total", "Words found, by what was done",
                              "action=\"" + std::string(name_of(action)) + "\"");
}

void ContentFilter::publish(std::shared_ptr<const Snapshot> snapshot) {
    x_snapshot.store(std::move(snapshot));
    x_number.store(next_number(), std::memory_order_release);
}

std::shared_ptr<const ContentFilter::Snapshot> ContentFilter::snapshot() const {
    return x_snapshot.load();
}

// The library's atomic shared_ptr takes a lock of its own for a load, and its counter is shared by
// all cores: so each thread loads it once for each snapshot only.
const ContentFilter::Snapshot& ContentFilter::current() const {
    thread_local std::uint64_t number = 0;
    thread_local std::shared_ptr<const Snapshot> kept;
    const std::uint64_t newest = x_number.load(std::memory_order_acquire);
    if (number != newest) {
        kept = x_snapshot.load();
        number = newest;
    }
    return *kept;
}

void ContentFilter::count(WordAction action, std::uint64_t n) const {
    if (Counter* counter = x_counters[static_cast<int>(action)]) counter->add(n);
}

// --- hits

void ContentFilter::find(std::string_view text, model::RoomId room, Scratch& scratch) const {
    const Snapshot& lists = current();
    scratch.hits.clear();
    const WordMatcher* of_room = nullptr;
    if (room && !lists.rooms.empty())
        if (const auto found = lists.rooms.find(room); found != lists.rooms.end())
            of_room = found->second.get();
    if (!lists.everywhere && !of_room) return;
    scratch.text.set(x_folding, text);
    if (lists.everywhere) lists.everywhere->scan(scratch.text, scratch.hits);
    if (of_room) of_room->scan(scratch.text, scratch.hits);
    if (!scratch.hits.empty()) drop_allowed(scratch.hits);
}

// Leaves what no allowed word covers, by where it ends, each hit once. Backwards, so that the
// allowed words that end at a hit's end or later have been seen: the one of them that begins first
// decides.
void ContentFilter::drop_allowed(std::vector<WordHit>& hits) {
    const auto key = [](const WordHit& hit) { return std::tuple(hit.end, hit.begin, hit.entry); };
    const auto before = [&](const WordHit& a, const WordHit& b) { return key(a) < key(b); };
    // A matcher tells them so, but for some that it tells twice; two matchers do not.
    if (!std::is_sorted(hits.begin(), hits.end(), before)) {
        std::sort(hits.begin(), hits.end(), before);
        hits.erase(
            std::unique(hits.begin(), hits.end(),
                        [&](const WordHit& a, const WordHit& b) { return key(a) == key(b); }),
            hits.end());
    }
    auto left = hits.end();
    std::uint32_t allowed_from = std::numeric_limits<std::uint32_t>::max();
    for (auto last = hits.end(); last != hits.begin();) {
        auto first = last;
        while (first != hits.begin() && std::prev(first)->end == std::prev(last)->end) {
            --first;
            if (first->entry->action == WordAction::allow)
                allowed_from = std::min(allowed_from, first->begin);
        }
        while (last != first) {
            const WordHit hit = *--last;
            if (hit.entry->action != WordAction::allow && hit.begin < allowed_from) *--left = hit;
        }
    }
    hits.erase(hits.begin(), left);
}

std::string ContentFilter::mask(const ScanText& scanned, const std::vector<WordHit>& hits) {
    const std::string_view text = scanned.text();
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    for (const WordHit& hit : hits)
        if (hit.entry->action == WordAction::mask)
            spans.push_back(scanned.bytes(hit.begin, hit.end));
    std::sort(spans.begin(), spans.end());
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    for (const auto& [begin, end] : spans) {
        if (begin > at) {
            out += text.substr(at, begin - at);
            at = begin;
        }
        // The marks on the last letter go with it, or they would sit on the star.
        for (std::size_t size = 0; at < text.size(); at += size) {
            const char32_t c = decode_utf8(text.substr(at), size);
            if (at >= end && !(at > begin && TextFolding::is_skipped_mark(c))) break;
            out += '*';
        }
    }
    return out += text.substr(at);
}

void ContentFilter::look(std::string& text, model::RoomId room, Findings& findings) const {
    thread_local Scratch scratch;
    find(text, room, scratch);
    if (scratch.hits.empty()) return;
    std::uint64_t masked = 0;
    for (const WordHit& hit : scratch.hits) {
        switch (hit.entry->action) {
        case WordAction::mask:
            ++masked;
            break;
        case WordAction::reject:
            findings.rejected = true;
            break;
        case WordAction::hold:
            findings.held = true;
            if (findings.words.size() < limits::kHeldWordsTold &&
                std::find(findings.words.begin(), findings.words.end(), hit.entry->text) ==
                    findings.words.end())
                findings.words.push_back(hit.entry->text);
            break;
        case WordAction::allow:
            break;
        }
    }
    findings.masked += masked;
    if (!masked) return;
    std::string shown = mask(scratch.text, scratch.hits);
    findings.sent = std::exchange(text, std::move(shown));
}

// --- drafts

ContentFilter::Findings ContentFilter::look_at(model::Draft& draft) const {
    struct Visitor {
        const ContentFilter& filter;
        model::RoomId room;
        Findings findings{};
        void operator()(model::PostDraft& post) { filter.look(post.content, room, findings); }
        void operator()(model::EditDraft& edit) { filter.look(edit.content, room, findings); }
        void operator()(model::RoomDraft& change) {
            if (change.name) filter.look(*change.name, room, findings);
            if (change.topic) filter.look(*change.topic, room, findings);
        }
        void operator()(model::CreateDraft& create) {
            filter.look(create.name, {}, findings);
            filter.look(create.topic, {}, findings);
        }
        void operator()(model::DeleteDraft&) {}
        void operator()(model::ReactDraft&) {}
        void operator()(model::MemberDraft&) {}
        void operator()(model::MediaDraft&) {}
    } visitor{*this, draft.x_room_id};
    std::visit(visitor, draft.x_body);
    return std::move(visitor.findings);
}

ContentFilter::Verdict ContentFilter::apply(model::Draft draft) const {
    model::PostDraft* const post = std::get_if<model::PostDraft>(&draft.x_body);
    Findings findings = look_at(draft);
    if (findings.rejected || (findings.held && !post)) {
        count(WordAction::reject);
        return Error(Errc::content_rejected, "There is a word in this that is not allowed here.");
    }
    if (findings.held) {
        count(WordAction::hold);
        if (findings.masked) post->content = std::move(findings.sent);
        return Held{std::move(draft), std::move(findings.words)};
    }
    if (findings.masked) count(WordAction::mask, findings.masked);
    return model::Filtered(std::move(draft));
}

model::Filtered ContentFilter::approve(model::Draft draft) const {
    const Findings findings = look_at(draft);
    if (findings.masked) count(WordAction::mask, findings.masked);
    return model::Filtered(std::move(draft));
}

Result<void> ContentFilter::check_name(std::string_view name) const {
    Findings findings;
    std::string text(name);
    look(text, {}, findings);
    if (!findings.masked && !findings.rejected && !findings.held) return {};
    count(WordAction::reject);
    return Error(Errc::content_rejected, "the name has a word that is not allowed here");
}

} // namespace parley::chat
