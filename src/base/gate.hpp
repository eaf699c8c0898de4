// Gate: counts the coroutines that a component has started, so that it can wait for them before it
// goes (after seastar::gate).
//
// Threading: one core. Owner: the component. Shutdown: `co_await close()`: no new entry, returns
// when the last one has left; destroying a gate with work inside aborts.
#pragma once

#include "base/assert.hpp"
#include "base/task.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace parley {

class Gate {
public:
    explicit Gate(boost::asio::any_io_executor executor) : x_executor(std::move(executor)) {}
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate() { PARLEY_ASSERT(x_inside == 0 || x_abandoned); }

    // Starts `task` on the gate's core. False (and the task is destroyed unstarted) once closing.
    // An exception that leaves the task is a bug and aborts.
    bool spawn(Task<void> task);
    bool closing() const { return x_closing; }
    std::size_t inside() const { return x_inside; }
    Task<void> close();
    // For a process that exits with its event loop already stopped: what is inside will never run
    // again, and its frames are destroyed with the io_context.
    void abandon() { x_abandoned = true; }

private:
    void leave();
    boost::asio::any_io_executor x_executor;
    std::size_t x_inside = 0;
    bool x_closing = false;
    bool x_abandoned = false;
    std::function<void()> x_on_empty;
};

} // namespace parley
