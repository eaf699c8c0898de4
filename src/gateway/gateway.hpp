// Gateway: the v1 WebSocket surface of one core: handshakes, and the sessions that are open.
//
// Threading: its core; revoke() from any thread. Owner: app/wiring, one for each core. Shutdown:
// drain() sends goaway; net then closes the connections, and each session leaves by its
// on_closed().
#pragma once

#include "base/core.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/timer_wheel.hpp"
#include "net/websocket.hpp"
#include "ports/clock.hpp"
#include "protocol/v1/client_frame.hpp"
#include "service/accounts.hpp"
#include "service/rate_limits.hpp"
#include "service/rooms.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace parley::gateway {

class Session;

struct GatewaySettings {
    std::vector<std::string>
        allowed_origins; // besides the host itself, e.g. https://chat.example.org
    std::chrono::milliseconds heartbeat = limits::kHeartbeat;
};

class Gateway final : public net::WebSocketAcceptor {
public:
    // `wheel` is asked for once the server exists, since the server owns it.
    Gateway(GatewaySettings settings, Core& core, service::Rooms& rooms,
            service::Accounts& accounts, const ports::Clock& clock,
            std::function<TimerWheel&()> wheel, Metrics& metrics);

    bool serves(std::string_view path) const override { return path == "/v1/ws"; }
    Verdict on_handshake(const net::HttpRequest& request) override;

    // Closes the open sockets of a session with 4501.
    void revoke(model::SessionId session);
    // Tells every session to come back after a wait, spread so that they do not return all at once.
    void send_goaway();

    // --- for Session
    const GatewaySettings& settings() const { return x_settings; }
    service::Rooms& rooms() { return x_rooms; }
    service::Accounts& accounts() { return x_accounts; }
    service::RateLimits& rates() { return x_accounts.rates(); }
    const ports::Clock& clock() const { return x_clock; }
    TimerWheel& wheel() { return x_wheel(); }
    protocol::v1::Decoder& decoder() { return x_decoder; }
    std::string& scratch() {
        x_scratch.clear();
        return x_scratch;
    }
    void add(std::uint64_t id, Session& session) { x_sessions.emplace(id, &session); }
    void remove(std::uint64_t id) { x_sessions.erase(id); }
    Session* find(std::uint64_t id) const {
        const auto found = x_sessions.find(id);
        return found == x_sessions.end() ? nullptr : found->second;
    }
    std::string connection_id(std::uint64_t id) const;
    void count_error(std::string_view code);
    bool draining() const { return x_draining; }

private:
    const GatewaySettings x_settings;
    Core& x_core;
    service::Rooms& x_rooms;
    service::Accounts& x_accounts;
    const ports::Clock& x_clock;
    std::function<TimerWheel&()> x_wheel;
    Metrics& x_metrics;
    protocol::v1::Decoder x_decoder;
    std::string x_scratch;
    std::unordered_map<std::uint64_t, Session*> x_sessions;
    bool x_draining = false;
};

} // namespace parley::gateway
