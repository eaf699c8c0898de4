// Session: one v1 connection. It reads frames, asks the services, and answers; what it listens to
// arrives through push(). States: hello (no token yet) -> open -> gone.
//
// Threading: its connection's core. Owner: net, through the WebSocketHandler; the Gateway knows it
// by id while it lives. What waits (subscribe, read) runs as a coroutine in the core's Gate and
// finds the session again by id after each wait, never by pointer. Shutdown: on_closed() ends its
// subscriptions.
#pragma once

#include "base/timer_wheel.hpp"
#include "chat/hub.hpp"
#include "gateway/gateway.hpp"
#include "net/websocket.hpp"
#include "ports/credentials.hpp"
#include "protocol/v1/client_frame.hpp"
#include "service/connection_rates.hpp"
#include "service/delivery.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::gateway {

class Session final : public net::WebSocketHandler,
                      public chat::Subscriber,
                      public service::Responder {
public:
    Session(Gateway& gateway, net::WebSocket& socket);
    ~Session() override;

    // With the answer of the token that came in the handshake, if one did.
    void start(std::optional<Result<ports::AccessClaims>> claims);
    model::SessionId session_id() const { return x_claims.session_id; }
    bool signed_in() const { return x_state == State::open; }
    void send_goaway(std::chrono::milliseconds retry_after);
    void revoke();

    std::chrono::milliseconds on_received(std::size_t bytes) override;
    void on_text(std::string_view text) override;
    void on_closed(net::CloseCode code) override;
    void push(const FrameRef& frame) override;
    void on_ended(chat::Subscription& subscription) override;
    void on_outcome(const service::DeliveryRef& delivery) override;
    chat::Subscriber* as_subscriber() override { return this; }
    void on_too_many_connections() override;

private:
    enum class State : std::uint8_t { hello, open, gone };
    struct Listening {
        model::RoomId room;
        chat::Subscription* subscription;
        std::uint32_t generation; // tells it from an earlier one at the same address
    };
    struct Deadline final : TimerWheel::Entry {
        explicit Deadline(Session& s) : session(s) {}
        void on_timer() override { session.on_deadline(); }
        Session& session;
    };

    void sign_in(Result<ports::AccessClaims> claims, std::string_view ref = {});
    void on_deadline();
    void close(net::CloseCode code, std::string_view reason);

    // One for each op (session_ops.cpp).
    void handle(std::string_view ref, const protocol::v1::Hello& op);
    void handle(std::string_view ref, const protocol::v1::Subscribe& op);
    void handle(std::string_view ref, const protocol::v1::Unsubscribe& op);
    void handle(std::string_view ref, const protocol::v1::Send& op);
    void handle(std::string_view ref, const protocol::v1::Edit& op);
    void handle(std::string_view ref, const protocol::v1::Delete& op);
    void handle(std::string_view ref, const protocol::v1::React& op);
    void handle(std::string_view ref, const protocol::v1::Typing& op);
    void handle(std::string_view ref, const protocol::v1::Read& op);
    void handle(std::string_view ref, const protocol::v1::Ping& op);
    void submit(std::string_view ref, std::string_view nonce, Result<model::Draft> draft);
    // Each says the refusal itself. allowed(): or ends the flood.
    bool allowed(std::string_view ref, std::string_view nonce, const Result<void>& taken);
    bool may_change(std::string_view ref, std::string_view nonce);
    bool may_wait(std::string_view ref);
    static Task<void> subscribe(Gateway& gateway, std::uint64_t id, std::uint32_t generation,
                                model::RoomId room, std::optional<model::EventId> since,
                                std::string ref);
    // A message with media, whose right to carry it is asked first, and what was sent after it.
    struct WaitingPost {
        model::RoomId room;
        std::string ref, nonce, type, content;
        std::optional<model::MediaId> media_id;
        std::optional<model::MessageId> reply_to;
    };
    void post_in_order(std::string_view ref, const protocol::v1::Send& op);
    static Task<void> post_waiting(Gateway& gateway, std::uint64_t id, model::UserId user);
    static Task<void> read(Gateway& gateway, std::uint64_t id, model::UserId user,
                           protocol::v1::Read op, std::string ref);

    Listening* find(model::RoomId room);
    void stop_listening(model::RoomId room);
    void reply(const std::string& payload);
    void fail(std::string_view ref, std::string_view nonce, const Error& error);
    void fail(std::string_view ref, std::string_view nonce, std::string_view code,
              std::string_view detail,
              std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

    Gateway& x_gateway;
    net::WebSocket& x_socket;
    std::uint64_t x_id = 0;
    State x_state = State::hello;
    std::uint32_t x_generation = 0;
    std::deque<WaitingPost> x_posts; // each counts as a change in flight
    std::uint16_t x_changes_in_flight = 0;
    std::uint16_t x_waits_in_flight = 0;
    ports::AccessClaims x_claims;
    std::vector<Listening> x_listening; // sorted by room
    const AddressBlock x_address;
    service::ConnectionRates x_rates;
    bool x_counted = false; // among its address's sockets
    Deadline x_deadline;    // hello, then the token's end
};

} // namespace parley::gateway
