// await(): runs one task to its end on an event loop, from a plain test function. Threading: the
// test's main thread.
#pragma once

#include "base/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace parley::test {

template <class T>
T await(Task<T> task) {
    // It outlives the threads that post to it: one may still be inside post() when its handler ran.
    static boost::asio::io_context io;
    io.restart();
    std::optional<T> answer;
    boost::asio::co_spawn(io, std::move(task), [&answer](std::exception_ptr failure, T value) {
        if (failure) std::rethrow_exception(failure);
        answer.emplace(std::move(value));
    });
    io.run();
    return *std::move(answer);
}

} // namespace parley::test
