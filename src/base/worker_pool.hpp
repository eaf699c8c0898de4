// WorkerPool: threads for what blocks (SQLite reads, argon2id), with a bounded queue.
//
// run() is awaited on a core: the function runs on a worker, the coroutine goes on at its own core.
// A full queue answers Errc::overloaded at once and runs nothing.
//
// Threading: run() and submit() from any thread. Owner: an adapter. Shutdown: stop() lets queued
// jobs finish, then joins; later calls answer Errc::shutting_down.
#pragma once

#include "base/metrics.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace parley {

class WorkerPool {
public:
    // `name` labels the threads and the metrics pool_queue{pool=name}, pool_rejected_total{...}.
    WorkerPool(std::string name, std::size_t threads, std::size_t queue_max, Metrics& metrics);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Which worker runs the job, 0 .. threads-1: for per-thread state such as a database handle.
    using Job = std::function<void(std::size_t worker)>;
    // False when the queue is full or the pool stops; the job is then destroyed unrun.
    bool submit(Job job);
    void stop();

    // `function(worker)` gives a Result<T>; so does run().
    template <class Function>
    auto run(Function function) -> Task<std::invoke_result_t<Function&, std::size_t>> {
        using Answer = std::invoke_result_t<Function&, std::size_t>;
        co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                                       void(Answer)>(
            [this, &function](auto handler) {
                auto held = std::make_shared<decltype(handler)>(std::move(handler));
                auto executor = boost::asio::get_associated_executor(*held);
                auto finish = [held, executor](Answer answer) {
                    boost::asio::post(executor, [held, answer = std::move(answer)]() mutable {
                        std::move (*held)(std::move(answer));
                    });
                };
                Job job = [finish, function = std::move(function)](std::size_t worker) mutable {
                    finish(function(worker));
                };
                if (!submit(std::move(job))) {
                    finish(Error(x_stopping ? Errc::shutting_down : Errc::overloaded,
                                 "the server is busy"));
                }
            },
            boost::asio::use_awaitable);
    }

private:
    void work(std::size_t worker);
    const std::size_t x_queue_max;
    std::mutex x_mutex;
    std::condition_variable x_wake;
    std::deque<Job> x_queue; // guarded by x_mutex
    std::atomic<bool> x_stopping{false};
    Gauge& x_depth;
    Counter& x_rejected;
    std::vector<std::thread> x_threads;
};

} // namespace parley
