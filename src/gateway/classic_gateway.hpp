// ClassicGateway: the classic WebSocket surface of one core: GET
// /ws/user/joinRoom?roomid=&roomname= with a `token` header or parameter, and the sessions that are
// open.
//
// A handshake is judged in two steps. What its bytes tell is judged at once: 400 for a roomid that
// is not written plainly (a proxy may route by it), 401, 403 for a foreign Origin, 503 while
// draining. Whether the user is in the room is asked of the room's home core: 403, the same for a
// room that is not there.
//
// Threading: its core; revoke() from any thread. Owner: app/wiring, one for each core. Shutdown:
// drain() lets nobody in any more; net then closes the connections, and each session leaves by its
// on_closed().
#pragma once

#include "gateway/session_host.hpp"
#include "net/websocket.hpp"
#include "ports/entropy.hpp"
#include "protocol/classic/client_frame.hpp"

#include <string>

namespace parley::gateway {

class ClassicSession;
extern template class SessionHost<ClassicSession>;

class ClassicGateway final : public net::WebSocketAcceptor, public SessionHost<ClassicSession> {
public:
    ClassicGateway(GatewayParts parts, ports::Entropy& entropy);

    bool serves(std::string_view path) const override { return path == "/ws/user/joinRoom"; }
    Verdict on_handshake(const net::HttpRequest& request) override;
    Task<Verdict> decide(net::HttpRequest request) override;

    // --- for ClassicSession
    protocol::classic::Decoder& decoder() { return x_decoder; }
    // Unique, and greater than every one before it: what the store knows as new without a look-up.
    std::string next_nonce();

private:
    protocol::classic::Decoder x_decoder;
    std::string x_nonce_end; // of this gateway alone
    std::int64_t x_nonce_ms = 0;
    std::uint32_t x_nonce_number = 0;
};

} // namespace parley::gateway
