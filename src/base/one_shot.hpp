// OneShot: something that happens once, and coroutines that wait for it.
//
// Threading: one core; waiters go on in a later handler of that core, never inside set().
// Owner: whoever makes it happen. Destroying it with waiters inside leaves them suspended for ever,
// so set() it first.
#pragma once

#include "base/task.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <vector>

namespace parley {

class OneShot {
public:
    explicit OneShot(boost::asio::any_io_executor executor) : x_executor(std::move(executor)) {}
    OneShot(const OneShot&) = delete;
    OneShot& operator=(const OneShot&) = delete;

    bool is_set() const { return x_set; }
    void set();
    Task<void> wait();

private:
    boost::asio::any_io_executor x_executor;
    bool x_set = false;
    std::vector<std::function<void()>> x_waiters;
};

} // namespace parley
