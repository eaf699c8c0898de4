#include "gateway/session.hpp"

#include "gateway/parting.hpp"
#include "protocol/v1/server_frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace parley::gateway {

namespace v1 = protocol::v1;

namespace {

// What one connection of a user can reach: the lower of the two; 0 for no limit.
std::uint64_t advertised_sends(const service::RateLimits& rates) {
    double most = std::numeric_limits<double>::infinity();
    for (const auto which : {service::Limit::connection_sends, service::Limit::user_sends})
        if (const RateLimit& limit = rates.limit(which); !limit.is_unlimited())
            most = std::min(most, limit.per_second);
    return std::isinf(most) ? 0 : std::max<std::uint64_t>(1, static_cast<std::uint64_t>(most));
}

} // namespace

Session::Session(Gateway& gateway, net::WebSocket& socket)
    : x_gateway(gateway),
      x_socket(socket),
      x_address(address_block(socket.peer_address())),
      x_rates(gateway.rates(), x_address, gateway.clock().steady()),
      x_deadline(*this) {
    x_id = gateway.rooms().add(*this);
    gateway.add(x_id, *this);
}

Session::~Session() {
    if (x_state != State::gone) on_closed(net::CloseCode::abnormal);
}

void Session::start(std::optional<Result<ports::AccessClaims>> claims) {
    x_counted = x_gateway.rates().sockets().enter(x_address);
    if (!x_counted)
        return close(net::CloseCode::too_many_connections,
                     "too many connections from this address");
    if (claims) return sign_in(std::move(*claims));
    x_gateway.wheel().arm(x_deadline, x_gateway.clock().steady() + limits::kHelloTimeout);
}

void Session::sign_in(Result<ports::AccessClaims> claims, std::string_view ref) {
    if (!claims) {
        const Errc code = claims.error().code;
        if (code == Errc::token_expired)
            return close(net::CloseCode::token_expired, "the token has expired; refresh it");
        if (code == Errc::session_revoked)
            return close(net::CloseCode::session_revoked, "the session was revoked");
        return close(net::CloseCode::bad_token, "no valid token");
    }
    if (x_state == State::open &&
        (claims->user_id != x_claims.user_id || claims->session_id != x_claims.session_id))
        return close(net::CloseCode::bad_token, "the token is of another session");
    x_claims = *claims;
    const auto now = x_gateway.clock().now();
    const auto left =
        std::chrono::milliseconds(std::max<std::int64_t>(0, x_claims.expires_at.ms - now.ms));
    x_gateway.wheel().arm(x_deadline, x_gateway.clock().steady() + left);
    if (x_state == State::hello) {
        x_user_id = x_claims.user_id;
        x_state = State::open;
        x_gateway.rooms().connect(*this, x_id, x_gateway.rates().sockets_per_user());
        if (!x_rates.sign_in(x_user_id, x_gateway.clock().steady()))
            return close(net::CloseCode::flooding, "this user connects too often");
    }
    std::string& out = x_gateway.scratch();
    v1::AdvertisedLimits limits{limits::kContentCodePoints, limits::kFrameBytes, 0};
    limits.sends_per_second = advertised_sends(x_gateway.rates());
    v1::append_welcome(out, ref, x_user_id, x_gateway.connection_id(x_id),
                       x_gateway.settings().heartbeat, limits);
    reply(out);
}

void Session::on_deadline() {
    if (x_state == State::hello)
        close(net::CloseCode::bad_token, "no token in time");
    else
        close(net::CloseCode::token_expired, "the token has expired; refresh it");
}

void Session::on_too_many_connections() {
    close(net::CloseCode::too_many_connections, "too many connections of this user");
}

void Session::revoke() { close(net::CloseCode::session_revoked, "the session was revoked"); }

void Session::close(net::CloseCode code, std::string_view reason) {
    // Ends what it hears at once: nothing of a room may reach a connection that lost its right.
    while (!x_listening.empty()) stop_listening(x_listening.back().room);
    x_deadline.cancel();
    x_socket.close(code, reason);
}

void Session::on_closed(net::CloseCode code) {
    if (x_state == State::gone) return;
    while (!x_listening.empty()) stop_listening(x_listening.back().room);
    if (x_state == State::open) x_gateway.rooms().disconnect(*this, parting(code));
    x_state = State::gone;
    if (x_counted) x_gateway.rates().sockets().leave(x_address);
    x_deadline.cancel();
    x_gateway.rooms().remove(x_id);
    x_gateway.remove(x_id);
}

void Session::send_goaway(std::chrono::milliseconds retry_after) {
    std::string& out = x_gateway.scratch();
    v1::append_goaway(out, "the server is stopping", retry_after);
    reply(out);
}

std::chrono::milliseconds Session::on_received(std::size_t bytes) {
    const auto wait = x_rates.received(bytes, x_gateway.clock().steady());
    if (x_rates.is_flooding()) close(net::CloseCode::flooding, "too many bytes for too long");
    return wait;
}

void Session::on_text(std::string_view text) {
    if (x_state == State::gone) return;
    const auto decoded = x_gateway.decoder().decode(text);
    if (const auto* error = std::get_if<v1::FrameError>(&decoded)) {
        if (x_state == State::hello) return close(net::CloseCode::bad_token, "hello comes first");
        if (!allowed(error->ref, error->nonce, x_rates.request(x_gateway.clock().steady()))) return;
        return fail(error->ref, error->nonce, v1::name_of(error->code), error->detail);
    }
    const auto& frame = std::get<v1::ClientFrame>(decoded);
    if (x_state == State::hello && !std::holds_alternative<v1::Hello>(frame.op))
        return close(net::CloseCode::bad_token, "hello comes first");
    const auto* const send = std::get_if<v1::Send>(&frame.op);
    if (!allowed(frame.ref, send ? std::string_view(send->nonce) : std::string_view(),
                 x_rates.request(x_gateway.clock().steady())))
        return;
    std::visit([&](const auto& op) { handle(frame.ref, op); }, frame.op);
}

void Session::push(const FrameRef& frame) { x_socket.send(frame); }

void Session::on_ended(chat::Subscription& subscription) {
    std::erase_if(x_listening, [&](const Listening& l) { return l.subscription == &subscription; });
}

void Session::on_outcome(const service::DeliveryRef& delivery) {
    --x_changes_in_flight;
    const ports::Outcome& outcome = delivery->outcome;
    if (outcome.error) return fail(outcome.origin.ref, outcome.nonce, *outcome.error);
    std::string& out = x_gateway.scratch();
    const model::Event* event = delivery->event();
    if (event && std::holds_alternative<model::MessagePosted>(event->body))
        v1::append_sent(out, outcome.origin.ref, outcome.nonce, *event);
    else
        v1::append_done(out, outcome.origin.ref, outcome.room_id,
                        event ? event->id : model::EventId{});
    reply(out);
}

Session::Listening* Session::find(model::RoomId room) {
    const auto at =
        std::lower_bound(x_listening.begin(), x_listening.end(), room,
                         [](const Listening& l, model::RoomId r) { return l.room < r; });
    return at == x_listening.end() || at->room != room ? nullptr : &*at;
}

void Session::stop_listening(model::RoomId room) {
    Listening* listening = find(room);
    if (!listening) return;
    chat::Subscription& subscription = *listening->subscription;
    x_listening.erase(x_listening.begin() + (listening - x_listening.data()));
    x_gateway.rooms().stop_listening(subscription);
}

void Session::reply(const std::string& payload) { x_socket.send(net::make_text_frame(payload)); }

void Session::fail(std::string_view ref, std::string_view nonce, const Error& error) {
    fail(ref, nonce, v1::socket_code(error.code), error.detail, error.retry_after);
}

void Session::fail(std::string_view ref, std::string_view nonce, std::string_view code,
                   std::string_view detail, std::optional<std::chrono::milliseconds> retry_after) {
    x_gateway.count_error(code);
    if (nonce.size() > limits::kNonceBytes)
        nonce = {}; // no nonce, and not worth an answer of its size
    std::string& out = x_gateway.scratch();
    v1::append_error(out, ref, nonce, code, detail, retry_after);
    reply(out);
}

} // namespace parley::gateway
