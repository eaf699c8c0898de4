// SessionHost: what the socket surfaces of one core have in common: the services that their
// sessions use, and the sessions that are open, by their responder's number.
//
// Threading: its core; revoke() from any thread. Owner: the gateway that inherits it. Shutdown:
// drain() lets nobody in any more; net then closes the connections, and each session leaves by its
// on_closed(). Bound: one entry for each open socket (limits::kConnections).
#pragma once

#include "base/core.hpp"
#include "base/metrics.hpp"
#include "base/timer_wheel.hpp"
#include "ports/clock.hpp"
#include "service/accounts.hpp"
#include "service/media.hpp"
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

struct GatewaySettings {
    std::vector<std::string>
        allowed_origins; // besides the host itself, e.g. https://chat.example.org
    std::chrono::milliseconds heartbeat = limits::kHeartbeat;
};

// What a gateway works with. `wheel` is asked for once the server exists, since the server owns it.
struct GatewayParts {
    GatewaySettings settings;
    Core& core;
    service::Rooms& rooms;
    service::Accounts& accounts;
    const ports::Clock& clock;
    std::function<TimerWheel&()> wheel;
    Metrics& metrics;
    service::Media* media = nullptr; // null where none are served
};

// A Session has session_id(), signed_in() and revoke().
template <class Session>
class SessionHost {
public:
    explicit SessionHost(GatewayParts parts) : x_parts(std::move(parts)) {}

    // Closes the open sockets of a session with 4501.
    void revoke(model::SessionId session);
    void drain() { x_draining = true; }
    bool draining() const { return x_draining; }

    // Takes a handshake from `peer_address` out of its address's right to connect: rate_limited.
    Result<void> take_connect(std::string_view peer_address) {
        const auto now = x_parts.clock.steady();
        const auto address = rates().of_address(address_block(peer_address), now);
        return rates().take(service::Limit::address_connects, *address, now);
    }

    // --- for sessions
    const GatewaySettings& settings() const { return x_parts.settings; }
    Core& core() { return x_parts.core; }
    service::Rooms& rooms() { return x_parts.rooms; }
    service::Accounts& accounts() { return x_parts.accounts; }
    service::Media* media() { return x_parts.media; }
    service::RateLimits& rates() { return x_parts.accounts.rates(); }
    const ports::Clock& clock() const { return x_parts.clock; }
    TimerWheel& wheel() { return x_parts.wheel(); }
    // Empty, for one frame at a time.
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
    void count_error(std::string_view code) {
        x_parts.metrics
            .counter("parley_socket_errors_total", "Error frames sent, by code",
                     "code=\"" + std::string(code) + "\"")
            .add();
    }

protected:
    ~SessionHost() = default;
    const std::unordered_map<std::uint64_t, Session*>& sessions() const { return x_sessions; }

private:
    const GatewayParts x_parts;
    std::string x_scratch;
    std::unordered_map<std::uint64_t, Session*> x_sessions;
    bool x_draining = false;
};

// Not in the class: whoever includes a gateway need not know its sessions. Each gateway's .cpp
// instantiates its host.
template <class Session>
void SessionHost<Session>::revoke(model::SessionId session) {
    x_parts.core.post([this, session] {
        std::vector<Session*> hit;
        for (const auto& [id, each] : x_sessions)
            if (each->signed_in() && each->session_id() == session) hit.push_back(each);
        for (Session* each : hit) each->revoke();
    });
}

} // namespace parley::gateway
