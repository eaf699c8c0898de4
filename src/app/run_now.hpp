// run_now(): runs a task to its end on this thread, where there is no core: before the cores run,
// and in commands. Threading: the caller's; `io` is nobody else's meanwhile.
#pragma once

#include "base/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace parley::app {

template <class T>
Result<T> run_now(boost::asio::io_context& io, Task<Result<T>> task) {
    io.restart();
    std::optional<Result<T>> answer;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure, Result<T> result) {
        if (failure) std::rethrow_exception(failure);
        answer = std::move(result);
    });
    io.run();
    return std::move(*answer);
}

} // namespace parley::app
