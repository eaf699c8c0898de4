#include "net/listener.hpp"

#include "net/http_codec.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace parley::net {

namespace {

constexpr int kBacklog = 4096;
constexpr std::chrono::seconds kWarningEvery{10};

std::string too_many(int status) {
    HttpResponse answer =
        status == 429
            ? make_problem(429, "rate_limited", "There are too many connections from this address.")
            : make_problem(503, "unavailable", "There are too many connections.");
    answer.headers.emplace_back("Retry-After", "5");
    const FrameRef bytes = serialise(answer, {.head = false, .close = true, .date = {}});
    return std::string(bytes.bytes());
}

std::string describe(const std::string& host, std::uint16_t port, const char* reason) {
    return "cannot listen on " + host + ":" + std::to_string(port) + ": " + reason;
}

std::string to_text(const sockaddr_storage& address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return text;
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
    else
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return text;
}

int bind_and_listen(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (error != 0) throw std::runtime_error(describe(host, port, ::gai_strerror(error)));
    int socket = -1;
    int failure = 0;
    for (const addrinfo* at = found; at && socket < 0; at = at->ai_next) {
        socket = ::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (socket < 0) {
            failure = errno;
            continue;
        }
        const int on = 1, off = 0;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (at->ai_family == AF_INET6)
            ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (::bind(socket, at->ai_addr, at->ai_addrlen) == 0 && ::listen(socket, kBacklog) == 0)
            continue;
        failure = errno;
        ::close(std::exchange(socket, -1));
    }
    ::freeaddrinfo(found);
    if (socket < 0) throw std::runtime_error(describe(host, port, std::strerror(failure)));
    return socket;
}

std::uint16_t bound_port(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4); // the port stands at the same place for IPv6
    return ntohs(v4.sin_port);
}

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

} // namespace

Listener::Listener(NetShared& shared, std::vector<NetLoop*> loops)
    : x_shared(shared),
      x_loops(std::move(loops)),
      x_socket(bind_and_listen(shared.settings.host, shared.settings.port)),
      x_reserve(open_reserve()),
      x_port(bound_port(x_socket)) {}

Listener::~Listener() { stop(); }

void Listener::start() {
    if (x_socket >= 0) x_loops[0]->watch(*this, x_socket, EPOLLIN | EPOLLET);
}

void Listener::stop() {
    Entry::cancel();
    if (x_socket >= 0) ::close(std::exchange(x_socket, -1));
    if (x_reserve >= 0) ::close(std::exchange(x_reserve, -1));
}

void Listener::on_events(std::uint32_t) {
    for (int i = 0; i < kAcceptsPerEvent && x_socket >= 0; ++i) {
        switch (accept_one()) {
        case Accepted::one:
            continue;
        case Accepted::none:
            return;
        case Accepted::later:
            x_loops[0]->wheel().arm(*this, x_loops[0]->now());
            return;
        }
    }
    // Others get their turn before the rest.
    if (x_socket >= 0) x_loops[0]->rearm(*this, x_socket, EPOLLIN | EPOLLET);
}

Listener::Accepted Listener::accept_one() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int socket = ::accept4(x_socket, reinterpret_cast<sockaddr*>(&address), &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
        if (errno == EMFILE || errno == ENFILE) return drop_one();
        if (errno == EAGAIN || errno == EWOULDBLOCK) return Accepted::none;
        // Errors of the one connection that was to be accepted.
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) return Accepted::one;
        return Accepted::later;
    }
    x_shared.probe.accepted.add();
    if (x_shared.connections.load(std::memory_order_relaxed) >= x_shared.settings.connections_max) {
        refuse(socket, 503);
        return Accepted::one;
    }
    std::string peer = to_text(address);
    std::optional<AddressBlock> counted;
    if (!x_shared.proxies.trusts(peer)) {
        counted = address_block(peer);
        if (!x_shared.addresses.enter(*counted)) {
            refuse(socket, 429);
            return Accepted::one;
        }
    }
    x_shared.connections.fetch_add(1, std::memory_order_relaxed);
    NetLoop& loop = *x_loops[x_next++ % x_loops.size()];
    if (&loop == x_loops[0])
        loop.adopt(socket, std::move(peer), counted);
    else
        loop.core().post([&loop, socket, counted, peer = std::move(peer)]() mutable {
            loop.adopt(socket, std::move(peer), counted);
        });
    return Accepted::one;
}

void Listener::refuse(int socket, int status) {
    x_shared.probe.refused.add();
    if (!x_shared.tls) {
        static const std::string busy = too_many(503), crowded = too_many(429);
        const std::string& answer = status == 429 ? crowded : busy;
        ::send(socket, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        ::shutdown(socket, SHUT_WR);
        // Unread bytes would turn the close into a reset that can overtake the answer.
        char request[4096];
        while (::recv(socket, request, sizeof request, MSG_DONTWAIT) > 0) {
        }
    }
    ::close(socket);
}

Listener::Accepted Listener::drop_one() {
    if (x_reserve < 0) x_reserve = open_reserve();
    if (x_reserve < 0) return Accepted::later;
    ::close(x_reserve);
    // accept4 looks for a free descriptor before it looks for a client: perhaps there is none.
    const int socket = ::accept4(x_socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) refuse(socket, 503);
    x_reserve = open_reserve();
    if (socket < 0) return Accepted::none;
    const Time now = x_loops[0]->now();
    if (now - x_last_warning > kWarningEvery) {
        x_last_warning = now;
        x_shared.log.warning("out of file descriptors: a connection is refused");
    }
    return Accepted::one;
}

} // namespace parley::net
