// Server: the listener and every connection of the process. One port speaks HTTP/1.1 and WebSocket.
//
// How it works. Core 0 accepts and hands sockets to the cores in turn. Each core has a NetLoop: an
// own edge-triggered epoll for all its sockets (as a PollSource of the Core, and waited for by Asio
// as one descriptor), a timer wheel, one read buffer for all connections, and a list of dirty
// connections that is flushed at the end of a turn with one write each. An idle connection owns no
// buffer. A connection starts as HTTP (Beast's parser, fed by hand) and may become a WebSocket. TLS
// is OpenSSL on the same descriptor.
//
// Threading: construct and start() before the cores run or on core 0; stop_accepting() and drain()
// from core 0's coroutines; connections live on their core. Owner: app/wiring. Shutdown:
// stop_accepting(), then drain(), then stop the cores, then destroy (which cuts what is left, on
// the destroying thread). The process must ignore SIGPIPE: OpenSSL writes without MSG_NOSIGNAL.
#pragma once

#include "base/core.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "net/http.hpp"
#include "net/websocket.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace parley::net {

// The deadlines of net; tests shorten them.
struct Timeouts {
    std::chrono::milliseconds http_header = limits::kHttpHeaderTimeout;
    std::chrono::milliseconds http_body = limits::kHttpBodyTimeout;
    std::chrono::milliseconds http_idle = limits::kHttpIdleTimeout;
    std::chrono::milliseconds http_handler = limits::kHttpHandlerTimeout;
    std::chrono::milliseconds message_assembly = limits::kMessageAssemblyTimeout;
    std::chrono::milliseconds write_stall = limits::kWriteStallTimeout;
    std::chrono::milliseconds close = limits::kCloseTimeout;
};

struct ServerSettings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;                      // 0: any free one, see Server::port()
    std::string tls_certificate_file, tls_key_file; // both or none
    std::vector<std::string> trusted_proxies; // addresses or CIDR blocks whose X-Forwarded-* count
    std::size_t connections_max = limits::kConnections;
    // Of one address that is no trusted proxy, an IPv6 one by its /64: 429 when it is accepted.
    std::size_t connections_per_address_max = limits::kConnections;
    std::chrono::milliseconds heartbeat = limits::kHeartbeat;
    std::chrono::milliseconds idle = limits::kIdle;
    Timeouts timeouts;
    std::size_t message_bytes_max = limits::kFrameBytes;
    std::size_t fragments_max = limits::kFragmentsPerMessage;
    std::size_t outbound_bytes_max = limits::kOutboundQueueBytes;
    std::size_t outbound_frames_max = limits::kOutboundQueueFrames;
    bool binary_messages = false; // else close 1003
    bool deflate = false;         // whether permessage-deflate is taken when a client offers it
};

// What one core serves. Borrowed; outlives the server.
struct CoreHandlers {
    HttpHandler* http = nullptr;
    WebSocketAcceptor* websocket = nullptr;
};

class Server {
public:
    // cores[i] serves with handlers[i]. Throws std::runtime_error with a text for the operator: the
    // address is in use, a certificate cannot be read.
    Server(ServerSettings settings, std::vector<Core*> cores, std::vector<CoreHandlers> handlers,
           Logger& log, Metrics& metrics);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void start();
    std::uint16_t port() const;
    // The wheel of a core, for deadlines of the layers above. On that core only.
    TimerWheel& wheel(std::uint16_t core);

    void stop_accepting();
    // Waits until running HTTP handlers have answered and queued frames are written, closes every
    // WebSocket with 1001, and cuts what is left at `deadline`.
    Task<void> drain(std::chrono::steady_clock::time_point deadline);

private:
    struct Impl;
    std::unique_ptr<Impl> x_impl;
};

} // namespace parley::net
