// Task<T>: a coroutine that runs on one core's executor. Include this, not boost/asio.hpp: the
// whole of Asio costs seconds per translation unit.
//
// Rules: coroutines are free or member functions with value parameters; no lock, iterator or
// reference to shared state is held across co_await; a Task that is not awaited at once is started
// through a Gate (gate.hpp), never detached.
#pragma once

#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>

namespace parley {

template <class T>
using Task = boost::asio::awaitable<T>;

} // namespace parley
