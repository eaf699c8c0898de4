#include "client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace parley::bench {

namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
// The sample key and answer of RFC 6455, section 1.3.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

} // namespace

Client::Client(std::string address, std::uint16_t port, std::uint32_t connections,
               Listener& listener)
    : x_address(std::move(address)),
      x_port(port),
      x_listener(listener),
      x_epoll(epoll_create1(EPOLL_CLOEXEC)),
      x_connections(connections),
      x_buffer(kReadBytes, '\0') {
    if (x_epoll < 0) throw std::runtime_error("epoll_create1 failed");
    for (std::uint32_t i = 0; i < connections; ++i) x_connections[i].index = i;
}

Client::~Client() {
    for (Connection& connection : x_connections)
        if (connection.descriptor >= 0) close(connection.descriptor);
    close(x_epoll);
}

std::uint32_t Client::next_mask() { // xorshift64
    x_mask_state ^= x_mask_state << 13;
    x_mask_state ^= x_mask_state >> 7;
    x_mask_state ^= x_mask_state << 17;
    return static_cast<std::uint32_t>(x_mask_state >> 16);
}

void Client::watch(Connection& connection, int operation) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &connection;
    epoll_ctl(x_epoll, operation, connection.descriptor, &event);
}

void Client::open_more(std::size_t handshakes_at_once) {
    while (x_begun < x_connections.size() && x_begun - x_joined - x_lost < handshakes_at_once)
        begin(x_connections[x_begun++]);
}

void Client::begin(Connection& connection) {
    connection.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection.descriptor < 0) throw std::runtime_error("no more descriptors (ulimit -n)");
    const int on = 1;
    setsockopt(connection.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(x_port);
    inet_pton(AF_INET, x_address.c_str(), &to.sin_addr);
    connection.state = Connection::State::connecting;
    if (connect(connection.descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 &&
        errno != EINPROGRESS)
        return lose(connection, "connect refused");
    watch(connection, EPOLL_CTL_ADD);
}

void Client::send_handshake(Connection& connection) {
    connection.state = Connection::State::upgrading;
    connection.outgoing = "GET " + x_listener.path_of(connection) +
                          " HTTP/1.1\r\nHost: " + x_address + ":" + std::to_string(x_port) +
                          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
    connection.outgoing += kKey;
    connection.outgoing += "\r\n" + x_listener.headers_of(connection) + "\r\n";
    mark_dirty(connection);
}

void Client::set_joined(Connection& connection) {
    connection.joined = true;
    ++x_joined;
}

void Client::mark_dirty(Connection& connection) {
    if (connection.dirty) return;
    connection.dirty = true;
    x_dirty.push_back(&connection);
}

void Client::send_text(Connection& connection, std::string_view text) {
    if (connection.state != Connection::State::open) return;
    append_client_frame(connection.outgoing, Opcode::text, text, next_mask());
    mark_dirty(connection);
}

void Client::lose(Connection& connection, std::string_view why) {
    if (connection.state == Connection::State::closed) return;
    connection.state = Connection::State::closed;
    close(connection.descriptor);
    connection.descriptor = -1;
    if (connection.joined) --x_joined;
    ++x_lost;
    x_listener.on_lost(connection, why);
}

void Client::flush(Connection& connection) {
    connection.dirty = false;
    if (connection.descriptor < 0 || connection.outgoing.empty()) return;
    const ssize_t sent = send(connection.descriptor, connection.outgoing.data(),
                              connection.outgoing.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR) lose(connection, "send failed");
        return; // else EPOLLOUT comes
    }
    connection.outgoing.erase(0, static_cast<std::size_t>(sent));
}

std::size_t Client::consume_handshake(Connection& connection, std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = bytes.substr(0, end);
    if (!head.starts_with("HTTP/1.1 101") || head.find(kAccept) == std::string_view::npos) {
        lose(connection, "handshake refused: " + std::string(head.substr(0, head.find('\r'))));
        return 0;
    }
    connection.state = Connection::State::open;
    x_listener.on_open(connection);
    return end + 4;
}

// How many bytes were whole frames.
std::size_t Client::consume(Connection& connection, std::string_view bytes, std::uint64_t now) {
    std::size_t used = 0;
    if (connection.state == Connection::State::upgrading)
        used = consume_handshake(connection, bytes);
    FrameHead head;
    while (connection.state == Connection::State::open &&
           read_frame_head(bytes.substr(used), head) &&
           bytes.size() - used >= head.head_bytes + head.payload_bytes) {
        const std::string_view payload = bytes.substr(used + head.head_bytes, head.payload_bytes);
        used += head.head_bytes + head.payload_bytes;
        if (head.opcode == Opcode::text) {
            x_listener.on_text(connection, payload, now);
        } else if (head.opcode == Opcode::ping) {
            append_client_frame(connection.outgoing, Opcode::pong, payload, next_mask());
            mark_dirty(connection);
        } else if (head.opcode == Opcode::close) {
            const auto* code = reinterpret_cast<const std::uint8_t*>(payload.data());
            lose(connection, payload.size() < 2
                                 ? "closed"
                                 : "closed " + std::to_string(code[0] * 256 + code[1]));
        }
    }
    return used;
}

// `to_the_end`: the peer has ended its side, and no further edge will tell.
void Client::readable(Connection& connection, bool to_the_end) {
    while (connection.descriptor >= 0) {
        const ssize_t got = recv(connection.descriptor, x_buffer.data(), x_buffer.size(), 0);
        if (got == 0) return lose(connection, "ended");
        if (got < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) lose(connection, "reset");
            return;
        }
        const std::uint64_t now = now_ns();
        x_received_bytes += static_cast<std::uint64_t>(got);
        std::string_view bytes(x_buffer.data(), static_cast<std::size_t>(got));
        if (!connection.partial.empty()) {
            connection.partial.append(bytes);
            bytes = connection.partial;
        }
        const std::size_t used = consume(connection, bytes, now);
        if (connection.state == Connection::State::closed) return;
        if (!connection.partial.empty())
            connection.partial.erase(0, used);
        else if (used < bytes.size())
            connection.partial.assign(bytes.substr(used));
        if (static_cast<std::size_t>(got) < x_buffer.size() && !to_the_end) return;
    }
}

void Client::turn(std::uint64_t until_ns) {
    for (std::size_t i = 0; i < x_dirty.size(); ++i) flush(*x_dirty[i]);
    x_dirty.clear();
    const std::uint64_t now = now_ns();
    const std::uint64_t wait_ns = until_ns > now ? until_ns - now : 0;
    const timespec timeout{static_cast<time_t>(wait_ns / 1'000'000'000u),
                           static_cast<long>(wait_ns % 1'000'000'000u)};
    std::array<epoll_event, 1024> events{};
    const int count =
        epoll_pwait2(x_epoll, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        const std::uint32_t flags = events[static_cast<std::size_t>(i)].events;
        if (connection.state == Connection::State::closed) continue;
        if (connection.state == Connection::State::connecting) {
            if (flags & (EPOLLERR | EPOLLHUP))
                lose(connection, "connect failed");
            else if (flags & EPOLLOUT)
                send_handshake(connection);
            continue;
        }
        if ((flags & EPOLLOUT) && !connection.outgoing.empty()) mark_dirty(connection);
        const std::uint32_t ended = flags & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        if ((flags & EPOLLIN) || ended) readable(connection, ended != 0);
    }
    for (std::size_t i = 0; i < x_dirty.size(); ++i) flush(*x_dirty[i]);
    x_dirty.clear();
}

} // namespace parley::bench
