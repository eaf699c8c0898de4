// SpanRing: when ranges of ids passed some stage (published, stored), the newest `size` of them. A
// range costs one entry however many ids are in it, so a batch is noted as cheaply as one.
//
// Threading: any thread (a lock, taken once a batch). Owner: app. Shutdown: nothing. Size 0:
// nothing is remembered. When it is full the oldest range is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace parley {

class SpanRing {
public:
    explicit SpanRing(std::size_t size) : x_spans(size) {}

    // `key`: whose ids these are, where several count for themselves.
    void note(std::uint64_t key, std::int64_t first, std::int64_t last, std::int64_t at_ms) {
        if (x_spans.empty() || first > last) return;
        const std::lock_guard lock(x_mutex);
        x_spans[x_next] = {key, first, last, at_ms};
        x_next = (x_next + 1) % x_spans.size();
    }
    // The first time that is remembered of this id.
    std::optional<std::int64_t> find(std::uint64_t key, std::int64_t id) const {
        const std::lock_guard lock(x_mutex);
        std::optional<std::int64_t> at;
        for (const Span& span : x_spans)
            if (span.key == key && span.first <= id && id <= span.last && span.at_ms != 0 &&
                (!at || span.at_ms < *at))
                at = span.at_ms;
        return at;
    }
    bool enabled() const { return !x_spans.empty(); }

private:
    struct Span {
        std::uint64_t key = 0;
        std::int64_t first = 0, last = 0, at_ms = 0;
    };
    mutable std::mutex x_mutex;
    std::vector<Span> x_spans; // guarded by x_mutex; its size never changes
    std::size_t x_next = 0;    // guarded by x_mutex
};

} // namespace parley
