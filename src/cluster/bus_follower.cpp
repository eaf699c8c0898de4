#include "cluster/bus_follower.hpp"

#include "protocol/log/bytes.hpp"
#include "protocol/log/channels.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace parley::cluster {

namespace plog = protocol::log;

namespace {

// A transient of this process's own: the user's field has a session.
constexpr std::uint8_t kSessionEnded = 100;

} // namespace

BusFollower::BusFollower(std::string node, ports::Bus& bus, PendingAnswers& pending, Heads heads,
                         Logger& log, Metrics& metrics)
    : x_node(std::move(node)),
      x_bus(bus),
      x_pending(pending),
      x_heads(std::move(heads)),
      x_logger(log),
      x_events(metrics.counter("parley_feed_events_total", "Events that came over the bus")),
      x_damaged(metrics.counter("parley_feed_damaged_total",
                                "Messages of the bus that could not be read")),
      x_lost(metrics.counter("parley_feed_lost_total", "Times that the bus was lost")) {}

void BusFollower::meet(RemoteLog& log, ports::OutcomeSink& sink,
                       std::vector<service::Rooms*> rooms) {
    x_log = &log;
    x_sink = &sink;
    x_rooms = std::move(rooms);
}

void BusFollower::start() {
    x_bus.subscribe(plog::node_channel(x_node));
    x_bus.subscribe(std::string(plog::kPeopleChannel));
}

// --- the bus

void BusFollower::on_bus_messages(std::vector<ports::BusMessage> messages) {
    std::vector<ports::Outcome> outcomes;
    const std::string own = plog::node_channel(x_node);
    for (const ports::BusMessage& message : messages) {
        if (message.channel == own)
            on_answers(message.payload, outcomes);
        else if (plog::Codec::kind_of(message.payload) == 'T')
            on_transient(message.payload);
        else
            on_event(message.payload, outcomes);
    }
    if (!outcomes.empty()) x_sink->on_outcomes(std::move(outcomes));
}

void BusFollower::damaged(const Error& error) {
    x_damaged.add();
    x_logger.warning("a message of the bus cannot be read", {{"detail", error.detail}});
}

void BusFollower::on_event(std::string_view record, std::vector<ports::Outcome>& outcomes) {
    auto event = plog::Codec::decode_event(record);
    if (!event) return damaged(event.error());
    x_events.add();
    ports::Outcome outcome;
    outcome.room_id = event->durable.event().room_id;
    if (const auto* posted =
            std::get_if<model::MessagePosted>(&event->durable.event().body))
        outcome.nonce = posted->nonce;
    outcome.durable = std::move(event->durable);
    if (event->sender.number && event->sender.node == x_node)
        if (auto pending = x_pending.take(event->sender.number, outcome.room_id)) {
            x_log->add_span(*pending, outcome);
            if (pending->names) {
                ports::Outcome answer = outcome;
                answer.origin = pending->origin;
                x_log->settle(std::move(*pending), std::move(answer));
            } else {
                outcome.origin = std::move(pending->origin);
            }
        }
    outcomes.push_back(std::move(outcome));
}

void BusFollower::on_answers(std::string_view list, std::vector<ports::Outcome>& outcomes) {
    plog::Reader in(list);
    while (!in.at_end()) {
        const std::string_view record = in.view();
        if (!in.ok()) return damaged({Errc::invalid_field, "a damaged list of answers"});
        auto answer = plog::Codec::decode_answer(record);
        if (!answer) {
            damaged(answer.error());
            continue;
        }
        auto pending = x_pending.take(answer->number, answer->room_id);
        if (!pending) continue; // its event was here first
        ports::Outcome outcome;
        outcome.origin = pending->origin;
        outcome.room_id = answer->room_id;
        outcome.nonce = std::move(answer->nonce);
        outcome.error = std::move(answer->error);
        outcome.durable = std::move(answer->durable);
        outcome.duplicate = answer->duplicate;
        x_log->add_span(*pending, outcome);
        if (pending->makes_room && outcome.error) outcome.room_id = {};
        if (pending->names)
            x_log->settle(std::move(*pending), std::move(outcome));
        else
            outcomes.push_back(std::move(outcome));
    }
}

void BusFollower::on_transient(std::string_view record) {
    auto heard = plog::Codec::decode_transient(record);
    if (!heard) return damaged(heard.error());
    if (heard->node == x_node) return;
    service::Rooms& any = *x_rooms.front();
    if (heard->kind == kSessionEnded) {
        any.core().post([this, session = model::SessionId{heard->user_id.value}] {
            if (x_on_ended) x_on_ended(session);
        });
        return;
    }
    if (heard->kind == plog::kTraceAsked) return on_trace_asked(*heard);
    if (heard->kind == plog::kTraceTold) return on_trace_told(std::move(*heard));
    using Kind = service::Transient::Kind;
    if (heard->kind < static_cast<std::uint8_t>(Kind::frame) ||
        heard->kind > static_cast<std::uint8_t>(Kind::seat_taken))
        return; // of a newer version
    service::Transient transient{.kind = static_cast<Kind>(heard->kind),
                                 .dialect = static_cast<chat::Dialect>(heard->dialect),
                                 .room = heard->room_id,
                                 .user = heard->user_id,
                                 .payload = std::move(heard->payload)};
    any.core().post([&any, transient = std::move(transient)]() mutable {
        any.hear(std::move(transient));
    });
}

void BusFollower::wake(std::vector<std::weak_ptr<Timer>> waiters) {
    for (const auto& waiter : waiters) {
        auto timer = waiter.lock();
        if (!timer) continue; // who waited is gone, with its core
        const auto executor = timer->get_executor();
        boost::asio::post(executor, [timer = std::move(timer)] { timer->cancel(); });
    }
}

void BusFollower::on_bus_state(bool connected) {
    if (connected) {
        x_logger.info("the bus is there");
        return; // each subscription says for itself when it stands again
    }
    x_lost.add();
    x_logger.warning("the bus is lost; what is missed is read from the store");
    std::vector<std::weak_ptr<Timer>> waiters;
    {
        std::lock_guard lock(x_mutex);
        for (auto& [room, followed] : x_followed) {
            followed.stands = false;
            for (auto& timer : followed.waiters) waiters.push_back(std::move(timer));
            followed.waiters.clear();
        }
    }
    wake(std::move(waiters));
    for (service::Rooms* each : x_rooms) each->core().post([each] { each->on_feed_lost(); });
}

void BusFollower::on_subscribed(const std::string& channel) {
    const auto room = plog::room_of_channel(channel);
    if (!room) return;
    std::vector<std::weak_ptr<Timer>> waiters;
    {
        std::lock_guard lock(x_mutex);
        const auto found = x_followed.find(*room);
        if (found == x_followed.end()) return;
        found->second.stands = true;
        waiters = std::exchange(found->second.waiters, {});
    }
    wake(std::move(waiters));
}

// --- the feed

Task<void> BusFollower::follow(model::RoomId room) {
    auto timer = std::make_shared<Timer>(co_await boost::asio::this_coro::executor);
    timer->expires_after(limits::kFollowWait);
    {
        std::lock_guard lock(x_mutex);
        Followed& followed = x_followed[room];
        if (followed.stands) co_return;
        followed.waiters.push_back(timer);
    }
    x_bus.subscribe(plog::room_channel(room));
    if (!x_bus.connected()) co_return;
    co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

void BusFollower::unfollow(model::RoomId room) {
    {
        std::lock_guard lock(x_mutex);
        x_followed.erase(room);
    }
    x_bus.unsubscribe(plog::room_channel(room));
}

void BusFollower::tell(service::Transient transient) {
    const bool to_people = transient.kind == service::Transient::Kind::to_user;
    plog::TransientRecord record{.node = x_node,
                                 .kind = static_cast<std::uint8_t>(transient.kind),
                                 .dialect = static_cast<std::uint8_t>(transient.dialect),
                                 .room_id = transient.room,
                                 .user_id = transient.user,
                                 .payload = std::move(transient.payload)};
    std::vector<ports::BusMessage> one;
    one.push_back({to_people ? std::string(plog::kPeopleChannel)
                             : plog::room_channel(transient.room),
                   plog::Codec::encode(record)});
    x_bus.publish(std::move(one));
}

void BusFollower::tell_ended(model::SessionId session) {
    plog::TransientRecord record{.node = x_node,
                                 .kind = kSessionEnded,
                                 .dialect = 0,
                                 .room_id = {},
                                 .user_id = {session.value},
                                 .payload = {}};
    std::vector<ports::BusMessage> one;
    one.push_back({std::string(plog::kPeopleChannel), plog::Codec::encode(record)});
    x_bus.publish(std::move(one));
}

std::optional<ports::Origin> BusFollower::claim(const model::Event& event) {
    const auto* posted = std::get_if<model::MessagePosted>(&event.body);
    if (!posted || posted->nonce.empty()) return std::nullopt;
    auto pending = x_pending.take_by_message(*posted);
    if (!pending) return std::nullopt;
    return std::move(pending->origin);
}

} // namespace parley::cluster
