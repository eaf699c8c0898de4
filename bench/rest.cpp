#include "rest.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cstdlib>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace parley::bench {

Rest::Rest(std::string address, std::uint16_t port) : x_address(std::move(address)), x_port(port) {}

Rest::~Rest() { close_socket(); }

void Rest::close_socket() {
    if (x_descriptor >= 0) close(x_descriptor);
    x_descriptor = -1;
    x_buffer.clear();
}

void Rest::open() {
    x_descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{20, 0};
    const int on = 1;
    setsockopt(x_descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(x_descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(x_descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(x_port);
    inet_pton(AF_INET, x_address.c_str(), &to.sin_addr);
    if (connect(x_descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("cannot connect to " + x_address + ":" + std::to_string(x_port));
}

bool Rest::read_more() {
    char bytes[16 * 1024];
    const ssize_t got = recv(x_descriptor, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    x_buffer.append(bytes, static_cast<std::size_t>(got));
    return true;
}

bool Rest::exchange(const std::string& request, Reply& reply) {
    for (std::size_t sent = 0; sent < request.size();) {
        const ssize_t n =
            send(x_descriptor, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
    }
    std::size_t end = 0;
    while ((end = x_buffer.find("\r\n\r\n")) == std::string::npos)
        if (!read_more()) return false;
    std::string head = x_buffer.substr(0, end);
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t length_at = head.find("content-length:");
    std::size_t length = 0;
    if (length_at != std::string::npos)
        length = std::strtoul(head.c_str() + length_at + 15, nullptr, 10);
    else if (head.find("transfer-encoding:") != std::string::npos)
        throw std::runtime_error("an answer without Content-Length is more than this client reads");
    while (x_buffer.size() < end + 4 + length)
        if (!read_more()) return false;
    reply.status = std::atoi(head.c_str() + 9);
    reply.body = x_buffer.substr(end + 4, length);
    x_buffer.erase(0, end + 4 + length);
    if (head.find("connection: close") != std::string::npos) close_socket();
    return true;
}

Reply Rest::request(std::string_view method, std::string_view path, std::string_view token,
                    std::string_view body) {
    std::string text;
    text.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(x_address);
    text.append(":").append(std::to_string(x_port)).append("\r\n");
    if (!token.empty()) text.append("Authorization: Bearer ").append(token).append("\r\n");
    if (!body.empty()) text.append("Content-Type: application/json\r\n");
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    text.append(body);
    Reply reply;
    const bool reused = x_descriptor >= 0;
    if (!reused) open();
    if (exchange(text, reply)) return reply;
    close_socket();
    if (!reused) throw std::runtime_error("no answer to " + std::string(path));
    open(); // the server may close an idle connection at any time
    if (!exchange(text, reply)) throw std::runtime_error("no answer to " + std::string(path));
    return reply;
}

std::string Rest::must(std::string_view method, std::string_view path, std::string_view token,
                       std::string_view body) {
    Reply reply = request(method, path, token, body);
    if (reply.status < 200 || reply.status > 299)
        throw std::runtime_error(std::string(method) + " " + std::string(path) + ": " +
                                 std::to_string(reply.status) + " " + reply.body.substr(0, 200));
    return std::move(reply.body);
}

} // namespace parley::bench
