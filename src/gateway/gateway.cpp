#include "gateway/gateway.hpp"

#include "gateway/origins.hpp"
#include "gateway/session.hpp"

namespace parley::gateway {

template class SessionHost<Session>;

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

Gateway::Verdict Gateway::on_handshake(const net::HttpRequest& request) {
    Verdict verdict;
    if (!origin_is_allowed(request, settings().allowed_origins)) {
        verdict.refusal = problem(403, "Forbidden", "forbidden",
                                  "this Origin may not open sockets; add it to allowed_origins");
        return verdict;
    }
    if (const auto taken = take_connect(request.peer_address); !taken) {
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
    if (draining()) {
        verdict.refusal =
            problem(503, "Service Unavailable", "unavailable", "the server is stopping");
        verdict.refusal->headers.emplace_back("Retry-After", "1");
        return verdict;
    }
    if (offer.ours) verdict.subprotocol = kSubprotocol;
    std::optional<Result<ports::AccessClaims>> claims;
    if (!offer.token.empty()) claims = accounts().authenticate(offer.token);
    verdict.open = [this, claims = std::move(claims)](net::WebSocket& socket) {
        auto session = std::make_unique<Session>(*this, socket);
        session->start(claims);
        return session;
    };
    return verdict;
}

void Gateway::send_goaway() {
    drain();
    std::int64_t wait_ms = 100;
    for (const auto& [id, session] : sessions()) {
        session->send_goaway(std::chrono::milliseconds(wait_ms));
        wait_ms = 100 + (wait_ms + 7) % 4'900;
    }
}

std::string Gateway::connection_id(std::uint64_t id) {
    return std::to_string(core().index()) + "-" + std::to_string(id);
}

} // namespace parley::gateway
