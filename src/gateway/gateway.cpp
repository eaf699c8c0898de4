#include "gateway/gateway.hpp"

#include "gateway/origins.hpp"
#include "gateway/session.hpp"

namespace parley::gateway {

namespace {

constexpr std::string_view kSubprotocol = "parley.v1";
constexpr std::string_view kBearerPrefix = "bearer.";

net::HttpResponse problem(int status, std::string_view title, std::string_view code,
                          std::string_view detail) {
    net::HttpResponse response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = "{\"type\":\"about:blank\",\"title\":\"" + std::string(title) +
                    "\",\"status\":" + std::to_string(status) + ",\"detail\":\"" +
                    std::string(detail) + "\",\"code\":\"" + std::string(code) + "\"}";
    return response;
}

// What the client offers: RFC 6455 section 4.1, a comma-separated list of tokens, perhaps in
// several headers.
struct Offer {
    bool any = false;
    bool ours = false;
    std::string_view token;
};

Offer read_offer(const net::HttpRequest& request) {
    Offer offer;
    for (const auto& [name, value] : request.headers) {
        if (name != "sec-websocket-protocol") continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const std::size_t comma = rest.find(',');
            std::string_view item = rest.substr(0, comma);
            rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            while (!item.empty() && (item.front() == ' ' || item.front() == '\t'))
                item.remove_prefix(1);
            while (!item.empty() && (item.back() == ' ' || item.back() == '\t'))
                item.remove_suffix(1);
            if (item.empty()) continue;
            offer.any = true;
            if (item == kSubprotocol) offer.ours = true;
            if (item.starts_with(kBearerPrefix)) offer.token = item.substr(kBearerPrefix.size());
        }
    }
    const std::string_view header = request.header("authorization");
    if (header.size() > 7 && (header.starts_with("Bearer ") || header.starts_with("bearer ")))
        offer.token = header.substr(7);
    return offer;
}

} // namespace

Gateway::Gateway(GatewaySettings settings, Core& core, service::Rooms& rooms,
                 service::Accounts& accounts, const ports::Clock& clock,
                 std::function<TimerWheel&()> wheel, Metrics& metrics)
    : x_settings(std::move(settings)),
      x_core(core),
      x_rooms(rooms),
      x_accounts(accounts),
      x_clock(clock),
      x_wheel(std::move(wheel)),
      x_metrics(metrics) {}

Gateway::Verdict Gateway::on_handshake(const net::HttpRequest& request) {
    Verdict verdict;
    if (!origin_is_allowed(request, x_settings.allowed_origins)) {
        verdict.refusal = problem(403, "Forbidden", "forbidden",
                                  "this Origin may not open sockets; add it to allowed_origins");
        return verdict;
    }
    const auto now = x_clock.steady();
    const auto address = rates().of_address(address_block(request.peer_address), now);
    if (const auto taken = rates().take(service::Limit::address_connects, *address, now); !taken) {
        verdict.refusal = problem(429, "Too Many Requests", "rate_limited", taken.error().detail);
        const auto wait = taken.error().retry_after->count();
        verdict.refusal->headers.emplace_back("Retry-After", std::to_string(wait / 1000 + 1));
        return verdict;
    }
    const Offer offer = read_offer(request);
    if (offer.any && !offer.ours) {
        verdict.refusal =
            problem(400, "Bad Request", "bad_request", "the subprotocol is parley.v1");
        return verdict;
    }
    if (x_draining) {
        verdict.refusal =
            problem(503, "Service Unavailable", "unavailable", "the server is stopping");
        verdict.refusal->headers.emplace_back("Retry-After", "1");
        return verdict;
    }
    if (offer.ours) verdict.subprotocol = kSubprotocol;
    std::optional<Result<ports::AccessClaims>> claims;
    if (!offer.token.empty()) claims = x_accounts.authenticate(offer.token);
    verdict.open = [this, claims = std::move(claims)](net::WebSocket& socket) {
        auto session = std::make_unique<Session>(*this, socket);
        session->start(claims);
        return session;
    };
    return verdict;
}

void Gateway::revoke(model::SessionId session) {
    x_core.post([this, session] {
        std::vector<Session*> hit;
        for (const auto& [id, each] : x_sessions)
            if (each->signed_in() && each->session_id() == session) hit.push_back(each);
        for (Session* each : hit) each->revoke();
    });
}

void Gateway::send_goaway() {
    x_draining = true;
    std::int64_t wait_ms = 100;
    for (const auto& [id, session] : x_sessions) {
        session->send_goaway(std::chrono::milliseconds(wait_ms));
        wait_ms = 100 + (wait_ms + 7) % 4'900;
    }
}

std::string Gateway::connection_id(std::uint64_t id) const {
    return std::to_string(x_core.index()) + "-" + std::to_string(id);
}

void Gateway::count_error(std::string_view code) {
    x_metrics
        .counter("parley_socket_errors_total", "Error frames sent, by code",
                 "code=\"" + std::string(code) + "\"")
        .add();
}

} // namespace parley::gateway
