#include "gateway/classic_gateway.hpp"

#include "gateway/classic_session.hpp"
#include "gateway/origins.hpp"
#include "protocol/classic/server_frame.hpp"

#include <array>
#include <cstdio>

namespace parley::gateway {

template class SessionHost<ClassicSession>;

namespace {

net::HttpResponse refusal(int status, std::string_view text) {
    net::HttpResponse response;
    response.status = status;
    protocol::classic::append_refusal(response.body, text);
    if (status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
}

net::HttpResponse refusal(const Error& error) {
    switch (error.code) {
    case Errc::unknown_room:
    case Errc::not_a_member:
    case Errc::forbidden:
        return refusal(403, "You are not a member of this room.");
    case Errc::rate_limited: {
        net::HttpResponse response = refusal(429, error.detail);
        const auto wait = error.retry_after.value_or(std::chrono::milliseconds(0)).count();
        response.headers.emplace_back("Retry-After", std::to_string(wait / 1000 + 1));
        return response;
    }
    case Errc::unauthorized:
    case Errc::token_expired:
    case Errc::session_revoked:
        return refusal(401, "Send a valid token in the header 'token'.");
    default:
        return refusal(503, "The server is busy. Try again.");
    }
}

std::optional<model::RoomId> room_of(const net::HttpRequest& request) {
    const auto text = request.plain_query_value("roomid");
    if (!text || request.query_is_ambiguous("roomname")) return std::nullopt;
    return model::RoomId::parse(*text);
}

} // namespace

ClassicGateway::ClassicGateway(GatewayParts parts, ports::Entropy& entropy)
    : SessionHost(std::move(parts)) {
    std::array<std::byte, 8> random;
    entropy.fill(random);
    for (const std::byte byte : random) {
        char hex[3];
        std::snprintf(hex, sizeof hex, "%02x", std::to_integer<unsigned>(byte));
        x_nonce_end += hex;
    }
}

ClassicGateway::Verdict ClassicGateway::on_handshake(const net::HttpRequest& request) {
    Verdict verdict;
    if (const auto taken = take_connect(request.peer_address); !taken)
        verdict.refusal = refusal(taken.error());
    else if (!origin_is_allowed(request, settings().allowed_origins))
        verdict.refusal = refusal(403, "This Origin may not open sockets.");
    else if (!room_of(request))
        verdict.refusal = refusal(400, "roomid: one id was expected.");
    else if (draining())
        verdict.refusal = refusal(503, "The server is stopping.");
    else if (const auto claims = accounts().authenticate(request.header_or_query("token")); !claims)
        verdict.refusal = refusal(claims.error());
    else
        verdict.later = true;
    return verdict;
}

Task<ClassicGateway::Verdict> ClassicGateway::decide(net::HttpRequest request) {
    const model::RoomId room = *room_of(request);
    Verdict verdict;
    const auto claims = accounts().authenticate(request.header_or_query("token"));
    if (!claims) {
        verdict.refusal = refusal(claims.error());
        co_return verdict;
    }
    const auto view = co_await rooms().require(claims->user_id, room, chat::Action::view);
    if (!view) {
        verdict.refusal = refusal(view.error());
        co_return verdict;
    }
    const auto user = co_await accounts().profile(claims->user_id);
    if (!user || user->disabled) {
        verdict.refusal = refusal(user ? Error(Errc::unauthorized) : user.error());
        co_return verdict;
    }
    verdict.open = [this, who = *claims, room, name = view->room.name,
                    username = user->username](net::WebSocket& socket) {
        auto session = std::make_unique<ClassicSession>(*this, socket, who, room);
        // It may have been revoked while the room was asked; from here on revoke() finds it.
        if (accounts().is_revoked(who.session_id))
            session->revoke();
        else
            session->start(name, username);
        return session;
    };
    co_return verdict;
}

std::string ClassicGateway::next_nonce() {
    const std::int64_t now = clock().now().ms;
    if (now > x_nonce_ms || ++x_nonce_number == 0) {
        x_nonce_ms = std::max(now, x_nonce_ms + 1);
        x_nonce_number = 0;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%012llx-%08x-", static_cast<unsigned long long>(x_nonce_ms),
                  x_nonce_number);
    return text + x_nonce_end;
}

} // namespace parley::gateway
