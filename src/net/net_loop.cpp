#include "net/net_loop.hpp"

#include "net/http_codec.hpp"
#include "net/http_session.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace parley::net {

namespace {

constexpr std::size_t kReadBuffer = 64 * 1024;
constexpr std::size_t kScratch = 64 * 1024;
constexpr std::size_t kEventsPerPoll = 512;

int checked(int descriptor, const char* what) {
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
    return descriptor;
}

} // namespace

// Wakes the core when x_epoll has something. Asio arms each wait anew with epoll_ctl, which looks
// again: what became ready before is not missed.
struct NetLoop::Waiter {
    Waiter(boost::asio::io_context& io, int descriptor) : stream(io, descriptor) {}
    ~Waiter() { stream.release(); }
    void arm() {
        if (armed) return;
        armed = true;
        stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [this](const boost::system::error_code& error) {
                              if (error != boost::asio::error::operation_aborted) armed = false;
                          });
    }
    boost::asio::posix::stream_descriptor stream;
    bool armed = false;
};

NetShared::NetShared(ServerSettings s, Logger& l, Metrics& m)
    : settings(std::move(s)),
      proxies(settings.trusted_proxies),
      log(l),
      probe(m),
      addresses(settings.connections_per_address_max) {
    if (settings.tls_certificate_file.empty() != settings.tls_key_file.empty())
        throw std::runtime_error("TLS needs both a certificate and a key file");
    if (!settings.tls_certificate_file.empty())
        tls = std::make_unique<const TlsContext>(settings.tls_certificate_file,
                                                 settings.tls_key_file);
}

NetLoop::NetLoop(Core& core, CoreHandlers handlers, NetShared& shared)
    : x_core(core),
      x_handlers(handlers),
      x_shared(shared),
      x_epoll(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      x_timer(
          checked(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")),
      x_ticker(*this),
      x_waiter(std::make_unique<Waiter>(core.io(), x_epoll)),
      x_gate(core.io().get_executor()),
      x_now(std::chrono::steady_clock::now()),
      x_wheel(x_now),
      x_read_buffer(kReadBuffer),
      x_scratch(kScratch) {}

NetLoop::~NetLoop() {
    cut_all();
    free_buried();
    if (x_attached) {
        x_core.remove(static_cast<PollSource&>(*this));
        x_core.remove(static_cast<TurnEnd&>(*this));
    }
    // The core does not run any more: handlers that wait for something will never go on.
    x_gate.abandon();
    x_waiter.reset();
    ::close(x_timer);
    ::close(x_epoll);
}

void NetLoop::attach() {
    x_attached = true;
    x_core.add(static_cast<PollSource&>(*this));
    x_core.add(static_cast<TurnEnd&>(*this));
    static_assert(TimerWheel::kTick < std::chrono::seconds(1));
    const timespec tick{.tv_sec = 0,
                        .tv_nsec = std::chrono::nanoseconds(TimerWheel::kTick).count()};
    const itimerspec every{.it_interval = tick, .it_value = tick};
    ::timerfd_settime(x_timer, 0, &every, nullptr);
    watch(x_ticker, x_timer, EPOLLIN | EPOLLET);
    x_waiter->arm();
}

void NetLoop::watch(EventTarget& target, int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &target;
    if (::epoll_ctl(x_epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        x_shared.log.error("epoll_ctl failed", {{"errno", errno}});
}

void NetLoop::rearm(EventTarget& target, int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &target;
    ::epoll_ctl(x_epoll, EPOLL_CTL_MOD, descriptor, &event);
}

void NetLoop::Ticker::on_events(std::uint32_t) {
    std::uint64_t expirations = 0;
    if (::read(loop.x_timer, &expirations, sizeof expirations) > 0)
        loop.x_wheel.advance(loop.x_now);
}

void NetLoop::uncount(const std::optional<AddressBlock>& counted) {
    x_shared.connections.fetch_sub(1, std::memory_order_relaxed);
    if (counted) x_shared.addresses.leave(*counted);
}

void NetLoop::adopt(int socket, std::string peer, std::optional<AddressBlock> counted) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ssl_st* tls = x_shared.tls ? x_shared.tls->open(socket) : nullptr;
    if (x_draining || (x_shared.tls && !tls)) {
        if (tls) TlsContext::free(tls);
        ::close(socket);
        uncount(counted);
        return;
    }
    if (x_free_slots.empty()) {
        x_free_slots.push_back(static_cast<std::uint32_t>(x_slots.size()));
        x_slots.emplace_back();
    }
    const std::uint32_t index = x_free_slots.back();
    x_free_slots.pop_back();
    Slot& slot = x_slots[index];
    slot.connection =
        std::make_unique<Connection>(*this, socket, tls, ConnectionId{index, slot.generation});
    Connection& connection = *slot.connection;
    connection.counted = counted;
    connection.speak(std::make_unique<HttpSession>(connection, std::move(peer)));
    watch(connection, socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

Connection* NetLoop::find(ConnectionId id) {
    Slot& slot = x_slots[id.slot];
    if (slot.generation != id.generation || !slot.connection) return nullptr;
    return slot.connection->dead() ? nullptr : slot.connection.get();
}

void NetLoop::handle(ConnectionId connection, std::uint32_t number, HttpRequest request) {
    x_shared.handlers.fetch_add(1, std::memory_order_relaxed);
    x_gate.spawn(run_handler(connection, number, std::move(request)));
}

Task<void> NetLoop::run_handler(ConnectionId connection, std::uint32_t number,
                                HttpRequest request) {
    HttpResponse answer = make_problem(404, "not_found", "There is nothing at this path.");
    try {
        if (x_handlers.http) answer = co_await x_handlers.http->handle(std::move(request));
    } catch (const std::exception& failure) {
        x_shared.log.error("an HTTP handler failed", {{"reason", failure.what()}});
        answer = make_problem(500, "internal", "The server made a mistake.");
    } catch (...) {
        x_shared.log.error("an HTTP handler failed");
        answer = make_problem(500, "internal", "The server made a mistake.");
    }
    x_shared.handlers.fetch_sub(1, std::memory_order_relaxed);
    if (Connection* open = find(connection); open && !open->finishing())
        open->protocol()->on_answer(number, std::move(answer));
}

void NetLoop::decide(ConnectionId connection, std::uint32_t number, HttpRequest request) {
    x_shared.handlers.fetch_add(1, std::memory_order_relaxed);
    x_gate.spawn(run_decision(connection, number, std::move(request)));
}

Task<void> NetLoop::run_decision(ConnectionId connection, std::uint32_t number,
                                 HttpRequest request) {
    WebSocketAcceptor::Verdict verdict;
    try {
        verdict = co_await x_handlers.websocket->decide(std::move(request));
    } catch (const std::exception& failure) {
        x_shared.log.error("a handshake failed", {{"reason", failure.what()}});
        verdict.refusal = make_problem(500, "internal", "The server made a mistake.");
    }
    x_shared.handlers.fetch_sub(1, std::memory_order_relaxed);
    if (Connection* open = find(connection); open && !open->finishing())
        open->protocol()->on_verdict(number, std::move(verdict));
}

void NetLoop::read_later(Connection& connection, When when) {
    if (connection.x_read_waits) return;
    connection.x_read_waits = true;
    (when == When::this_turn ? x_read_now : x_read_next).push_back(&connection);
}

std::size_t NetLoop::read_waiting() {
    const std::size_t count = x_read_now.size();
    for (std::size_t i = 0; i < count; ++i) {
        x_read_now[i]->x_read_waits = false;
        if (!x_read_now[i]->dead()) x_read_now[i]->read();
    }
    x_read_now.erase(x_read_now.begin(), x_read_now.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
}

std::size_t NetLoop::poll() {
    x_now = std::chrono::steady_clock::now();
    std::array<epoll_event, kEventsPerPoll> events;
    const int ready = ::epoll_wait(x_epoll, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < ready; ++i)
        static_cast<EventTarget*>(events[static_cast<std::size_t>(i)].data.ptr)
            ->on_events(events[static_cast<std::size_t>(i)].events);
    std::size_t handled = ready > 0 ? static_cast<std::size_t>(ready) : 0;
    if (!x_read_now.empty()) handled += read_waiting();
    return handled;
}

void NetLoop::on_turn_end() {
    // Flushing may end connections, whose handlers may send to others: the list may grow.
    for (std::size_t i = 0; i < x_dirty.size(); ++i)
        if (!x_dirty[i]->dead()) x_dirty[i]->flush();
    x_dirty.clear();
    x_dirty.swap(x_dirty_next);
    x_retired.clear(); // first: a protocol knows its connection
    if (!x_buried.empty()) free_buried();
    x_read_now.insert(x_read_now.end(), x_read_next.begin(), x_read_next.end());
    x_read_next.clear();
    if (!x_read_now.empty() || !x_dirty.empty()) x_core.post([] {});
    if (x_writes > 0) {
        x_shared.probe.writes.add(std::exchange(x_writes, 0));
        x_shared.probe.bytes_sent.add(std::exchange(x_bytes_sent, 0));
    }
    ++x_turn;
    x_waiter->arm();
}

void NetLoop::free_buried() {
    const auto is_dead = [](const Connection* connection) { return connection->dead(); };
    std::erase_if(x_read_now, is_dead);
    std::erase_if(x_read_next, is_dead);
    std::erase_if(x_dirty, is_dead);
    for (Connection* connection : std::exchange(x_buried, {})) {
        Slot& slot = x_slots[connection->id().slot];
        x_free_slots.push_back(connection->id().slot);
        ++slot.generation;
        uncount(connection->counted);
        slot.connection.reset();
    }
}

void NetLoop::begin_drain() {
    x_draining = true;
    for (std::size_t i = 0; i < x_slots.size(); ++i) {
        Connection* connection = x_slots[i].connection.get();
        if (connection && !connection->dead() && !connection->finishing())
            connection->protocol()->on_drain();
    }
}

void NetLoop::cut_all() {
    for (std::size_t i = 0; i < x_slots.size(); ++i)
        if (x_slots[i].connection) x_slots[i].connection->cut(Cut::reset);
}

const FrameRef& NetLoop::deflated(const FrameRef& frame, DeflateWindow window) {
    const std::uint64_t before = x_deflater.compressed();
    const FrameRef& packed = x_deflater.compress(frame, window);
    x_shared.probe.compressed.add(x_deflater.compressed() - before);
    return packed;
}

std::string_view NetLoop::http_date() {
    // The wall clock for people's eyes only; nothing is decided by it.
    const std::time_t second = std::time(nullptr);
    if (second != x_date_second) {
        x_date_second = second;
        std::tm parts{};
        ::gmtime_r(&second, &parts);
        char text[64];
        const std::size_t size =
            std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        x_date.assign(text, size);
    }
    return x_date;
}

} // namespace parley::net
