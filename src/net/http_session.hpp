// HttpSession: HTTP/1.1 on a connection: one request at a time, keep-alive, pipelining, and the
// switch to WebSocket.
//
// While a request is answered nothing is read, and the next one is not begun before the answer is
// queued and the queue is short. Threading: its connection's core. Owner: the connection.
// Bounds: HttpLimits and Timeouts; at most one read buffer of unparsed bytes.
#pragma once

#include "net/connection.hpp"
#include "net/http_codec.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace parley::net {

class HttpSession final : public Protocol {
public:
    HttpSession(Connection& connection, std::string peer);
    ~HttpSession() override;

    void on_bytes(std::span<char> bytes) override;
    void on_end() override;
    void on_gone() override;
    void on_drained() override;
    Time deadline() const override { return x_deadline; }
    void on_deadline(Time now) override;
    void on_drain() override;
    void on_answer(std::uint32_t request, HttpResponse&& answer) override;
    void on_verdict(std::uint32_t request, WebSocketAcceptor::Verdict&& verdict) override;

private:
    enum class State : std::uint8_t {
        reading,  // or idle between two requests
        busy,     // the handler runs, or the verdict on a handshake is awaited
        clogged,  // the answers wait for the peer to read
        finished, // the connection ends, or speaks WebSocket now
    };
    // Below this many unwritten bytes the next pipelined request is begun.
    static constexpr std::size_t kQueuedBytesMax = 64 * 1024;

    void process();
    void begin_request();
    void after_progress();
    void dispatch();
    void begin_stream(ParsedRequest& parsed);
    std::size_t feed_stream(std::string_view bytes);
    void end_stream();
    struct Handshake {
        std::string key, extensions; // Sec-WebSocket-Key and -Extensions
        std::string client;          // its address
    };
    void upgrade(ParsedRequest parsed);
    void conclude(const WebSocketAcceptor::Verdict& verdict, const Handshake& handshake);
    void answer(const HttpResponse& response);
    // What this side refuses by itself, in the words of the path's surface.
    void refuse(std::string_view path, HttpResponse response);
    void next_request();
    void expect_by(std::chrono::milliseconds from_now);

    Connection& x_connection;
    const std::string x_peer;             // the socket's other end
    std::unique_ptr<HttpParser> x_parser; // while a request is read
    std::string x_unparsed;
    std::string x_path;                   // while busy
    std::shared_ptr<BodyStream> x_stream; // while busy, of a body that the handler reads
    Handshake x_handshake;                // while its verdict is awaited
    Time x_deadline;
    std::uint32_t x_number = 0; // of the request: a late answer to an earlier one is dropped
    State x_state = State::reading;
    bool x_first = true; // no request was begun yet
    bool x_in_body = false;
    bool x_processing = false;
    bool x_is_head = false; // of the current request, as the next one
    bool x_keep_alive = true;
};

} // namespace parley::net
