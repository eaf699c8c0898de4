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
        if (const auto now = x_parts.clock.steady(); now < x_next_take) {
            x_to_take.wait_for(lock, x_next_take - now, [&] { return x_stopping; });
            continue;
        }
        const Fence wanted = *next_to_take();
        lock.unlock();
        auto taken = take_over(wanted);
        lock.lock();
        if (taken) {
            x_held[wanted.partition] = wanted.term;
            x_taken_over.push_back(std::move(*taken));
            x_work.notify_one();
            continue;
        }
        x_probe.failures.add();
        x_next_take = x_parts.clock.steady() + limits::kShardTryAgain;
        x_parts.log.warning("the shard does not answer; the partition waits",
                            {{"partition", wanted.partition}, {"detail", taken.error().detail}});
    }
}

// --- storing

bool ShardWorker::is_current(const Segment& segment) const {
    const auto term = x_terms.find(segment.rows.partition);
    return term != x_terms.end() && term->second == segment.term;
}

bool ShardWorker::wait_for_segments(std::unique_lock<std::mutex>& lock) {
    x_to_store.wait(lock, [&] { return !x_segments.empty() || x_sequencer_ended; });
    return !x_segments.empty();
}

void ShardWorker::store_loop() {
    std::unique_lock lock(x_mutex);
    while (wait_for_segments(lock)) {
        const auto begun = x_parts.clock.steady();
        bool full = false;
        std::vector<Segment> round;
        for (auto& [partition, waiting] : x_segments) {
            round.push_back(take_segments(waiting));
            full = full || !waiting.empty();
        }
        std::erase_if(x_segments, [](const auto& one) { return one.second.empty(); });
        for (Segment& segment : round) store(lock, std::move(segment));
        x_probe.unstored.set(static_cast<std::int64_t>(x_unstored_events));
        if (full || x_stopping) continue;
        const auto left = limits::kStorePause - (x_parts.clock.steady() - begun);
        if (left > 0ms) x_to_store.wait_for(lock, left, [&] { return x_sequencer_ended; });
    }
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

void ShardWorker::store(std::unique_lock<std::mutex>& lock, Segment segment) {
    auto pause = std::chrono::milliseconds(limits::kStoreRetry);
    bool stored = false;
    while (!stored && is_current(segment)) {
        lock.unlock();
        const auto written = x_parts.writes.write(segment.rows);
        lock.lock();
        if (written && *written) {
            stored = true;
        } else if (written) {
            x_fenced.push_back({segment.rows.partition, segment.term});
            break;
        } else {
            x_probe.failures.add();
            x_parts.log.warning("the shard cannot be written; trying again",
                                {{"partition", segment.rows.partition},
                                 {"events", segment.rows.events.size()},
                                 {"detail", written.error().detail}});
            if (x_sequencer_ended) break; // the log has it; whoever comes next goes on from there
            x_to_store.wait_for(lock, pause, [&] { return x_sequencer_ended; });
            pause = std::min<std::chrono::milliseconds>(2 * pause, limits::kStoreRetryMax);
        }
    }
    x_unstored_events -= segment.rows.events.size();
    x_unstored_bytes -= segment.bytes;
    if (!stored) {
        x_work.notify_one();
        return;
    }
    if (x_parts.stored && !segment.rows.events.empty())
        x_parts.stored->note(segment.rows.partition, segment.rows.events.front().event().id.value,
                             segment.rows.events.back().event().id.value, x_parts.clock.now().ms);
    x_probe.stored.add(segment.rows.events.size());
    x_probe.batches.add();
    x_stored.push_back(std::move(segment));
    x_work.notify_one();
}

} // namespace parley::ingest
