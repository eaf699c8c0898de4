#include "tests/sim/cluster/virtual_time.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace parley::sim {

namespace {
thread_local const Scheduler* t_scheduler = nullptr;
} // namespace

VirtualTime::VirtualTime(const Scheduler& scheduler) { t_scheduler = &scheduler; }
VirtualTime::~VirtualTime() { t_scheduler = nullptr; }

} // namespace parley::sim

namespace std::chrono {
inline namespace _V2 {

steady_clock::time_point steady_clock::now() noexcept {
    if (const auto* scheduler = parley::sim::t_scheduler)
        return time_point(milliseconds(scheduler->now_ms()));
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return time_point(seconds(now.tv_sec) + nanoseconds(now.tv_nsec));
}

} // namespace _V2
} // namespace std::chrono

// Asio then looks at its timers each time that it is polled.
extern "C" int timerfd_create(clockid_t clock, int flags) noexcept {
    if (!parley::sim::t_scheduler)
        return static_cast<int>(::syscall(SYS_timerfd_create, clock, flags));
    errno = ENOSYS;
    return -1;
}

extern "C" int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) {
    if (parley::sim::t_scheduler) return 0;
    return static_cast<int>(
        ::syscall(SYS_epoll_pwait, epoll, events, most, timeout_ms, nullptr, sizeof(long)));
}

extern "C" int epoll_ctl(int epoll, int what, int file, epoll_event* event) noexcept {
    if (parley::sim::t_scheduler) return 0;
    return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, what, file, event));
}
