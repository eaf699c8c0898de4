// While one of these lives, std::chrono::steady_clock of this thread is a scheduler's virtual time,
// and Asio's event loops look at their timers whenever they are polled, without asking the kernel.
// So coroutines that wait on a steady_timer run on virtual time, and nothing in src/ knows.
//
// How: virtual_time.cpp has this program's own steady_clock::now(), timerfd_create(), epoll_ctl()
// and epoll_wait(), which go before those of the libraries. Without one of these they do what those
// do.
//
// Threading: one thread, the simulation's. Event loops must be made and destroyed inside.
#pragma once

#include "tests/sim/world.hpp"

namespace parley::sim {

class VirtualTime {
public:
    explicit VirtualTime(const Scheduler& scheduler);
    ~VirtualTime();
    VirtualTime(const VirtualTime&) = delete;
    VirtualTime& operator=(const VirtualTime&) = delete;
};

} // namespace parley::sim
