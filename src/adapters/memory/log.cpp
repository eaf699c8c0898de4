#include "adapters/memory/log.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace parley::memory {

namespace {

std::vector<ports::Outcome> refuse(std::vector<ports::Submission> submissions) {
    std::vector<ports::Outcome> outcomes;
    for (ports::Submission& submission : submissions) {
        ports::Outcome& outcome = outcomes.emplace_back();
        outcome.origin = std::move(submission.origin);
        const model::Draft& draft = submission.draft.draft();
        outcome.room_id = draft.room_id();
        if (const auto* post = std::get_if<model::PostDraft>(&draft.body()))
            outcome.nonce = post->nonce;
        outcome.error = Error(Errc::shutting_down, "this server is stopping");
    }
    return outcomes;
}

} // namespace

Log::Log(ports::BatchRunner runner, ports::OutcomeSink& sink)
    : x_runner(std::move(runner)), x_sink(sink) {}

std::vector<ports::Submission> Log::take() {
    const std::lock_guard lock(x_mutex);
    const auto count = static_cast<std::ptrdiff_t>(std::min(x_queue.size(), limits::kCommitBatch));
    std::vector<ports::Submission> batch(std::make_move_iterator(x_queue.begin()),
                                         std::make_move_iterator(x_queue.begin() + count));
    x_queue.erase(x_queue.begin(), x_queue.begin() + count);
    if (batch.empty()) x_running = false;
    return batch;
}

void Log::append(std::vector<ports::Submission> submissions) {
    {
        std::unique_lock lock(x_mutex);
        if (x_stopped) {
            lock.unlock();
            return x_sink.on_outcomes(refuse(std::move(submissions)));
        }
        std::ranges::move(submissions, std::back_inserter(x_queue));
        if (std::exchange(x_running, true)) return;
    }
    for (auto batch = take(); !batch.empty(); batch = take())
        x_sink.on_outcomes(x_runner(std::move(batch)));
}

void Log::stop() {
    const std::lock_guard lock(x_mutex);
    x_stopped = true;
}

} // namespace parley::memory
