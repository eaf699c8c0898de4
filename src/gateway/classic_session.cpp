#include "gateway/classic_session.hpp"

#include "chat/composer.hpp"
#include "gateway/parting.hpp"
#include "protocol/classic/server_frame.hpp"
#include "protocol/v1/server_frame.hpp"

#include <algorithm>

namespace parley::gateway {

namespace classic = protocol::classic;

ClassicSession::ClassicSession(ClassicGateway& gateway, net::WebSocket& socket,
                               const ports::AccessClaims& claims, model::RoomId room)
    : Subscriber(chat::Dialect::classic),
      x_gateway(gateway),
      x_socket(socket),
      x_room(room),
      x_session_id(claims.session_id),
      x_expires_at(claims.expires_at),
      x_address(address_block(socket.peer_address())),
      x_rates(gateway.rates(), x_address, gateway.clock().steady()),
      x_deadline(*this) {
    x_user_id = claims.user_id;
    x_id = gateway.rooms().add(*this);
    gateway.add(x_id, *this);
}

ClassicSession::~ClassicSession() { on_closed(net::CloseCode::abnormal); }

void ClassicSession::start(std::string room_name, std::string username) {
    service::Rooms& rooms = x_gateway.rooms();
    x_open = true;
    const auto now = x_gateway.clock().now();
    const auto left =
        std::chrono::milliseconds(std::max<std::int64_t>(0, x_expires_at.ms - now.ms));
    x_gateway.wheel().arm(x_deadline, x_gateway.clock().steady() + left);
    rooms.connect(*this, x_id, x_gateway.rates().sockets_per_user());
    x_counted = x_gateway.rates().sockets().enter(x_address);
    if (!x_counted)
        return close(net::CloseCode::too_many_connections,
                     "too many connections from this address");
    if (!x_rates.sign_in(x_user_id, x_gateway.clock().steady()))
        return close(net::CloseCode::flooding, "this user connects too often");
    rooms.take_seat(x_room, x_user_id, x_id);
    x_subscription = &rooms.begin_listening(x_room, *this);
    if (!rooms.gate().spawn(join(x_gateway, x_id, std::move(room_name), std::move(username))))
        close(net::CloseCode::going_away, "the server is stopping");
}

Task<void> ClassicSession::join(ClassicGateway& gateway, std::uint64_t id, std::string room_name,
                                std::string username) {
    const auto alive = [&gateway, id] {
        const ClassicSession* const session = gateway.find(id);
        return session && session->x_subscription;
    };
    if (!alive()) co_return;
    const auto answer = [&](const service::Resume& missed) {
        gateway.find(id)->greet(room_name, missed);
    };
    const auto joined = co_await gateway.rooms().listen(*gateway.find(id)->x_subscription,
                                                        std::nullopt, alive, answer);
    if (ClassicSession* const session = gateway.find(id)) session->on_joined(joined, username);
}

void ClassicSession::greet(std::string_view room_name, const service::Resume& missed) {
    std::string& out = x_gateway.scratch();
    classic::append_joined(out, room_name);
    reply(out);
    out.clear();
    classic::append_pong(out);
    reply(out);
    // What came while it joined and was too much to be held.
    for (const model::Event& event : missed.events) {
        const auto* posted = std::get_if<model::MessagePosted>(&event.body);
        if (!posted || posted->message.deleted) continue;
        out.clear();
        classic::append_message(out, posted->message, x_gateway.rooms().node_name());
        reply(out);
    }
}

void ClassicSession::on_joined(const Result<void>& joined, std::string_view username) {
    if (!x_open) return;
    if (!joined) {
        const Errc code = joined.error().code;
        const bool outsider = code == Errc::not_a_member || code == Errc::unknown_room;
        return close(outsider ? net::CloseCode::policy_violation : net::CloseCode::internal_error,
                     outsider ? "not a member of this room" : "try again");
    }
    if (!x_subscription) return close(net::CloseCode::too_slow, "too much was missed; try again");
    x_joined = true;
    std::string notice;
    classic::append_join_notice(notice, x_room, x_user_id, username, x_gateway.rooms().node_name());
    x_gateway.rooms().tell_small_room(x_room, std::move(notice), this, chat::Dialect::classic);
}

void ClassicSession::stop_listening() {
    if (x_subscription) x_gateway.rooms().stop_listening(*std::exchange(x_subscription, nullptr));
}

void ClassicSession::close(net::CloseCode code, std::string_view reason) {
    // Ends what it hears at once: nothing of the room may reach one that lost its right.
    x_open = false;
    stop_listening();
    x_deadline.cancel();
    x_socket.close(code, reason);
}

void ClassicSession::on_closed(net::CloseCode code) {
    if (x_id == 0) return;
    service::Rooms& rooms = x_gateway.rooms();
    x_open = false;
    stop_listening();
    x_deadline.cancel();
    if (x_counted) x_gateway.rates().sockets().leave(x_address);
    rooms.leave_seat(x_room, x_user_id, x_id);
    rooms.disconnect(*this, parting(code));
    rooms.remove(x_id);
    x_gateway.remove(std::exchange(x_id, 0));
}

// Before it has joined, join() says why it ended.
void ClassicSession::on_ended(chat::Subscription&) {
    x_subscription = nullptr;
    if (x_joined && x_open)
        close(net::CloseCode::policy_violation, "no longer a member of this room");
}

void ClassicSession::on_too_many_connections() {
    close(net::CloseCode::too_many_connections, "too many connections of this user");
}

std::chrono::milliseconds ClassicSession::on_received(std::size_t bytes) {
    const auto wait = x_rates.received(bytes, x_gateway.clock().steady());
    if (x_rates.is_flooding()) close(net::CloseCode::flooding, "too many bytes for too long");
    return wait;
}

bool ClassicSession::allowed(const Result<void>& taken) {
    if (taken) return true;
    if (x_rates.is_flooding())
        close(net::CloseCode::flooding, "too much for too long");
    else
        fail(taken.error());
    return false;
}

void ClassicSession::on_text(std::string_view text) {
    if (!x_open) return;
    const auto decoded = x_gateway.decoder().decode(text);
    if (!allowed(x_rates.request(x_gateway.clock().steady()))) return;
    if (const auto* error = std::get_if<classic::FrameError>(&decoded))
        return fail(protocol::v1::name_of(error->code), error->detail);
    std::visit([&](const auto& frame) { handle(frame); }, std::get<classic::ClientFrame>(decoded));
}

void ClassicSession::handle(const classic::Heartbeat&) {
    std::string& out = x_gateway.scratch();
    classic::append_pong(out);
    reply(out);
}

bool ClassicSession::may_send() {
    if (x_changes_in_flight >= limits::kSendsInFlightPerConnection) {
        fail("rate_limited", "too many messages wait for the log", std::chrono::milliseconds(100));
        return false;
    }
    return allowed(x_rates.send(x_gateway.clock().steady()));
}

void ClassicSession::handle(const classic::Chat& chat) {
    if (!may_send()) return;
    if (chat.media_id || !x_posts.empty()) return post_in_order(chat);
    chat::PostFields fields;
    fields.type = chat.message_type;
    fields.content = chat.content;
    submit(fields);
}

void ClassicSession::submit(const chat::PostFields& fields) {
    chat::PostFields named = fields;
    const std::string nonce = x_gateway.next_nonce();
    named.nonce = nonce;
    auto draft = chat::Composer::post(x_room, x_user_id, named);
    if (!draft) return fail(draft.error());
    ++x_changes_in_flight;
    const auto submitted = x_gateway.rooms().submit(std::move(*draft), x_id, {});
    if (submitted) return;
    --x_changes_in_flight;
    fail(submitted.error());
}

void ClassicSession::post_in_order(const classic::Chat& chat) {
    if (chat.media_id && !x_gateway.media())
        return fail(Error(Errc::media_not_available, "no media are served here"));
    WaitingPost post;
    post.type = chat.message_type;
    post.content = chat.content;
    post.media_id = chat.media_id;
    ++x_changes_in_flight;
    x_posts.push_back(std::move(post));
    if (x_posts.size() > 1) return;
    if (x_gateway.rooms().gate().spawn(post_waiting(x_gateway, x_id, x_user_id))) return;
    x_posts.clear();
    --x_changes_in_flight;
    fail(Error(Errc::shutting_down, "the server is stopping"));
}

Task<void> ClassicSession::post_waiting(ClassicGateway& gateway, std::uint64_t id,
                                        model::UserId user) {
    for (ClassicSession* session = gateway.find(id); session && !session->x_posts.empty();) {
        // It stays at the front meanwhile, so that what is sent now comes behind it.
        const model::RoomId room = session->x_room;
        const auto media_id = session->x_posts.front().media_id;
        Result<model::MediaFactsRef> media = model::MediaFactsRef{};
        if (media_id) media = co_await gateway.media()->attach(user, room, *media_id);
        session = gateway.find(id);
        if (!session) co_return;
        const WaitingPost post = std::move(session->x_posts.front());
        session->x_posts.pop_front();
        --session->x_changes_in_flight;
        if (!media) {
            session->fail(media.error());
        } else {
            chat::PostFields fields;
            fields.type = post.type;
            fields.content = post.content;
            fields.media_id = post.media_id;
            fields.media = std::move(*media);
            session->submit(fields);
        }
        session = gateway.find(id);
    }
}

void ClassicSession::on_outcome(const service::DeliveryRef& delivery) {
    --x_changes_in_flight;
    if (delivery->outcome.error) fail(*delivery->outcome.error);
}

void ClassicSession::fail(const Error& error) {
    const std::string_view code = protocol::v1::socket_code(error.code);
    fail(code, error.detail.empty() ? code : std::string_view(error.detail), error.retry_after);
}

void ClassicSession::fail(std::string_view code, std::string_view text,
                          std::optional<std::chrono::milliseconds> retry_after) {
    x_gateway.count_error(code);
    std::string& out = x_gateway.scratch();
    classic::append_error(out, code, text, retry_after);
    reply(out);
}

} // namespace parley::gateway
