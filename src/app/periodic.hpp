// Periodic: does one thing again and again on one core, each time an interval after it was done.
//
// Threading: its core; start() before the cores run. Owner: app/wiring. Shutdown: `co_await stop()`
// on its core: the wait is cut short, what runs is waited for.
#pragma once

#include "base/core.hpp"
#include "base/gate.hpp"
#include "base/task.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>

namespace parley::app {

class Periodic {
public:
    // `work` answers how long to wait before the next time; its errors are its own.
    using Work = std::function<Task<std::chrono::milliseconds>()>;

    Periodic(Core& core, Work work);
    Periodic(const Periodic&) = delete;
    Periodic& operator=(const Periodic&) = delete;

    void start();
    Task<void> stop();
    void abandon() { x_gate.abandon(); } // as Gate::abandon()

private:
    Task<void> run();

    Core& x_core;
    const Work x_work;
    boost::asio::steady_timer x_timer;
    Gate x_gate;
    bool x_stopping = false;
};

} // namespace parley::app
