#include "adapters/sqlite/writer.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <iterator>
#include <pthread.h>

namespace parley::sqlite {
namespace {

constexpr auto kIdleDelay = std::chrono::milliseconds(100); // before a checkpoint in a pause

// What a draft holds that a client chose the size of.
std::size_t bytes_of(const model::Draft& draft) {
    if (const auto* post = std::get_if<model::PostDraft>(&draft.body()))
        return post->content.size() + post->nonce.size();
    if (const auto* edit = std::get_if<model::EditDraft>(&draft.body()))
        return edit->content.size();
    return 0;
}

ports::Outcome refusal(ports::Submission&& submission, Errc why) {
    ports::Outcome outcome;
    outcome.room_id = submission.draft.draft().room_id();
    if (const auto* post = std::get_if<model::PostDraft>(&submission.draft.draft().body()))
        outcome.nonce = post->nonce;
    outcome.origin = std::move(submission.origin);
    outcome.error = why == Errc::overloaded ? Error(why, "too many changes wait to be stored")
                                            : Error(why, "the server is going away");
    return outcome;
}

} // namespace

Writer::Writer(Database& database, Transactions& transactions, Checkpointer& checkpointer,
               Metrics& metrics)
    : x_database(database),
      x_transactions(transactions),
      x_checkpointer(checkpointer),
      x_depth(metrics.gauge("parley_log_queue", "Drafts that wait for the writer")),
      x_rejected(metrics.counter("parley_log_rejected_total",
                                 "Drafts and directory writes refused by a full queue")) {}

Writer::~Writer() { PARLEY_ASSERT(!x_thread.joinable()); }

void Writer::start(ports::BatchRunner runner, ports::OutcomeSink& sink) {
    PARLEY_ASSERT(!x_thread.joinable());
    x_runner = std::move(runner);
    x_sink = &sink;
    x_thread = std::thread([this] { work(); });
    ::pthread_setname_np(x_thread.native_handle(), "writer");
    // SCHED_BATCH does not preempt on wake-up: a loop that shares the writer's processor ends its
    // turn first, and the next batch is larger (a fifth less CPU a message at full load).
    const sched_param normal{};
    ::pthread_setschedparam(x_thread.native_handle(), SCHED_BATCH, &normal);
}

void Writer::stop() {
    {
        std::lock_guard lock(x_mutex);
        x_stopping = true;
    }
    x_wake.notify_one();
    if (x_thread.joinable()) {
        x_thread.join();
        x_runner = nullptr;
    } else { // never started: nobody else answers
        for (auto& command : x_commands) {
            command->fail({Errc::shutting_down, "the server is going away"});
            command->answer();
        }
        x_commands.clear();
    }
}

// --- any core
// --------------------------------------------------------------------------------------

void Writer::append(std::vector<ports::Submission> submissions) {
    PARLEY_ASSERT(x_sink);
    if (submissions.empty()) return;
    std::vector<ports::Submission> refused;
    Errc why = Errc::overloaded;
    {
        std::lock_guard lock(x_mutex);
        const std::size_t fits = x_stopping ? 0 : count_that_fit(submissions);
        if (x_stopping) why = Errc::shutting_down;
        if (fits < submissions.size()) {
            const auto first = submissions.begin() + static_cast<std::ptrdiff_t>(fits);
            refused.assign(std::make_move_iterator(first),
                           std::make_move_iterator(submissions.end()));
            submissions.erase(first, submissions.end());
        }
        x_waiting_count += submissions.size();
        x_depth.set(static_cast<std::int64_t>(x_waiting_count));
        if (x_waiting.empty())
            x_waiting = std::move(submissions);
        else
            x_waiting.insert(x_waiting.end(), std::make_move_iterator(submissions.begin()),
                             std::make_move_iterator(submissions.end()));
    }
    x_wake.notify_one();
    if (!refused.empty()) refuse(std::move(refused), why);
}

// Under x_mutex. Counts the bytes of those that fit.
std::size_t Writer::count_that_fit(const std::vector<ports::Submission>& submissions) {
    const std::size_t room = limits::kLogQueue - x_waiting_count;
    std::size_t fits = 0;
    for (; fits < submissions.size() && fits < room; ++fits) {
        const std::size_t bytes = bytes_of(submissions[fits].draft.draft());
        if (x_waiting_bytes + bytes > limits::kLogQueueBytes) break;
        x_waiting_bytes += bytes;
    }
    return fits;
}

void Writer::refuse(std::vector<ports::Submission> submissions, Errc why) {
    if (why == Errc::overloaded) x_rejected.add(submissions.size());
    std::vector<ports::Outcome> outcomes;
    outcomes.reserve(submissions.size());
    for (auto& submission : submissions) outcomes.push_back(refusal(std::move(submission), why));
    x_sink->on_outcomes(std::move(outcomes));
}

std::optional<Error> Writer::accept(std::unique_ptr<Command>& command) {
    if (x_stopping) return Error(Errc::shutting_down, "the server is going away");
    if (x_commands.size() >= limits::kCommandQueue) {
        x_rejected.add();
        return Error(Errc::overloaded, "too many changes wait to be stored");
    }
    x_commands.push_back(std::move(command));
    x_wake.notify_one();
    return std::nullopt;
}

void Writer::submit(std::unique_ptr<Command> command) {
    std::optional<Error> refused;
    {
        std::lock_guard lock(x_mutex);
        refused = accept(command);
    }
    if (!refused) return;
    command->fail(std::move(*refused));
    command->answer();
}

// --- the writer's thread
// -----------------------------------------------------------------------------

void Writer::work() {
    while (take()) {
        if (x_next < x_taken.size()) run_submissions();
        if (!x_taken_commands.empty()) run_commands();
        x_checkpointer.after_commit();
    }
}

bool Writer::take() {
    std::unique_lock lock(x_mutex);
    const auto ready = [this] {
        return x_stopping || x_next < x_taken.size() || !x_waiting.empty() || !x_commands.empty();
    };
    while (x_checkpointer.wants_idle() && !x_wake.wait_for(lock, kIdleDelay, ready)) {
        lock.unlock();
        x_checkpointer.when_idle();
        lock.lock();
    }
    x_wake.wait(lock, ready);
    if (x_next == x_taken.size()) {
        x_taken = std::exchange(x_waiting, {});
        x_waiting_bytes = 0;
        x_next = 0;
    }
    x_taken_commands = std::exchange(x_commands, {});
    const std::size_t slice = std::min(x_taken.size() - x_next, limits::kCommitBatch);
    x_waiting_count -= slice;
    x_depth.set(static_cast<std::int64_t>(x_waiting_count));
    return slice > 0 || !x_taken_commands.empty();
}

void Writer::run_submissions() {
    const std::size_t slice = std::min(x_taken.size() - x_next, limits::kCommitBatch);
    std::vector<ports::Submission> batch;
    if (slice == x_taken.size()) {
        batch = std::exchange(x_taken, {});
    } else {
        const auto first = x_taken.begin() + static_cast<std::ptrdiff_t>(x_next);
        batch.assign(std::make_move_iterator(first),
                     std::make_move_iterator(first + static_cast<std::ptrdiff_t>(slice)));
        x_next += slice;
    }
    x_sink->on_outcomes(x_runner(std::move(batch)));
}

void Writer::run_commands() {
    const Commands commands = std::exchange(x_taken_commands, {});
    try {
        x_transactions.begin();
        for (const auto& command : commands) execute(*command);
        x_transactions.commit(commands.size());
    } catch (const DatabaseError& error) {
        x_transactions.rollback();
        x_transactions.note_failure(error.error());
        for (const auto& command : commands) command->fail(error.error());
    }
    for (const auto& command : commands) command->answer();
}

void Writer::execute(Command& command) {
    x_database.query("SAVEPOINT command").run();
    try {
        command.execute();
    } catch (const DatabaseError& error) {
        if (!x_database.in_transaction()) throw; // SQLite has undone the whole batch
        x_database.query("ROLLBACK TO command").run();
        command.fail(error.error());
    }
    x_database.query("RELEASE command").run();
}

} // namespace parley::sqlite
