// The listening half of Rooms: connect, subscribe, resume, unsubscribe.
#include "base/run_on.hpp"
#include "chat/snowflake.hpp"
#include "protocol/v1/server_frame.hpp"
#include "service/rooms.hpp"

namespace parley::service {

namespace v1 = protocol::v1;

void Rooms::connect(chat::Subscriber& subscriber, std::uint64_t responder, std::size_t most) {
    x_hub.add(subscriber);
    on(home_of(subscriber.user_id()),
       [this, user = subscriber.user_id(), responder, most](Rooms& home) {
           const std::size_t connections = home.x_presence.connected(user);
           if (connections == 1 && home.x_ports.presence)
               home.x_gate.spawn(home.x_ports.presence->came(user));
           if (connections <= most) return;
           x_core.post([this, responder] {
               const auto found = x_responders.find(responder);
               if (found != x_responders.end()) found->second->on_too_many_connections();
           });
       });
}

void Rooms::disconnect(chat::Subscriber& subscriber, chat::Parting how) {
    const model::UserId user = subscriber.user_id();
    x_hub.remove(subscriber);
    on(home_of(user), [user, how](Rooms& home) {
        const ports::Clock& clock = home.x_ports.clock;
        if (const auto gone = home.x_presence.disconnected(user, how, clock.now(), clock.steady()))
            home.tell_gone(*gone);
    });
}

void Rooms::take_seat(model::RoomId room, model::UserId user, std::uint64_t responder) {
    on(home_of(room), [this, room, user, responder](Rooms& home) {
        const auto before = home.x_seats.take(room, user, {x_core.index(), responder});
        home.tell_others({.kind = Transient::Kind::seat_taken,
                          .dialect = chat::Dialect::classic,
                          .room = room,
                          .user = user,
                          .payload = {}});
        if (!before) return;
        home.on(*home.x_peers[before->core], [number = before->responder](Rooms& peer) {
            const auto found = peer.x_responders.find(number);
            if (found != peer.x_responders.end()) found->second->on_replaced();
        });
    });
}

void Rooms::leave_seat(model::RoomId room, model::UserId user, std::uint64_t responder) {
    on(home_of(room), [room, user, holder = Seats::Holder{x_core.index(), responder}](Rooms& home) {
        home.x_seats.leave(room, user, holder);
    });
}

chat::Subscription& Rooms::begin_listening(model::RoomId room, chat::Subscriber& subscriber) {
    return x_hub.begin(room, subscriber, model::Role::member);
}

void Rooms::stop_listening(chat::Subscription& subscription) {
    const model::RoomId room = subscription.room_id();
    x_hub.end(subscription);
    detach_if_unheard(room);
}

void Rooms::detach_if_unheard(model::RoomId room) {
    if (x_hub.has_subscribers(room)) return;
    on(home_of(room),
       [room, core = x_core.index()](Rooms& home) { home.x_home.detach(room, core); });
}

namespace {

// Ids are times. One of a later time than the clocks of a cluster can be apart was given out by
// nobody: a client that sends it hears everything from now on.
bool may_be_known(model::EventId since, model::Time now) {
    constexpr std::int64_t kApartMs = 24 * 3600 * 1000;
    return chat::time_of(since).ms <= now.ms + kApartMs;
}

} // namespace

// The order of steps is the proof: the subscription holds frames (begin) before this core asks to
// hear of the room (attach), and the snapshot is read after that. So an event is in the snapshot or
// is held, or both.
Task<Result<void>> Rooms::listen(chat::Subscription& subscription,
                                 std::optional<model::EventId> since, Alive alive, Answer answer) {
    const model::RoomId room = subscription.room_id();
    const model::UserId user = subscription.subscriber().user_id();
    Rooms& home = home_of(room);
    auto attached = co_await run_on(home.x_core, home.x_home.attach(user, room, x_core.index()));
    if (!alive()) {
        detach_if_unheard(room);
        co_return Error(Errc::not_a_member, "the subscription has ended");
    }
    const auto end = [&] {
        subscription.subscriber().on_ended(subscription);
        stop_listening(subscription);
    };
    const auto fail = [&](Error error) -> Result<void> {
        end();
        return error;
    };
    if (!attached) co_return fail(attached.error());
    if (auto allowed = chat::authorise(attached->standing, chat::Action::view); !allowed)
        co_return fail(allowed.error());
    x_hub.set_role(room, user, *attached->standing.role);

    Resume resume{attached->last_id, {}, false, false};
    if (since) x_probe.resumes.add();
    model::EventId through = attached->last_id;
    // A client may have seen more than its room's home core: it has read the store, or was
    // elsewhere. What it has seen must not come again when it arrives here.
    bool read = since && *since != attached->last_id;
    if (read) through = *since;
    model::EventId read_to = through;
    while (read || subscription.overflowed()) {
        if (subscription.overflowed()) x_hub.go_live(subscription, through);
        auto page = co_await x_ports.history.events_after(room, through, limits::kResumePage);
        if (!alive()) co_return Error(Errc::not_a_member, "the subscription has ended");
        if (!page) co_return fail(page.error());
        read = false;
        if (page->last_id < through && !may_be_known(through, x_ports.clock.now()))
            through = page->last_id;
        read_to = std::max(page->last_id, through);
        for (model::Event& event : page->events) resume.events.push_back(std::move(event));
        if (!resume.events.empty()) through = resume.events.back().id;
        resume.last_id = std::max(page->last_id, attached->last_id);
        if (!resume.events.empty()) resume.last_id = std::max(resume.last_id, through);
        resume.more = page->more || resume.events.size() > limits::kResumePage;
        if (resume.more) break;
    }
    // What this process has shown may not be stored yet.
    if (!resume.more && read_to < attached->last_id)
        co_return fail({Errc::unavailable, "the store is behind; try again"});
    resume.recovered = since && *since <= resume.last_id;
    x_probe.resumed_events.add(resume.events.size());
    if (resume.events.size() > limits::kResumePage) resume.events.resize(limits::kResumePage);
    answer(resume);
    if (!alive()) co_return Result<void>{};
    if (resume.more) {
        end();
        co_return Result<void>{};
    }
    PARLEY_ASSERT(x_hub.go_live(subscription, through));
    presence_entered(user, room);
    co_return Result<void>{};
}

} // namespace parley::service
