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

#include "gateway/gateway.hpp"
#include "ports/entropy.hpp"
#include "protocol/classic/client_frame.hpp"

#include <string>
#include <unordered_map>

namespace parley::gateway {

class ClassicSession;

class ClassicGateway final : public net::WebSocketAcceptor {
public:
    ClassicGateway(GatewaySettings settings, Core& core, service::Rooms& rooms,
                   service::Accounts& accounts, const ports::Clock& clock, ports::Entropy& entropy,
                   std::function<TimerWheel&()> wheel, Metrics& metrics);

    bool serves(std::string_view path) const override { return path == "/ws/user/joinRoom"; }
    Verdict on_handshake(const net::HttpRequest& request) override;
    Task<Verdict> decide(net::HttpRequest request) override;

    // Closes the open sockets of a session with 4501.
    void revoke(model::SessionId session);
    void drain() { x_draining = true; }

    // --- for ClassicSession
    const GatewaySettings& settings() const { return x_settings; }
    service::Rooms& rooms() { return x_rooms; }
    service::RateLimits& rates() { return x_accounts.rates(); }
    const ports::Clock& clock() const { return x_clock; }
    TimerWheel& wheel() { return x_wheel(); }
    protocol::classic::Decoder& decoder() { return x_decoder; }
    std::string& scratch() {
        x_scratch.clear();
        return x_scratch;
    }
    // Unique, and greater than every one before it: what the store knows as new without a look-up.
    std::string next_nonce();
    void add(std::uint64_t id, ClassicSession& session) { x_sessions.emplace(id, &session); }
    void remove(std::uint64_t id) { x_sessions.erase(id); }
    ClassicSession* find(std::uint64_t id) const {
        const auto found = x_sessions.find(id);
        return found == x_sessions.end() ? nullptr : found->second;
    }
    void count_error(std::string_view code);

private:
    const GatewaySettings x_settings;
    Core& x_core;
    service::Rooms& x_rooms;
    service::Accounts& x_accounts;
    const ports::Clock& x_clock;
    std::function<TimerWheel&()> x_wheel;
    Metrics& x_metrics;
    protocol::classic::Decoder x_decoder;
    std::string x_scratch;
    std::unordered_map<std::uint64_t, ClassicSession*> x_sessions;
    std::string x_nonce_end; // of this gateway alone
    std::int64_t x_nonce_ms = 0;
    std::uint32_t x_nonce_number = 0;
    bool x_draining = false;
};

} // namespace parley::gateway
