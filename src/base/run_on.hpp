// run_on(core, task): awaits a task that runs on another core; the caller goes on at its own. On
// the caller's own core the task runs in place. Costs two posted handlers when the cores differ.
#pragma once

#include "base/core.hpp"
#include "base/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace parley {

template <class T>
Task<T> run_on(Core& core, Task<T> task) {
    if (core.is_current()) co_return co_await std::move(task);
    co_return co_await boost::asio::co_spawn(core.io(), std::move(task),
                                             boost::asio::use_awaitable);
}

} // namespace parley
