#include "base/one_shot.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace parley {

namespace asio = boost::asio;

void OneShot::set() {
    x_set = true;
    for (auto& waiter : std::exchange(x_waiters, {})) asio::post(x_executor, std::move(waiter));
}

Task<void> OneShot::wait() {
    if (x_set) co_return;
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [this](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            x_waiters.push_back([shared] { std::move (*shared)(); });
        },
        asio::use_awaitable);
}

} // namespace parley
