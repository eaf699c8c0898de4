// ClassicSession: one classic connection: one user in one room. It joins (the snapshot of nothing:
// classic clients fetch what they missed from history), is greeted, and then hears the room's
// messages, its own among them: that is how a sender knows that its message is durable.
//
// It ends with 1000 when a newer connection of the same user takes its seat in the room, with 1008
// when its user is no longer in the room or the room is gone, and as v1 with 4501, 4502, 4002 and
// 4003.
//
// Threading: its connection's core. Owner: net, through the WebSocketHandler; the ClassicGateway
// knows it by id while it lives. Shutdown: on_closed() ends its subscription.
#pragma once

#include "base/timer_wheel.hpp"
#include "chat/composer.hpp"
#include "chat/hub.hpp"
#include "gateway/classic_gateway.hpp"
#include "ports/credentials.hpp"
#include "service/connection_rates.hpp"
#include "service/delivery.hpp"

namespace parley::gateway {

class ClassicSession final : public net::WebSocketHandler,
                             public chat::Subscriber,
                             public service::Responder {
public:
    ClassicSession(ClassicGateway& gateway, net::WebSocket& socket,
                   const ports::AccessClaims& claims, model::RoomId room);
    ~ClassicSession() override;

    void start(std::string room_name, std::string username);
    model::SessionId session_id() const { return x_session_id; }
    bool signed_in() const { return true; }
    void revoke() { close(net::CloseCode::session_revoked, "the session was revoked"); }

    std::chrono::milliseconds on_received(std::size_t bytes) override;
    void on_text(std::string_view text) override;
    void on_closed(net::CloseCode code) override;
    void push(const FrameRef& frame) override { x_socket.send(frame); }
    void on_ended(chat::Subscription& subscription) override;
    void on_outcome(const service::DeliveryRef& delivery) override;
    void on_too_many_connections() override;
    void on_replaced() override { close(net::CloseCode::normal, "replaced"); }

private:
    struct Deadline final : TimerWheel::Entry {
        explicit Deadline(ClassicSession& s) : session(s) {}
        void on_timer() override {
            session.close(net::CloseCode::token_expired, "the token has expired; log in again");
        }
        ClassicSession& session;
    };

    static Task<void> join(ClassicGateway& gateway, std::uint64_t id, std::string room_name,
                           std::string username);
    void greet(std::string_view room_name, const service::Resume& missed);
    void on_joined(const Result<void>& joined, std::string_view username);
    void handle(const protocol::classic::Heartbeat&);
    void handle(const protocol::classic::Chat& chat);
    void submit(const chat::PostFields& fields);
    // A message with media, whose right to carry it is asked first, and what was sent after it.
    struct WaitingPost {
        std::string type, content;
        std::optional<model::MediaId> media_id;
    };
    void post_in_order(const protocol::classic::Chat& chat);
    static Task<void> post_waiting(ClassicGateway& gateway, std::uint64_t id, model::UserId user);
    // Says the refusal itself, or ends the flood.
    bool allowed(const Result<void>& taken);
    bool may_send();
    void stop_listening();
    void close(net::CloseCode code, std::string_view reason);
    void reply(const std::string& payload) { x_socket.send(net::make_text_frame(payload)); }
    void fail(const Error& error);
    void fail(std::string_view code, std::string_view text,
              std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

    ClassicGateway& x_gateway;
    net::WebSocket& x_socket;
    std::uint64_t x_id = 0;
    const model::RoomId x_room;
    const model::SessionId x_session_id;
    const model::Time x_expires_at;
    chat::Subscription* x_subscription = nullptr;
    std::deque<WaitingPost> x_posts; // each counts as a change in flight
    std::uint16_t x_changes_in_flight = 0;
    bool x_joined = false;
    bool x_open = false;
    const AddressBlock x_address;
    service::ConnectionRates x_rates;
    bool x_counted = false; // among its address's sockets
    Deadline x_deadline;    // the token's end
};

} // namespace parley::gateway
