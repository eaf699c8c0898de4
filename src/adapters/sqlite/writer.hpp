// Writer: THE thread that writes. It takes everything that waits, runs the drafts as one
// transaction and the directory's commands as another, and answers only after the commits. The
// longer a commit takes, the larger the next batch: group commit without a timer.
//
// Drafts: limits::kLogQueue and kLogQueueBytes wait at most; what does not fit is answered
// overloaded through the sink at once, on the caller's thread. Commands: limits::kCommandQueue,
// then overloaded. A command that fails is undone alone; when the commit itself fails, all of its
// batch get unavailable.
//
// Threading: append() and the tasks from any core; outcomes come on the writer's thread (but
// overloaded and shutting_down on the caller's). Owner: the store. Shutdown: stop() commits and
// answers everything that was accepted, refuses what comes later with shutting_down, and joins. The
// sink must live as long as anybody calls append().
#pragma once

#include "adapters/sqlite/checkpointer.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/transactions.hpp"
#include "base/metrics.hpp"
#include "base/task.hpp"
#include "ports/committer.hpp"
#include "ports/room_log.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace parley::sqlite {

class Writer final : public ports::RoomLog {
public:
    Writer(Database& database, Transactions& transactions, Checkpointer& checkpointer,
           Metrics& metrics);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void start(ports::BatchRunner runner, ports::OutcomeSink& sink);
    void stop();

    void append(std::vector<ports::Submission> submissions) override;

    // Runs `function` in the next transaction and goes on when that is durable. It gives a Result;
    // an Error that it gives is an answer like any other: what it has written stays. To undo, it
    // throws DatabaseError. Not to be called inside a co_await expression: GCC 12 destroys the
    // captures of a closure there twice. Return the task instead.
    template <class Function>
    auto run(Function function) -> Task<std::invoke_result_t<Function&>>;

private:
    class Command {
    public:
        virtual ~Command() = default;
        virtual void execute() = 0;         // throws DatabaseError
        virtual void fail(Error error) = 0; // in place of an answer of its own
        virtual void answer() = 0;          // posts it to who waits
    };
    template <class Answer, class Function, class Handler>
    class CommandOf;
    using Commands = std::vector<std::unique_ptr<Command>>;

    void work();
    bool take(); // false: stopped, and nothing is left
    void run_submissions();
    void run_commands();
    void execute(Command& command);
    void submit(std::unique_ptr<Command> command);
    // Under x_mutex: takes the command, or says why not.
    std::optional<Error> accept(std::unique_ptr<Command>& command);
    std::size_t count_that_fit(const std::vector<ports::Submission>& submissions);
    void refuse(std::vector<ports::Submission> submissions, Errc why);

    Database& x_database;
    Transactions& x_transactions;
    Checkpointer& x_checkpointer;
    Gauge& x_depth;
    Counter& x_rejected;

    std::mutex x_mutex;
    std::condition_variable x_wake;
    std::vector<ports::Submission> x_waiting; // guarded by x_mutex, as are:
    std::size_t x_waiting_count = 0;          // with those of x_taken
    std::size_t x_waiting_bytes = 0;          // of x_waiting: texts and nonces
    Commands x_commands;
    bool x_stopping = false;

    // The writer's thread only.
    std::vector<ports::Submission> x_taken;
    std::size_t x_next = 0; // first of x_taken not yet run
    Commands x_taken_commands;
    ports::BatchRunner x_runner;
    ports::OutcomeSink* x_sink = nullptr;
    std::thread x_thread;
};

template <class Answer, class Function, class Handler>
class Writer::CommandOf final : public Command {
public:
    CommandOf(Function function, Handler handler)
        : x_function(std::move(function)), x_handler(std::move(handler)) {}

    void execute() override { x_answer.emplace(x_function()); }
    void fail(Error error) override { x_answer.emplace(std::move(error)); }
    void answer() override {
        const auto executor = boost::asio::get_associated_executor(x_handler);
        boost::asio::post(
            executor, [handler = std::move(x_handler), answer = std::move(*x_answer)]() mutable {
                std::move(handler)(std::move(answer));
            });
    }

private:
    Function x_function;
    Handler x_handler;
    std::optional<Answer> x_answer;
};

template <class Function>
auto Writer::run(Function function) -> Task<std::invoke_result_t<Function&>> {
    using Answer = std::invoke_result_t<Function&>;
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                                   void(Answer)>(
        [this, &function](auto handler) {
            submit(std::make_unique<CommandOf<Answer, Function, decltype(handler)>>(
                std::move(function), std::move(handler)));
        },
        boost::asio::use_awaitable);
}

} // namespace parley::sqlite
