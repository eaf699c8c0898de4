#include "adapters/redis/connection.hpp"

#include "base/cluster_limits.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace parley::redis {

Connection::Connection(const Settings& settings, const Address& address)
    : x_settings(settings), x_address(address), x_in(limits::kBusReadBytes) {}

void Connection::open(Time now) {
    close();
    x_context.reset(redisConnectNonBlock(x_address.host.c_str(), x_address.port));
    x_connecting = true;
    x_heard = now;
    if (!x_context) return;
    if (!x_settings.password.empty()) {
        const std::string user = x_settings.username.empty() ? "default" : x_settings.username;
        append_command(x_out, std::string_view("AUTH"), user, x_settings.password);
        ++x_greetings;
    }
    append_command(x_out, std::string_view("PING"));
    ++x_greetings;
}

void Connection::close() {
    x_context.reset();
    x_connecting = false;
    x_greetings = 0;
    x_out.clear();
    x_sent = 0;
    x_asked.reset();
}

void Connection::end_writing() {
    if (greeted()) ::shutdown(x_context->fd, SHUT_WR);
}

pollfd Connection::wanted() const {
    // hiredis reports a failed resolution or connect() as a context with an error.
    if (!x_context || x_context->err) return {.fd = -1, .events = 0, .revents = 0};
    const bool writes = x_connecting || waiting_bytes() > 0;
    return {.fd = x_context->fd, .events = short(POLLIN | (writes ? POLLOUT : 0)), .revents = 0};
}

std::optional<std::string> Connection::step(short events, Time now, std::vector<Reply>& replies) {
    if (!x_context) return std::nullopt;
    auto lost = [&]() -> std::optional<std::string> {
        if (x_context->err) return std::string(x_context->errstr);
        if (x_connecting && events != 0) {
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(x_context->fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) return std::string(std::strerror(error));
            x_connecting = false;
        }
        if (events & (POLLIN | POLLERR | POLLHUP))
            if (auto why = read(now, replies)) return why;
        if (auto why = look_alive(now)) return why;
        return x_connecting ? std::nullopt : write();
    }();
    if (lost) close();
    return lost;
}

std::optional<std::string> Connection::write() {
    while (waiting_bytes() > 0) {
        const ssize_t n = ::send(x_context->fd, x_out.data() + x_sent, waiting_bytes(),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n < 0) return std::string(std::strerror(errno));
        x_sent += static_cast<std::size_t>(n);
    }
    x_out.erase(0, x_sent);
    x_sent = 0;
    return std::nullopt;
}

std::optional<std::string> Connection::read(Time now, std::vector<Reply>& replies) {
    const ssize_t n = ::recv(x_context->fd, x_in.data(), x_in.size(), MSG_DONTWAIT);
    if (n == 0) return "the server closed the connection";
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return std::nullopt;
    if (n < 0) return std::string(std::strerror(errno));
    x_heard = now;
    x_asked.reset();
    redisReader* const reader = x_context->reader;
    if (redisReaderFeed(reader, x_in.data(), static_cast<std::size_t>(n)) != REDIS_OK)
        return std::string(reader->errstr);
    for (;;) {
        void* raw = nullptr;
        if (redisReaderGetReply(reader, &raw) != REDIS_OK) return std::string(reader->errstr);
        if (!raw) return std::nullopt;
        Reply reply(static_cast<redisReply*>(raw));
        if (x_greetings == 0) {
            replies.push_back(std::move(reply));
            continue;
        }
        // Refused, or not ready yet (LOADING): there is nothing to do with it.
        if (reply->type == REDIS_REPLY_ERROR) return std::string(text_of(*reply));
        --x_greetings;
    }
}

std::optional<std::string> Connection::look_alive(Time now) {
    if (x_greetings > 0) {
        if (now - x_heard < limits::kBusDead) return std::nullopt;
        return x_connecting ? "the server does not accept" : "the server does not answer";
    }
    if (x_asked && now - *x_asked >= limits::kBusDead) return "the server does not answer";
    if (!x_asked && now - x_heard >= limits::kBusQuiet) {
        append_command(x_out, std::string_view("PING"));
        x_asked = now;
    }
    return std::nullopt;
}

} // namespace parley::redis
