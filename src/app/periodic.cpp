#include "app/periodic.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace parley::app {

Periodic::Periodic(Core& core, Work work)
    : x_core(core), x_work(std::move(work)), x_timer(core.io()), x_gate(core.io().get_executor()) {}

void Periodic::start() {
    x_core.post([this] { x_gate.spawn(run()); });
}

Task<void> Periodic::run() {
    while (!x_stopping) {
        const std::chrono::milliseconds pause = co_await x_work();
        if (x_stopping) co_return;
        x_timer.expires_after(pause);
        boost::system::error_code cut_short;
        co_await x_timer.async_wait(
            boost::asio::redirect_error(boost::asio::use_awaitable, cut_short));
    }
}

Task<void> Periodic::stop() {
    x_stopping = true;
    x_timer.cancel();
    co_await x_gate.close();
}

} // namespace parley::app
