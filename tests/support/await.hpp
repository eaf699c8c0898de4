// await(), await_all(): run tasks to their end on an event loop, from a plain test function.
// Threading: the test's main thread.
#pragma once

#include "base/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace parley::test {

// As a core of the product does, the loop outlives the threads that post to it: one may still be
// inside post() when its handler has run.
inline boost::asio::io_context& event_loop() {
    static boost::asio::io_context io;
    return io;
}

inline void rethrow(std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
}

template <class T>
Task<void> keep(Task<T> task, std::optional<T>* answer) {
    answer->emplace(co_await std::move(task));
}

// All at once, as if several callers had come in one moment.
template <class T>
std::vector<T> await_all(std::vector<Task<T>> tasks) {
    auto& io = event_loop();
    io.restart();
    std::vector<std::optional<T>> answers(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i)
        boost::asio::co_spawn(io, keep(std::move(tasks[i]), &answers[i]), rethrow);
    io.run();
    std::vector<T> all;
    for (auto& answer : answers) all.push_back(std::move(answer).value());
    return all;
}

template <class T>
T await(Task<T> task) {
    std::vector<Task<T>> tasks;
    tasks.push_back(std::move(task));
    return std::move(await_all(std::move(tasks)).front());
}

} // namespace parley::test
