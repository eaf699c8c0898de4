// WsSession: a WebSocket on a connection: its state, heartbeat, deadlines and queue bounds.
//
// Threading: its connection's core. Owner: the connection; it owns the handler. Shutdown:
// on_drain() closes with going_away. Bounds: ServerSettings.
#pragma once

#include "net/connection.hpp"
#include "net/websocket.hpp"
#include "net/ws_codec.hpp"
#include "net/ws_deflate.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace parley::net {

class WsSession final : public Protocol, public WebSocket {
public:
    // `deflate`: how messages out are compressed, if permessage-deflate was agreed on.
    WsSession(Connection& connection, std::string peer_address,
              std::optional<DeflateWindow> deflate);
    ~WsSession() override;
    void open(const std::function<std::unique_ptr<WebSocketHandler>(WebSocket&)>& make_handler);

    void send(const FrameRef& frame) override;
    void close(CloseCode code, std::string_view reason) override;
    std::size_t queued_bytes() const override { return x_connection.queued_bytes(); }
    const std::string& peer_address() const override { return x_peer_address; }

    void on_bytes(std::span<char> bytes) override;
    void on_end() override;
    void on_gone() override;
    void on_drained() override;
    void on_stalled() override;
    Time deadline() const override;
    void on_deadline(Time now) override;
    void on_drain() override;

private:
    enum class State : std::uint8_t {
        open,
        closing, // our close frame is queued, the peer's is awaited
        closed,  // on_closed() was called
    };
    static constexpr std::uint8_t kPongsQueued = 16; // then only the last ping is answered

    void handle(const WsEvent& event);
    void on_ping(std::string_view payload);
    void on_peer_close(const WsEvent& event);
    // Queues a close frame, ends the connection and tells the handler.
    void end_with(CloseCode code, std::string_view reason);
    void start_closing(CloseCode code, std::string_view reason);
    void queue(const FrameRef& frame);
    bool fits(const FrameRef& frame) const;
    void tell_closed(CloseCode code);
    void watch_assembly();
    void pause_for(std::chrono::milliseconds wait);
    void look_after_pause(Time now);
    void end_pause();

    Connection& x_connection;
    std::unique_ptr<WebSocketHandler> x_handler;
    const std::string x_peer_address;
    const std::optional<DeflateWindow> x_deflate;
    WsParser x_parser;
    FrameRef x_last_pong; // of a ping that came while kPongsQueued others waited
    Time x_last_input;
    Time x_last_ping{};
    Time x_assembly_by = Time::max();  // while a message or frame is incomplete
    Time x_close_by = Time::max();     // while closing
    Time x_paused_until = Time::max(); // while the handler wants nothing to be read
    State x_state = State::open;
    CloseCode x_code = CloseCode::abnormal; // while closing: ours
    std::uint8_t x_pongs = 0;               // queued since the queue was last empty
};

} // namespace parley::net
