#include "service/rooms.hpp"

#include "base/one_shot.hpp"
#include "base/run_on.hpp"
#include "protocol/classic/server_frame.hpp"
#include "protocol/v1/server_frame.hpp"

#include <bit>

namespace parley::service {

namespace v1 = protocol::v1;

Rooms::Probe::Probe(Metrics& m)
    : accepted(m.counter("parley_events_total", "Events that became durable")),
      repeated(m.counter("parley_events_repeated_total", "Sends whose nonce the log had already")),
      deliveries(m.counter("parley_deliveries_total", "Event frames queued for subscribers")),
      resumes(m.counter("parley_resumes_total", "Subscriptions with since")),
      resumed_events(m.counter("parley_resumed_events_total", "Events sent in resumes")),
      transient(
          m.counter("parley_transient_total", "Typing, presence and receipt frames published")),
      metrics(m) {}

void Rooms::Probe::refused(Errc code) {
    metrics
        .counter("parley_changes_refused_total", "Changes that the log refused, by code",
                 "code=\"" + std::string(name_of(code)) + "\"")
        .add();
}

Rooms::Rooms(Core& core, RoomsPorts ports, FrameMaker make_frame, Metrics& metrics)
    : x_core(core),
      x_ports(ports),
      x_make_frame(make_frame),
      x_gate(core.io().get_executor()),
      x_home(core, ports.directory, x_gate, metrics),
      x_probe(metrics) {
    core.add(*this);
}

Task<void> Rooms::close() { co_await x_gate.close(); }

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
    if (!x_submissions.empty()) x_ports.log.append(std::exchange(x_submissions, {}));
}

// --- from the log

void Node::on_outcomes(std::vector<ports::Outcome> outcomes) {
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

void Rooms::on_home_outcomes(std::vector<ports::Outcome> outcomes) {
    std::vector<std::vector<DeliveryRef>> by_core(x_peers.size());
    const CoreMask everybody =
        x_peers.size() == kCoresMax ? ~CoreMask{0} : (CoreMask{1} << x_peers.size()) - 1;
    for (ports::Outcome& outcome : outcomes) {
        auto delivery = std::make_shared<Delivery>();
        delivery->outcome = std::move(outcome);
        CoreMask cores = CoreMask{1} << delivery->outcome.origin.core;
        if (delivery->outcome.error) {
            x_probe.refused(delivery->outcome.error->code);
        } else if (delivery->outcome.duplicate) {
            x_probe.repeated.add();
        } else if (const model::Event* event = delivery->event()) {
            x_probe.accepted.add();
            const CoreMask listening = x_home.apply(*event);
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
    for (std::size_t i = 0; i < by_core.size(); ++i) {
        if (by_core[i].empty()) continue;
        on(*x_peers[i],
           [deliveries = std::move(by_core[i])](Rooms& peer) { peer.deliver(deliveries); });
    }
}

void Rooms::deliver(const std::vector<DeliveryRef>& deliveries) {
    for (const DeliveryRef& delivery : deliveries) deliver_one(delivery);
}

void Rooms::deliver_one(const DeliveryRef& delivery) {
    const ports::Origin& origin = delivery->outcome.origin;
    chat::Subscriber* sender = nullptr;
    if (origin.core == x_core.index()) {
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
    x_hub.publish(event.room_id, event.id, frames, sender);
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
        } else {
            x_hub.set_role(event.room_id, change->user_id, change->role);
        }
    } else if (const auto* room = std::get_if<model::RoomChanged>(&event.body)) {
        for (const model::UserId user : delivery.outcome.durable->initial_members()) tell(user);
        if (room->room.deleted) x_hub.end_room(event.room_id);
    }
}

// --- transient

void Rooms::tell_room(model::RoomId room, std::string payload, Audience audience,
                      chat::Subscriber* except, chat::Dialect dialect) {
    const std::uint16_t from = x_core.index();
    on(home_of(room), [=, payload = std::move(payload)](Rooms& home) {
        home.spread(room, payload, audience, from, except, dialect);
    });
}

// On the room's home core. `except` is only compared, and only on the core it lives on.
void Rooms::spread(model::RoomId room, const std::string& payload, Audience audience,
                   std::uint16_t from_core, chat::Subscriber* except, chat::Dialect dialect) {
    if (audience == Audience::small_rooms_only &&
        x_home.member_count(room) > limits::kPresenceRoomMax)
        return;
    x_probe.transient.add();
    for (CoreMask rest = x_home.listeners(room); rest; rest &= rest - 1) {
        const auto core = static_cast<std::size_t>(std::countr_zero(rest));
        chat::Subscriber* skip = core == from_core ? except : nullptr;
        on(*x_peers[core], [room, payload, skip, dialect](Rooms& peer) {
            peer.x_hub.publish_transient(room, peer.x_make_frame(payload), skip, dialect);
        });
    }
}

void Rooms::tell_user(model::UserId user, const std::string& payload,
                      model::RoomId unless_listening_to, chat::Subscriber* except) {
    for (Rooms* each : x_peers) {
        chat::Subscriber* skip = each == this ? except : nullptr;
        on(*each, [=](Rooms& peer) {
            peer.x_hub.for_each_of(user, [&](chat::Subscriber& subscriber) {
                if (&subscriber != skip && subscriber.dialect() == chat::Dialect::v1 &&
                    !peer.x_hub.is_subscribed(unless_listening_to, subscriber))
                    subscriber.push(peer.x_make_frame(payload));
            });
        });
    }
}

Task<Result<void>> Rooms::mark_read(model::UserId user, model::RoomId room,
                                    model::MessageId message, chat::Subscriber* except) {
    PARLEY_CO_TRY(const RoomView seen, co_await require(user, room, chat::Action::send));
    static_cast<void>(seen);
    PARLEY_CO_TRY(const bool moved, co_await x_ports.directory.set_read(user, room, message));
    if (!moved) co_return Result<void>{};
    std::string payload;
    v1::append_receipt(payload, room, user, message);
    tell_user(user, payload, room, except);
    tell_room(room, std::move(payload), Audience::everybody, except);
    co_return Result<void>{};
}

Task<std::vector<bool>> Rooms::online(std::vector<model::UserId> users) {
    std::vector<bool> answer(users.size());
    std::vector<std::vector<std::size_t>> by_core(x_peers.size());
    for (std::size_t i = 0; i < users.size(); ++i)
        by_core[std::hash<model::UserId>{}(users[i]) % x_peers.size()].push_back(i);
    struct Ask {
        static Task<std::vector<bool>> of(Rooms& peer, std::vector<model::UserId> some) {
            std::vector<bool> online;
            for (const model::UserId user : some) online.push_back(peer.x_presence.online(user));
            co_return online;
        }
    };
    for (std::size_t core = 0; core < by_core.size(); ++core) {
        if (by_core[core].empty()) continue;
        std::vector<model::UserId> some;
        for (const std::size_t i : by_core[core]) some.push_back(users[i]);
        const auto part =
            co_await run_on(x_peers[core]->x_core, Ask::of(*x_peers[core], std::move(some)));
        for (std::size_t k = 0; k < part.size(); ++k) answer[by_core[core][k]] = part[k];
    }
    co_return answer;
}

} // namespace parley::service
