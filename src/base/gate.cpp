#include "base/gate.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace parley {

namespace asio = boost::asio;

bool Gate::spawn(Task<void> task) {
    if (x_closing) return false;
    ++x_inside;
    asio::co_spawn(x_executor, std::move(task), [this](std::exception_ptr failure) {
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& e) {
                assertion_failed(e.what(), __FILE__, __LINE__);
            }
        }
        leave();
    });
    return true;
}

void Gate::leave() {
    PARLEY_ASSERT(x_inside > 0);
    if (--x_inside == 0 && x_on_empty) std::exchange(x_on_empty, nullptr)();
}

Task<void> Gate::close() {
    x_closing = true;
    if (x_inside == 0) co_return;
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [this](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            x_on_empty = [this, shared] {
                asio::post(x_executor, [shared] { std::move (*shared)(); });
            };
        },
        asio::use_awaitable);
}

} // namespace parley
