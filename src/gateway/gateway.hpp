// Gateway: the v1 WebSocket surface of one core: handshakes, and the sessions that are open.
//
// Threading: its core; revoke() from any thread. Owner: app/wiring, one for each core. Shutdown:
// send_goaway(); net then closes the connections, and each session leaves by its
// on_closed().
#pragma once

#include "gateway/session_host.hpp"
#include "net/websocket.hpp"
#include "protocol/v1/client_frame.hpp"

#include <cstdint>
#include <string>

namespace parley::gateway {

class Session;
extern template class SessionHost<Session>;

class Gateway final : public net::WebSocketAcceptor, public SessionHost<Session> {
public:
    using SessionHost::SessionHost;

    bool serves(std::string_view path) const override { return path == "/v1/ws"; }
    Verdict on_handshake(const net::HttpRequest& request) override;

    // drain(), and tells every session to come back after a wait, spread so that they do not return
    // all at once.
    void send_goaway();

    // --- for Session
    protocol::v1::Decoder& decoder() { return x_decoder; }
    std::string connection_id(std::uint64_t id);

private:
    protocol::v1::Decoder x_decoder;
};

} // namespace parley::gateway
