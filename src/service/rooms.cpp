#include "service/rooms.hpp"

#include "base/one_shot.hpp"
#include "base/run_on.hpp"
#include "protocol/classic/server_frame.hpp"
#include "protocol/v1/server_frame.hpp"

#include <bit>

namespace parley::service {

namespace v1 = protocol::v1;

Rooms::Probe::Probe(Metrics& m, std::uint16_t core)
    : accepted(m.counter("parley_events_total", "Events that became durable")),
      repeated(m.counter("parley_events_repeated_total", "Sends whose nonce the log had already")),
      deliveries(m.counter("parley_deliveries_total", "Event frames queued for subscribers")),
      resumes(m.counter("parley_resumes_total", "Subscriptions with since")),
      resumed_events(m.counter("parley_resumed_events_total", "Events sent in resumes")),
      transient(
          m.counter("parley_transient_total", "Typing, presence and receipt frames published")),
      member_events_waited(m.counter("parley_member_events_waited_total",
                                     "Joins and leaves of large rooms that were told together")),
      typing_too_soon(m.counter("parley_typing_dropped_total", "Typing that nobody was told of",
                                "reason=\"too_soon\"")),
      typing_in_large_room(m.counter("parley_typing_dropped_total",
                                     "Typing that nobody was told of", "reason=\"large_room\"")),
      receipts_folded(
          m.counter("parley_receipts_folded_total", "Receipts that a newer one took the place of")),
      receipts_dropped(m.counter("parley_receipts_dropped_total",
                                 "Receipts that found too many others waiting")),
      presence_writes(m.counter("parley_presence_writes_total",
                                "Writes of who is online and who was last seen when")),
      gaps(m.counter("parley_feed_gaps_total", "Times that events of a room were missing")),
      missed(m.counter("parley_feed_missed_events_total",
                       "Events that did not come by the feed and were read")),
      traces(m.counter("parley_traces_total", "Questions for the way of a message",
                       "known=\"yes\"")),
      traces_unknown(m.counter("parley_traces_total", "Questions for the way of a message",
                               "known=\"no\"")),
      users_online(m.gauge("parley_users_online", "Users online, those in grace included",
                           "core=\"" + std::to_string(core) + "\"")),
      users_in_grace(m.gauge("parley_users_in_grace",
                             "Users whose last connection dropped a moment ago",
                             "core=\"" + std::to_string(core) + "\"")),
      receipts_waiting(m.gauge("parley_receipts_waiting", "Receipts that wait for their turn",
                               "core=\"" + std::to_string(core) + "\"")),
      metrics(m) {}

void Rooms::Probe::refused(Errc code) {
    metrics
        .counter("parley_changes_refused_total", "Changes that the log refused, by code",
                 "code=\"" + std::string(name_of(code)) + "\"")
        .add();
}

Rooms::Rooms(Core& core, RoomsPorts ports, FrameMaker make_frame, Metrics& metrics,
             RoomsSettings settings)
    : x_core(core),
      x_ports(ports),
      x_make_frame(make_frame),
      x_gate(core.io().get_executor()),
      x_home(core, ports.directory, x_gate, ports.clock, ports.feed, metrics),
      x_settings(settings),
      x_read_marks(core, ports.directory, x_gate, metrics),
      x_presence(settings.presence_grace),
      x_receipts(limits::kReceiptEvery, limits::kReceiptsWaiting),
      x_own_receipts(limits::kReceiptEvery, limits::kReceiptsWaiting),
      x_traces(settings.traced_events),
      x_probe(metrics, core.index()) {
    core.add(*this);
}

// --- rights

Task<Result<RoomView>> Rooms::view(model::UserId user, model::RoomId room) {
    Rooms& home = home_of(room);
    co_return co_await run_on(home.x_core, home.x_home.view(user, room));
}

Task<Result<RoomView>> Rooms::require(model::UserId user, model::RoomId room, chat::Action action) {
    PARLEY_CO_TRY(RoomView seen, co_await view(user, room));
    PARLEY_CO_CHECK(chat::authorise(seen.standing, action));
    co_return seen;
}

// --- changes

Result<void> Rooms::submit(model::Draft draft, std::uint64_t responder, std::string ref) {
    auto verdict = x_ports.filter.apply(std::move(draft));
    if (Error* refused = std::get_if<Error>(&verdict)) return std::move(*refused);
    ports::Origin origin{x_core.index(), responder, std::move(ref)};
    if (auto* held = std::get_if<chat::ContentFilter::Held>(&verdict)) {
        // Not at once: the caller has not yet counted what it waits for.
        x_core.post([this, held = std::move(*held), origin = std::move(origin)] {
            if (!x_gate.spawn(hold(held, origin)))
                answer_unstored(held.draft, origin,
                                {Errc::shutting_down, "the server is stopping"});
        });
    } else {
        x_submissions.push_back({std::get<model::Filtered>(std::move(verdict)), std::move(origin)});
    }
    ++x_in_flight;
    return {};
}

// `submit` is given the number of the responder that waits.
template <class Submit>
Task<Result<DeliveryRef>> Rooms::wait_for(Submit submit) {
    struct Waiter final : Responder {
        OneShot arrived;
        DeliveryRef delivery;
        explicit Waiter(boost::asio::any_io_executor e) : arrived(std::move(e)) {}
        void on_outcome(const DeliveryRef& outcome) override {
            delivery = outcome;
            arrived.set();
        }
    } waiter(x_core.io().get_executor());
    const std::uint64_t id = add(waiter);
    const Result<void> submitted = submit(id);
    if (!submitted) {
        remove(id);
        co_return submitted.error();
    }
    co_await waiter.arrived.wait();
    remove(id);
    co_return std::move(waiter.delivery);
}

Task<Result<DeliveryRef>> Rooms::submit_and_wait(model::Draft draft) {
    auto waiting = wait_for([this, draft = std::move(draft)](std::uint64_t responder) mutable {
        return submit(std::move(draft), responder, {});
    });
    return waiting;
}

Task<Result<DeliveryRef>> Rooms::submit_approved(model::Draft draft) {
    auto waiting =
        wait_for([this, draft = std::move(draft)](std::uint64_t responder) mutable -> Result<void> {
            x_submissions.push_back(
                {x_ports.filter.approve(std::move(draft)), {x_core.index(), responder, {}}});
            ++x_in_flight;
            return {};
        });
    return waiting;
}

Task<std::vector<std::optional<Error>>> Rooms::submit_all(std::vector<model::Draft> drafts) {
    struct Waiter final : Responder {
        std::size_t missing = 0;
        OneShot arrived;
        std::vector<std::optional<Error>> errors;
        explicit Waiter(boost::asio::any_io_executor e) : arrived(std::move(e)) {}
        void on_outcome(const DeliveryRef& outcome) override {
            errors.push_back(outcome->outcome.error);
            if (--missing == 0) arrived.set();
        }
    } waiter(x_core.io().get_executor());
    if (drafts.empty()) co_return waiter.errors;
    waiter.missing = drafts.size();
    const std::uint64_t id = add(waiter);
    for (model::Draft& draft : drafts)
        x_submissions.push_back(
            {x_ports.filter.approve(std::move(draft)), {x_core.index(), id, {}}});
    x_in_flight += drafts.size();
    co_await waiter.arrived.wait();
    remove(id);
    co_return std::move(waiter.errors);
}

std::uint64_t Rooms::add(Responder& responder) {
    const std::uint64_t id = x_next_responder++;
    x_responders.emplace(id, &responder);
    return id;
}

void Rooms::remove(std::uint64_t responder) { x_responders.erase(responder); }

void Rooms::on_turn_end() {
    if (x_submissions.empty()) return;
    if (notes_ways()) {
        const std::int64_t now_ms = x_ports.clock.now().ms;
        for (ports::Submission& each : x_submissions) each.origin.at_ms = now_ms;
    }
    x_ports.log.append(std::exchange(x_submissions, {}));
}

// --- from the log

void Node::note(const std::vector<ports::Outcome>& outcomes) const {
    std::int64_t first = 0, last = 0;
    for (const ports::Outcome& outcome : outcomes) {
        if (!outcome.durable || outcome.duplicate) continue;
        const std::int64_t id = outcome.durable->event().id.value;
        first = first ? std::min(first, id) : id;
        last = std::max(last, id);
    }
    if (last) x_commits->note(0, first, last, x_clock->now().ms);
}

void Node::on_outcomes(std::vector<ports::Outcome> outcomes) {
    if (x_commits) note(outcomes);
    if (x_spans) add_spans(outcomes);
    if (x_rooms.size() == 1) {
        Rooms& only = *x_rooms[0];
        only.core().post([&only, outcomes = std::move(outcomes)]() mutable {
            only.on_home_outcomes(std::move(outcomes));
        });
        return;
    }
    std::vector<std::vector<ports::Outcome>> by_home(x_rooms.size());
    for (ports::Outcome& outcome : outcomes) {
        // An outcome without a room (a creation that failed) concerns its origin alone.
        const std::size_t home = outcome.room_id
                                     ? std::hash<model::RoomId>{}(outcome.room_id) % x_rooms.size()
                                     : outcome.origin.core % x_rooms.size();
        by_home[home].push_back(std::move(outcome));
    }
    for (std::size_t i = 0; i < by_home.size(); ++i) {
        if (by_home[i].empty()) continue;
        Rooms& home = *x_rooms[i];
        home.core().post([&home, outcomes = std::move(by_home[i])]() mutable {
            home.on_home_outcomes(std::move(outcomes));
        });
    }
}

namespace {

// That somebody comes or goes of their own will, or is let in. A removal or a new role is told at
// once.
bool may_wait(const model::Event& event) {
    const auto* change = std::get_if<model::MemberChanged>(&event.body);
    return change && (change->action == model::MemberAction::joined ||
                      change->action == model::MemberAction::left);
}

} // namespace

void Rooms::on_home_outcomes(std::vector<ports::Outcome> outcomes) {
    ByCore by_core(x_peers.size());
    for (ports::Outcome& outcome : outcomes) take(std::move(outcome), by_core);
    send_to_cores(std::move(by_core));
}

void Rooms::take(ports::Outcome outcome, ByCore& by_core) {
    bool shown = outcome.durable && !outcome.error && !outcome.duplicate;
    if (x_ports.feed && outcome.durable && !outcome.error) {
        if (hold_behind_gap(outcome)) return;
        const model::Event& event = outcome.durable->event();
        const RoomHome::Place place = x_home.place(event);
        // What the log had before may have been missed here, and then it is news.
        if (place == RoomHome::Place::next) outcome.duplicate = false;
        shown = place == RoomHome::Place::next ||
                (place == RoomHome::Place::unknown && shown && !was_told(event.id));
    }
    spread(std::move(outcome), shown, by_core);
}

// To the cores that listen, and to who waits for the answer. An event that is not shown has been.
void Rooms::spread(ports::Outcome outcome, bool shown, ByCore& by_core) {
    const CoreMask everybody =
        x_peers.size() == kCoresMax ? ~CoreMask{0} : (CoreMask{1} << x_peers.size()) - 1;
    auto delivery = std::make_shared<Delivery>();
    delivery->outcome = std::move(outcome);
    if (x_ports.spans) delivery->arrived_us = x_ports.spans->now_us();
    const ports::Origin& origin = delivery->outcome.origin;
    CoreMask cores = origin.responder ? CoreMask{1} << origin.core : 0;
    if (delivery->outcome.error) {
        x_probe.refused(delivery->outcome.error->code);
    } else if (delivery->outcome.duplicate) {
        x_probe.repeated.add();
    } else if (const model::Event* event = delivery->event(); event && shown) {
        x_probe.accepted.add();
        const CoreMask listening = x_home.apply(*event);
        delivery->may_wait = may_wait(*event) && is_large(event->room_id);
        const bool personal = std::holds_alternative<model::MemberChanged>(event->body) ||
                              !delivery->outcome.durable->initial_members().empty();
        cores |= personal ? everybody : listening;
        if (personal || listening) {
            delivery->payload.reserve(384);
            v1::append_event(delivery->payload, *event);
        }
    }
    const DeliveryRef shared = std::move(delivery);
    for (CoreMask rest = cores; rest; rest &= rest - 1)
        by_core[static_cast<std::size_t>(std::countr_zero(rest))].push_back(shared);
}

void Rooms::send_to_cores(ByCore by_core) {
    for (std::size_t i = 0; i < by_core.size(); ++i) {
        if (by_core[i].empty()) continue;
        on(*x_peers[i],
           [deliveries = std::move(by_core[i])](Rooms& peer) { peer.deliver(deliveries); });
    }
}

void Rooms::deliver(const std::vector<DeliveryRef>& deliveries) {
    for (const DeliveryRef& delivery : deliveries) deliver_one(delivery);
    if (x_ports.spans)
        for (const DeliveryRef& delivery : deliveries) add_spans(*delivery);
    if (!x_traces.enabled()) return;
    const std::int64_t now_ms = x_ports.clock.now().ms;
    for (const DeliveryRef& delivery : deliveries) remember(*delivery, now_ms);
}

void Rooms::deliver_one(const DeliveryRef& delivery) {
    const ports::Origin& origin = delivery->outcome.origin;
    // What waits comes before it, also for the sender, to whom its answer is the event.
    if (!delivery->payload.empty() && !delivery->may_wait) x_hub.flush(delivery->event()->room_id);
    chat::Subscriber* sender = nullptr;
    if (origin.responder && origin.core == x_core.index()) {
        --x_in_flight;
        const auto found = x_responders.find(origin.responder);
        if (found != x_responders.end()) {
            // A posted message is shown to the connection that sent it by `sent`, in place of
            // `message`.
            const model::Event* event = delivery->event();
            if (event && std::holds_alternative<model::MessagePosted>(event->body))
                sender = found->second->as_subscriber();
            found->second->on_outcome(delivery);
        }
    }
    if (delivery->payload.empty()) return;
    const model::Event& event = *delivery->event();
    // Classic clients are shown posted messages and nothing else.
    const auto* posted = std::get_if<model::MessagePosted>(&event.body);
    struct Frames final : chat::EventFrames {
        Frames(Rooms& r, const std::string& v, const model::MessagePosted* m)
            : rooms(r), v1_payload(v), message(m) {}
        FrameRef make(chat::Dialect dialect) override {
            if (dialect == chat::Dialect::v1) return rooms.x_make_frame(v1_payload);
            if (!message) return {};
            rooms.x_scratch.clear();
            protocol::classic::append_message(rooms.x_scratch, message->message,
                                              rooms.x_ports.node_name);
            return rooms.x_make_frame(rooms.x_scratch);
        }
        Rooms& rooms;
        const std::string& v1_payload;
        const model::MessagePosted* message;
    } frames(*this, delivery->payload, posted);
    if (delivery->may_wait) {
        x_hub.publish_later(event.room_id, event.id, x_make_frame(delivery->payload),
                            x_ports.clock.steady());
        x_probe.member_events_waited.add();
    } else {
        x_hub.publish(event.room_id, event.id, frames, sender);
    }
    x_probe.deliveries.add(posted ? x_hub.listeners(event.room_id)
                                  : x_hub.listeners(event.room_id, chat::Dialect::v1));
    if (!posted) tell_people_concerned(*delivery);
}

void Rooms::tell_people_concerned(const Delivery& delivery) {
    const model::Event& event = *delivery.event();
    FrameRef frame;
    const auto tell = [&](model::UserId user) {
        x_hub.for_each_of(user, [&](chat::Subscriber& subscriber) {
            if (subscriber.dialect() != chat::Dialect::v1 ||
                x_hub.is_subscribed(event.room_id, subscriber))
                return;
            if (!frame) frame = x_make_frame(delivery.payload);
            subscriber.push(frame);
        });
    };
    if (const auto* change = std::get_if<model::MemberChanged>(&event.body)) {
        tell(change->user_id);
        if (change->action == model::MemberAction::left ||
            change->action == model::MemberAction::removed) {
            x_hub.end_all_of(event.room_id, change->user_id);
            detach_if_unheard(event.room_id);
            // Whether they are online is no longer that room's business.
            if (&home_of(change->user_id) == this &&
                x_presence.left(change->user_id, event.room_id))
                on(home_of(event.room_id),
                   [room = event.room_id](Rooms& home) { home.count_online(room, false); });
        } else if (change->action == model::MemberAction::role) {
            x_hub.set_role(event.room_id, change->user_id, change->role);
        }
    } else if (const auto* room = std::get_if<model::RoomChanged>(&event.body)) {
        for (const model::UserId user : delivery.outcome.durable->initial_members()) tell(user);
        if (room->room.deleted) x_hub.end_room(event.room_id);
    }
}

} // namespace parley::service
