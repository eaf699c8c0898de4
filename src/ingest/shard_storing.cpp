// The halves of ShardWorker that talk to the shard for it: taking partitions over, and storing.
#include "base/cluster_limits.hpp"
#include "ingest/shard_worker.hpp"

#include <algorithm>
#include <utility>

namespace parley::ingest {

using namespace std::chrono_literals;

// --- taking over

std::optional<ShardWorker::Fence> ShardWorker::next_to_take() const {
    for (const auto& [partition, term] : x_terms) {
        const auto held = x_held.find(partition);
        if (held == x_held.end() || held->second != term) return Fence{partition, term};
    }
    return std::nullopt;
}

Result<ShardWorker::Taken> ShardWorker::take_over(const Fence& wanted) {
    Taken taken{
        .partition = wanted.partition, .term = wanted.term, .position = {}, .newest_nonce = {}};
    PARLEY_TRY(taken.position, x_parts.takes.take_over(wanted.partition));
    PARLEY_TRY(taken.newest_nonce, x_parts.takes.newest_nonce());
    return taken;
}

void ShardWorker::take_loop() {
    std::unique_lock lock(x_mutex);
    for (;;) {
        x_to_take.wait(lock, [&] { return x_stopping || next_to_take(); });
        if (x_stopping) return;
        if (const Pause pause = take_some(lock); pause && *pause > 0ms)
            x_to_take.wait_for(lock, *pause, [&] { return x_stopping; });
    }
}

std::optional<std::chrono::milliseconds> ShardWorker::take_step() {
    std::unique_lock lock(x_mutex);
    return take_some(lock);
}

ShardWorker::Pause ShardWorker::take_some(std::unique_lock<std::mutex>& lock) {
    const auto next = next_to_take();
    if (!next) return std::nullopt;
    if (const auto now = x_parts.clock.steady(); now < x_next_take)
        return std::chrono::ceil<std::chrono::milliseconds>(x_next_take - now);
    lock.unlock();
    auto taken = take_over(*next);
    lock.lock();
    if (taken) {
        x_held[next->partition] = next->term;
        x_taken_over.push_back(std::move(*taken));
        x_work.notify_one();
        return 0ms;
    }
    x_probe.failures.add();
    x_next_take = x_parts.clock.steady() + limits::kShardTryAgain;
    x_parts.log.warning("the shard does not answer; the partition waits",
                        {{"partition", next->partition}, {"detail", taken.error().detail}});
    return limits::kShardTryAgain;
}

// --- storing

bool ShardWorker::is_current(const Segment& segment) const {
    const auto term = x_terms.find(segment.rows.partition);
    return term != x_terms.end() && term->second == segment.term;
}

bool ShardWorker::wait_for_segments(std::unique_lock<std::mutex>& lock) {
    x_to_store.wait(
        lock, [&] { return !x_round.empty() || !x_segments.empty() || x_sequencer_ended; });
    return !x_round.empty() || !x_segments.empty();
}

void ShardWorker::store_loop() {
    std::unique_lock lock(x_mutex);
    while (wait_for_segments(lock))
        if (const Pause pause = store_some(lock); pause && *pause > 0ms)
            x_to_store.wait_for(lock, *pause, [&] { return x_sequencer_ended; });
}

std::optional<std::chrono::milliseconds> ShardWorker::store_step() {
    std::unique_lock lock(x_mutex);
    return store_some(lock);
}

// Under x_mutex.
void ShardWorker::begin_round() {
    x_round_begun = x_parts.clock.steady();
    x_more_waits = false;
    for (auto& [partition, waiting] : x_segments) {
        x_round.push_back(take_segments(waiting));
        x_more_waits = x_more_waits || !waiting.empty();
    }
    std::erase_if(x_segments, [](const auto& one) { return one.second.empty(); });
}

// One attempt at one segment.
ShardWorker::Pause ShardWorker::store_some(std::unique_lock<std::mutex>& lock) {
    if (x_round.empty()) {
        begin_round();
        if (x_round.empty()) return std::nullopt;
        x_store_pause = limits::kStoreRetry;
    }
    if (!store_first(lock)) {
        const auto pause = x_store_pause;
        x_store_pause = std::min<std::chrono::milliseconds>(2 * pause, limits::kStoreRetryMax);
        return pause;
    }
    x_store_pause = limits::kStoreRetry;
    if (!x_round.empty()) return 0ms;
    x_probe.unstored.set(static_cast<std::int64_t>(x_unstored_events));
    if (x_more_waits || x_stopping) return 0ms;
    return std::chrono::ceil<std::chrono::milliseconds>(
        limits::kStorePause - (x_parts.clock.steady() - x_round_begun));
}

// Under x_mutex.
ShardWorker::Segment ShardWorker::take_segments(std::deque<Segment>& waiting) {
    Segment taken = std::move(waiting.front());
    waiting.pop_front();
    while (!waiting.empty() && waiting.front().term == taken.term &&
           taken.rows.events.size() < limits::kStoreBatch) {
        Segment& next = waiting.front();
        taken.rows.position = next.rows.position;
        taken.bytes += next.bytes;
        for (model::Sequenced& event : next.rows.events)
            taken.rows.events.push_back(std::move(event));
        waiting.pop_front();
    }
    return taken;
}

void ShardWorker::add_spans(const Segment& segment, ports::MessageSpan::Stage stage,
                            std::int64_t begin_us) const {
    const std::int64_t end_us = x_parts.spans->now_us();
    for (const model::Sequenced& sequenced : segment.rows.events) {
        const model::Event& event = sequenced.event();
        if (std::holds_alternative<model::MessagePosted>(event.body) &&
            x_parts.spans->takes(event.id))
            x_parts.spans->add({.stage = stage,
                                .event = event.id,
                                .room = event.room_id,
                                .begin_us = begin_us ? begin_us : event.at.ms * 1000,
                                .end_us = end_us});
    }
}

// Whether the first segment of the round is done with: stored, or nobody's any more. False: the
// same again, later.
bool ShardWorker::store_first(std::unique_lock<std::mutex>& lock) {
    Segment& segment = x_round.front();
    bool stored = false;
    if (is_current(segment)) {
        lock.unlock();
        const std::int64_t begin_us = x_parts.spans ? x_parts.spans->now_us() : 0;
        const auto written = x_parts.writes.write(segment.rows);
        stored = written && *written;
        if (stored && x_parts.spans)
            add_spans(segment, ports::MessageSpan::Stage::store, begin_us);
        lock.lock();
        if (written && !stored) x_fenced.push_back({segment.rows.partition, segment.term});
        if (!written) {
            x_probe.failures.add();
            x_parts.log.warning("the shard cannot be written; trying again",
                                {{"partition", segment.rows.partition},
                                 {"events", segment.rows.events.size()},
                                 {"detail", written.error().detail}});
            // At the end the log has it; whoever comes next goes on from there.
            if (!x_sequencer_ended && is_current(segment)) return false;
        }
    }
    x_unstored_events -= segment.rows.events.size();
    x_unstored_bytes -= segment.bytes;
    if (stored) {
        if (x_parts.stored && !segment.rows.events.empty())
            x_parts.stored->note(
                segment.rows.partition, segment.rows.events.front().event().id.value,
                segment.rows.events.back().event().id.value, x_parts.clock.now().ms);
        x_probe.stored.add(segment.rows.events.size());
        x_probe.batches.add();
        x_stored.push_back(std::move(segment));
    }
    x_round.pop_front();
    x_work.notify_one();
    return true;
}

} // namespace parley::ingest
