#include "net/ws_session.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "net/net_loop.hpp"

#include <algorithm>
#include <utility>

namespace parley::net {

WsSession::WsSession(Connection& connection, std::string peer_address,
                     std::optional<DeflateWindow> deflate)
    : x_connection(connection),
      x_peer_address(std::move(peer_address)),
      x_deflate(deflate),
      x_last_input(connection.loop().now()) {
    x_connection.loop().probe().websocket.add(1);
}

WsSession::~WsSession() { x_connection.loop().probe().websocket.add(-1); }

void WsSession::open(
    const std::function<std::unique_ptr<WebSocketHandler>(WebSocket&)>& make_handler) {
    x_handler = make_handler(*this);
    PARLEY_ASSERT(x_handler != nullptr);
}

bool WsSession::fits(const FrameRef& frame) const {
    const ServerSettings& settings = x_connection.loop().settings();
    return x_connection.queued_bytes() + frame.size() <= settings.outbound_bytes_max &&
           x_connection.queued_frames() < settings.outbound_frames_max;
}

void WsSession::send(const FrameRef& frame) {
    if (x_state != State::open) return;
    queue(x_deflate ? x_connection.loop().deflated(frame, *x_deflate) : frame);
}

void WsSession::queue(const FrameRef& frame) {
    if (fits(frame)) return x_connection.enqueue(frame);
    x_connection.relieve();
    if (fits(frame)) return x_connection.enqueue(frame);
    // Who is that far behind gets the close frame in place of what waits, and resumes later.
    x_connection.loop().probe().dropped.add(x_connection.drop_unsent() + 1);
    start_closing(CloseCode::too_slow, "the send queue is full");
}

void WsSession::close(CloseCode code, std::string_view reason) {
    if (x_state == State::open) start_closing(code, reason);
}

void WsSession::start_closing(CloseCode code, std::string_view reason) {
    NetLoop& loop = x_connection.loop();
    end_pause(); // the peer's close frame is to be read
    x_state = State::closing;
    x_code = code;
    x_close_by = loop.now() + loop.settings().timeouts.close;
    loop.probe().count_close(code);
    x_connection.enqueue(make_close_frame(code, reason));
    x_connection.schedule();
}

void WsSession::end_with(CloseCode code, std::string_view reason) {
    x_connection.loop().probe().count_close(code);
    x_connection.enqueue(make_close_frame(code, reason));
    x_connection.finish();
    tell_closed(code);
}

void WsSession::tell_closed(CloseCode code) {
    if (x_state == State::closed) return;
    x_state = State::closed;
    if (!x_handler) return; // cut while it was being made
    x_handler->on_closed(code);
    x_handler.reset();
}

void WsSession::on_bytes(std::span<char> bytes) {
    x_last_input = x_connection.loop().now();
    if (x_state == State::open) pause_for(x_handler->on_received(bytes.size()));
    const ServerSettings& settings = x_connection.loop().settings();
    const WsLimits limits{.message_bytes = settings.message_bytes_max,
                          .fragments = settings.fragments_max,
                          .binary = settings.binary_messages,
                          .inflater = x_deflate ? &x_connection.loop().inflater() : nullptr};
    while (auto event = x_parser.next(bytes, limits)) {
        handle(*event);
        if (x_state == State::closed) return;
    }
    if (x_parser.incomplete() != (x_assembly_by != Time::max())) watch_assembly();
}

void WsSession::watch_assembly() {
    if (!x_parser.incomplete()) {
        x_assembly_by = Time::max();
        return;
    }
    x_assembly_by = x_last_input + x_connection.loop().settings().timeouts.message_assembly;
    x_connection.schedule();
}

void WsSession::pause_for(std::chrono::milliseconds wait) {
    if (wait.count() == 0 || x_state != State::open) return;
    x_paused_until =
        x_connection.loop().now() + std::min<Time::duration>(wait, limits::kReadPauseMax);
    x_connection.pause_reading();
    x_connection.schedule();
}

void WsSession::look_after_pause(Time now) {
    if (now < x_paused_until) return;
    const auto wait = x_handler->on_received(0);
    if (x_state != State::open) return; // it was closed
    if (wait.count() > 0) return pause_for(wait);
    // That nothing was read was not the peer's doing.
    x_last_input = now;
    if (x_assembly_by != Time::max())
        x_assembly_by = now + x_connection.loop().settings().timeouts.message_assembly;
    end_pause();
}

void WsSession::end_pause() {
    if (std::exchange(x_paused_until, Time::max()) != Time::max()) x_connection.resume_reading();
}

void WsSession::handle(const WsEvent& event) {
    switch (event.kind) {
    case WsEvent::Kind::text:
    case WsEvent::Kind::binary:
        x_assembly_by = Time::max();
        x_connection.loop().probe().messages_received.add();
        if (x_state != State::open) return; // said after our close frame
        if (event.kind == WsEvent::Kind::text)
            x_handler->on_text(event.data);
        else
            x_handler->on_binary(event.data);
        return;
    case WsEvent::Kind::ping:
        return on_ping(event.data);
    case WsEvent::Kind::pong:
        return;
    case WsEvent::Kind::close:
        return on_peer_close(event);
    case WsEvent::Kind::failure:
        if (x_state == State::open) return end_with(event.code, "");
        x_connection.finish();
        return tell_closed(x_code);
    }
}

void WsSession::on_ping(std::string_view payload) {
    if (x_state != State::open) return;
    FrameRef pong = make_frame(Opcode::pong, payload);
    // RFC 6455 section 5.5.3: it is enough to answer the last ping.
    if (x_pongs == kPongsQueued) {
        x_last_pong = std::move(pong);
        return;
    }
    ++x_pongs;
    send(pong);
}

void WsSession::on_peer_close(const WsEvent& event) {
    const bool ours = x_state == State::closing;
    if (!ours) x_connection.enqueue(make_close_frame(event.code, ""));
    x_connection.finish();
    tell_closed(ours ? x_code : event.code);
}

void WsSession::on_drained() {
    x_pongs = 0;
    if (x_last_pong) send(std::exchange(x_last_pong, FrameRef()));
}

void WsSession::on_end() { x_connection.cut(Cut::gently); }

void WsSession::on_gone() { tell_closed(x_state == State::closing ? x_code : CloseCode::abnormal); }

void WsSession::on_stalled() {
    if (x_state == State::open) x_connection.loop().probe().count_close(CloseCode::too_slow);
    tell_closed(x_state == State::closing ? x_code : CloseCode::too_slow);
}

Time WsSession::deadline() const {
    if (x_state != State::open) return x_close_by;
    if (x_paused_until != Time::max()) return x_paused_until;
    const ServerSettings& settings = x_connection.loop().settings();
    return std::min({x_last_input + settings.idle,
                     std::max(x_last_input, x_last_ping) + settings.heartbeat, x_assembly_by});
}

void WsSession::on_deadline(Time now) {
    if (x_state == State::closing) {
        if (now >= x_close_by)
            x_connection.cut(x_connection.queued_bytes() == 0 ? Cut::gently : Cut::reset);
        return;
    }
    if (x_paused_until != Time::max()) return look_after_pause(now);
    const ServerSettings& settings = x_connection.loop().settings();
    if (now >= x_last_input + settings.idle)
        return start_closing(CloseCode::idle, "nothing was received");
    if (now >= x_assembly_by)
        return end_with(CloseCode::message_too_big, "the message came too slowly");
    if (now < std::max(x_last_input, x_last_ping) + settings.heartbeat) return;
    x_connection.release_memory();
    x_last_ping = now;
    send(make_frame(Opcode::ping, {}));
}

void WsSession::on_drain() { close(CloseCode::going_away, "the server stops"); }

} // namespace parley::net
