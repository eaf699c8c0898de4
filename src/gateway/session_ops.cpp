// What a session does with each op of a client.
#include "chat/composer.hpp"
#include "gateway/session.hpp"
#include "protocol/v1/server_frame.hpp"

#include <algorithm>

namespace parley::gateway {

namespace v1 = protocol::v1;

void Session::handle(std::string_view ref, const v1::Hello& op) {
    sign_in(x_gateway.accounts().authenticate(op.token), ref);
}

void Session::handle(std::string_view ref, const v1::Ping&) {
    std::string& out = x_gateway.scratch();
    v1::append_pong(out, ref);
    reply(out);
}

// --- changes

bool Session::allowed(std::string_view ref, std::string_view nonce, const Result<void>& taken) {
    if (taken) return true;
    if (x_rates.is_flooding())
        close(net::CloseCode::flooding, "too much for too long");
    else
        fail(ref, nonce, taken.error());
    return false;
}

bool Session::may_change(std::string_view ref, std::string_view nonce) {
    if (x_changes_in_flight >= limits::kSendsInFlightPerConnection) {
        fail(ref, nonce, "rate_limited", "too many changes wait for their answer",
             std::chrono::milliseconds(100));
        return false;
    }
    return allowed(ref, nonce, x_rates.send(x_gateway.clock().steady()));
}

void Session::submit(std::string_view ref, std::string_view nonce, Result<model::Draft> draft) {
    if (!draft) return fail(ref, nonce, draft.error());
    // The count goes up first: the answer may come from inside submit() when the log is full.
    ++x_changes_in_flight;
    const auto submitted = x_gateway.rooms().submit(std::move(*draft), x_id, std::string(ref));
    if (submitted) return;
    --x_changes_in_flight;
    fail(ref, nonce, submitted.error());
}

void Session::handle(std::string_view ref, const v1::Send& op) {
    if (!may_change(ref, op.nonce)) return;
    if (op.media_id || !x_posts.empty()) return post_in_order(ref, op);
    chat::PostFields fields;
    fields.nonce = op.nonce;
    fields.type = op.type;
    fields.content = op.content;
    fields.reply_to = op.reply_to;
    submit(ref, op.nonce, chat::Composer::post(op.room_id, x_user_id, fields));
}

void Session::post_in_order(std::string_view ref, const v1::Send& op) {
    if (op.media_id && !x_gateway.media())
        return fail(ref, op.nonce, Error(Errc::media_not_available, "no media are served here"));
    WaitingPost post;
    post.room = op.room_id;
    post.ref = ref;
    post.nonce = op.nonce;
    post.type = op.type;
    post.content = op.content;
    post.media_id = op.media_id;
    post.reply_to = op.reply_to;
    ++x_changes_in_flight;
    x_posts.push_back(std::move(post));
    if (x_posts.size() > 1) return;
    if (x_gateway.rooms().gate().spawn(post_waiting(x_gateway, x_id, x_user_id))) return;
    x_posts.clear();
    --x_changes_in_flight;
    fail(ref, op.nonce, Error(Errc::shutting_down, "the server is stopping"));
}

Task<void> Session::post_waiting(Gateway& gateway, std::uint64_t id, model::UserId user) {
    for (Session* session = gateway.find(id); session && !session->x_posts.empty();) {
        // It stays at the front meanwhile, so that what is sent now comes behind it.
        const model::RoomId room = session->x_posts.front().room;
        const auto media_id = session->x_posts.front().media_id;
        Result<model::MediaFactsRef> media = model::MediaFactsRef{};
        if (media_id) media = co_await gateway.media()->attach(user, room, *media_id);
        session = gateway.find(id);
        if (!session) co_return;
        const WaitingPost post = std::move(session->x_posts.front());
        session->x_posts.pop_front();
        --session->x_changes_in_flight;
        if (!media) {
            session->fail(post.ref, post.nonce, media.error());
        } else {
            chat::PostFields fields;
            fields.nonce = post.nonce;
            fields.type = post.type;
            fields.content = post.content;
            fields.media_id = post.media_id;
            fields.reply_to = post.reply_to;
            fields.media = std::move(*media);
            session->submit(post.ref, post.nonce, chat::Composer::post(post.room, user, fields));
        }
        session = gateway.find(id);
    }
}

void Session::handle(std::string_view ref, const v1::Edit& op) {
    if (!may_change(ref, {})) return;
    submit(ref, {}, chat::Composer::edit(op.room_id, x_user_id, op.message_id, op.content));
}

void Session::handle(std::string_view ref, const v1::Delete& op) {
    if (!may_change(ref, {})) return;
    submit(ref, {}, chat::Composer::remove(op.room_id, x_user_id, op.message_id));
}

void Session::handle(std::string_view ref, const v1::React& op) {
    if (!may_change(ref, {})) return;
    submit(ref, {},
           chat::Composer::react(op.room_id, x_user_id, op.message_id, op.emoji, op.added));
}

// --- listening

bool Session::may_wait(std::string_view ref) {
    if (x_waits_in_flight < limits::kRequestsInFlightPerConnection) return true;
    fail(ref, {}, "rate_limited", "too many requests wait for their answer",
         std::chrono::milliseconds(100));
    return false;
}

void Session::handle(std::string_view ref, const v1::Subscribe& op) {
    if (!may_wait(ref) || !allowed(ref, {}, x_rates.subscribe(x_gateway.clock().steady()))) return;
    stop_listening(op.room_id);
    if (x_listening.size() >= limits::kSubscriptionsPerConnection)
        return fail(ref, {}, "invalid_field", "too many subscriptions on this connection");
    chat::Subscription& subscription = x_gateway.rooms().begin_listening(op.room_id, *this);
    const Listening listening{op.room_id, &subscription, ++x_generation};
    x_listening.insert(
        std::lower_bound(x_listening.begin(), x_listening.end(), op.room_id,
                         [](const Listening& l, model::RoomId r) { return l.room < r; }),
        listening);
    ++x_waits_in_flight;
    const bool started = x_gateway.rooms().gate().spawn(
        subscribe(x_gateway, x_id, x_generation, op.room_id, op.since, std::string(ref)));
    if (!started) fail(ref, {}, "unavailable", "the server is stopping");
}

Task<void> Session::subscribe(Gateway& gateway, std::uint64_t id, std::uint32_t generation,
                              model::RoomId room, std::optional<model::EventId> since,
                              std::string ref) {
    const auto current = [&gateway, id, generation, room]() -> Listening* {
        Session* session = gateway.find(id);
        Listening* listening = session ? session->find(room) : nullptr;
        return listening && listening->generation == generation ? listening : nullptr;
    };
    Result<void> done = Error(Errc::unavailable, "a later subscribe of the room has taken over");
    if (Listening* listening = current()) {
        const auto alive = [&current] { return current() != nullptr; };
        const auto answer = [&](const service::Resume& resume) {
            std::string& out = gateway.scratch();
            v1::append_subscribed(out, ref, room, resume.last_id, resume.events, resume.recovered,
                                  resume.more);
            gateway.find(id)->reply(out);
        };
        done = co_await gateway.rooms().listen(*listening->subscription, since, alive, answer);
    }
    Session* session = gateway.find(id);
    if (!session) co_return;
    --session->x_waits_in_flight;
    if (!done) session->fail(ref, {}, done.error());
}

void Session::handle(std::string_view ref, const v1::Unsubscribe& op) {
    stop_listening(op.room_id);
    std::string& out = x_gateway.scratch();
    v1::append_unsubscribed(out, ref, op.room_id);
    reply(out);
}

// --- transient

void Session::handle(std::string_view ref, const v1::Typing& op) {
    const Listening* listening = find(op.room_id);
    if (!listening || !listening->subscription->live())
        return fail(ref, {}, "not_a_member", "subscribe to the room first");
    x_gateway.rooms().typing(x_user_id, op.room_id, this);
}

void Session::handle(std::string_view ref, const v1::Read& op) {
    if (!may_wait(ref)) return;
    ++x_waits_in_flight;
    if (!x_gateway.rooms().gate().spawn(read(x_gateway, x_id, x_user_id, op, std::string(ref))))
        fail(ref, {}, "unavailable", "the server is stopping");
}

Task<void> Session::read(Gateway& gateway, std::uint64_t id, model::UserId user, v1::Read op,
                         std::string ref) {
    const auto done =
        co_await gateway.rooms().mark_read(user, op.room_id, op.message_id, gateway.find(id));
    Session* session = gateway.find(id);
    if (!session) co_return;
    --session->x_waits_in_flight;
    if (!done) session->fail(ref, {}, done.error());
}

} // namespace parley::gateway
