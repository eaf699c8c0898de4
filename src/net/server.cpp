#include "net/server.hpp"

#include "net/listener.hpp"
#include "net/net_loop.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <stdexcept>

namespace parley::net {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::milliseconds kDrainLook{10};
constexpr std::chrono::seconds kCutTime{1}; // for what cut_all() posts
} // namespace

struct Server::Impl {
    Impl(ServerSettings settings, std::vector<Core*> c, const std::vector<CoreHandlers>& handlers,
         Logger& log, Metrics& metrics)
        : shared(std::move(settings), log, metrics), cores(std::move(c)) {
        PARLEY_ASSERT(!cores.empty() && cores.size() == handlers.size());
        std::vector<NetLoop*> borrowed;
        for (std::size_t i = 0; i < cores.size(); ++i) {
            loops.push_back(std::make_unique<NetLoop>(*cores[i], handlers[i], shared));
            borrowed.push_back(loops.back().get());
        }
        listener = std::make_unique<Listener>(shared, std::move(borrowed));
    }

    void post_to_all(void (NetLoop::*action)()) {
        for (auto& loop : loops)
            loop->core().post([loop = loop.get(), action] { (loop->*action)(); });
    }
    bool busy() const { return shared.connections.load() > 0 || shared.handlers.load() > 0; }

    NetShared shared;
    std::vector<Core*> cores;
    std::vector<std::unique_ptr<NetLoop>> loops;
    std::unique_ptr<Listener> listener;
};

Server::Server(ServerSettings settings, std::vector<Core*> cores,
               std::vector<CoreHandlers> handlers, Logger& log, Metrics& metrics)
    : x_impl(
          std::make_unique<Impl>(std::move(settings), std::move(cores), handlers, log, metrics)) {}

Server::~Server() = default;

void Server::start() {
    x_impl->post_to_all(&NetLoop::attach);
    x_impl->cores[0]->post([listener = x_impl->listener.get()] { listener->start(); });
}

std::uint16_t Server::port() const { return x_impl->listener->port(); }

TimerWheel& Server::wheel(std::uint16_t core) { return x_impl->loops.at(core)->wheel(); }

void Server::stop_accepting() { x_impl->listener->stop(); }

Task<void> Server::drain(std::chrono::steady_clock::time_point deadline) {
    asio::steady_timer timer(x_impl->cores[0]->io());
    const auto wait_until = [this](Time end) {
        return x_impl->busy() && std::chrono::steady_clock::now() < end;
    };
    x_impl->post_to_all(&NetLoop::begin_drain);
    while (wait_until(deadline)) {
        timer.expires_after(kDrainLook);
        co_await timer.async_wait(asio::use_awaitable);
    }
    x_impl->post_to_all(&NetLoop::cut_all);
    const Time end = std::chrono::steady_clock::now() + kCutTime;
    while (x_impl->shared.connections.load() > 0 && std::chrono::steady_clock::now() < end) {
        timer.expires_after(kDrainLook);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

} // namespace parley::net
