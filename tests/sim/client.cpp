#include "tests/sim/client.hpp"

#include <algorithm>
#include <utility>

namespace parley::sim {

Device::Device(World& world, Network& network, Journal& journal, model::UserId user,
               std::vector<model::RoomId> rooms, std::vector<model::UserId> everybody)
    : x_world(world),
      x_network(network),
      x_journal(journal),
      x_user(user),
      x_everybody(std::move(everybody)),
      x_rooms(std::move(rooms)),
      x_gaps_may_be(world.faults.bus_drop > 0) {
    for (const model::RoomId room : x_rooms) x_views[room];
}

void Device::start(int actions) {
    x_actions_left = actions;
    connect();
    x_world.scheduler.after(x_world.random.between(1, 60), [this] { act(); });
}

// --- what it does of itself ----------------------------------------------------------------------

void Device::act() {
    if (x_actions_left-- <= 0) return;
    if (x_main) {
        if (x_world.random.chance(x_world.faults.cut))
            x_network.cut(x_main);
        else if (x_world.random.chance(x_world.faults.stall))
            x_network.stall(x_main);
        else
            act_in(x_world.random.pick(x_rooms));
    }
    x_world.scheduler.after(x_world.random.between(1, 50), [this] { act(); });
}

void Device::act_in(model::RoomId room) {
    View& view = x_views.at(room);
    if (view.state == View::State::out && x_world.random.chance(500)) return subscribe(room);
    const std::size_t what = x_world.random.below(100);
    if (what < 58)
        send_new(room);
    else if (what < 63)
        send_conflict(room);
    else if (what < 84)
        change_message(room);
    else if (what < 92)
        change_members(room);
    else if (what < 94)
        change_room(room);
    else if (what < 97)
        mark_read(room);
    else if (view.state == View::State::live)
        subscribe(room); // again, for no reason
}

void Device::send_new(model::RoomId room) {
    const std::uint64_t nonce = ++x_journal.last_nonce;
    x_nonces.push_back(nonce);
    Send& send = x_journal.sends[nonce];
    send.room = room;
    send.user = x_user;
    send.content = ++x_journal.last_content;
    send.first_link = x_main;
    send_attempt(x_main, nonce);
    if (!x_world.random.chance(x_world.faults.doubled_send)) return;
    // The same once more through a second connection, while the first may still be at it.
    if (!x_second) x_second = x_network.open(*this, x_user);
    x_world.scheduler.after(x_world.random.between(0, 30), [this, nonce] {
        if (x_second) send_attempt(x_second, nonce);
    });
}

void Device::send_conflict(model::RoomId room) {
    for (const std::uint64_t nonce : x_nonces) {
        const Send& send = x_journal.sends.at(nonce);
        if (send.room != room || !send.acknowledged || x_world.random.chance(500)) continue;
        Request request;
        request.kind = Request::Kind::send;
        request.room = room;
        request.nonce = nonce;
        request.content = ++x_journal.last_content;
        return transmit(x_main, request, true);
    }
}

void Device::change_message(model::RoomId room) {
    std::vector<WireEvent> posts;
    for (const WireEvent& event : x_views.at(room).log)
        if (event.kind == EventKind::posted) posts.push_back(event);
    if (posts.empty()) return;
    const WireEvent& post = x_world.random.pick(posts);
    Request request;
    request.room = room;
    request.message = post.id;
    const std::size_t what = x_world.random.below(4);
    if (what == 0) {
        request.kind = Request::Kind::remove;
        x_journal.operations.insert({EventKind::deleted, room, x_user, post.id.value});
    } else if (what == 1) {
        request.kind = Request::Kind::react;
        request.added = x_world.random.chance(700);
        x_journal.operations.insert({EventKind::reaction, room, x_user, post.id.value});
    } else {
        request.kind = Request::Kind::edit;
        request.content = ++x_journal.last_content;
        x_journal.edits[request.content] = {room, x_user, post.id};
        ++x_journal.edits_asked[post.id];
        ++x_world.stats.edits;
    }
    transmit(x_main, request);
}

void Device::change_members(model::RoomId room) {
    using Action = model::MemberAction;
    Request request;
    request.kind = Request::Kind::member;
    request.room = room;
    if (x_user == x_everybody.front() || x_world.random.chance(300)) {
        request.subject = x_everybody[x_world.random.below(x_everybody.size())];
        const std::size_t what = x_world.random.below(10);
        request.action = what < 5 ? Action::joined : what < 8 ? Action::role : Action::removed;
        const std::size_t role = x_world.random.below(10);
        request.role = role < 5   ? model::Role::member
                       : role < 8 ? model::Role::admin
                                  : model::Role::owner;
    } else {
        request.subject = x_user;
        request.action = x_world.random.chance(700) ? Action::joined : Action::left;
    }
    x_journal.operations.insert({EventKind::member, room, x_user, request.subject.value});
    transmit(x_main, request);
}

void Device::change_room(model::RoomId room) {
    Request request;
    request.kind = Request::Kind::room;
    request.room = room;
    request.content = ++x_journal.last_content;
    request.open = x_world.random.chance(500);
    request.pause_s = x_world.random.chance(300) ? 1 : 0;
    x_journal.room_changes[request.content] = {room, x_user, request.open};
    transmit(x_main, request);
}

void Device::mark_read(model::RoomId room) {
    std::vector<WireEvent> posts;
    for (const WireEvent& event : x_views.at(room).log)
        if (event.kind == EventKind::posted) posts.push_back(event);
    if (posts.empty()) return;
    Request request;
    request.kind = Request::Kind::mark;
    request.room = room;
    // Mostly the newest, now and then an older one.
    request.message = x_world.random.chance(700) ? posts.back().id : x_world.random.pick(posts).id;
    x_journal.marks_asked.insert({x_user, room, request.message});
    transmit(x_main, request);
}

// --- connections ---------------------------------------------------------------------------------

void Device::connect() {
    if (x_main) return;
    x_main = x_network.open(*this, x_user);
    x_world.trace("user", x_user, "opens link", x_main);
    for (const model::RoomId room : x_rooms) subscribe(room);
    repeat_unknown_sends();
}

void Device::come_back() {
    if (x_world.random.chance(250))
        for (auto& [room, view] : x_views) {
            view = {};
            view.fresh = true;
        }
    for (const LinkId link : {x_main, x_second})
        if (link) {
            x_network.close_by_client(link);
            lost(link);
        }
}

void Device::on_closed(LinkId link) { lost(link); }

void Device::lost(LinkId link) {
    std::erase_if(x_pending, [link](const auto& entry) { return entry.second.link == link; });
    if (link == x_second) {
        x_second = 0;
        if (x_main) repeat_unknown_sends();
    }
    if (link != x_main) return;
    x_world.trace("user", x_user, "lost link", link);
    x_main = 0;
    for (auto& [room, view] : x_views) view.state = View::State::out;
    x_world.scheduler.after(x_world.random.between(5, 300), [this] { connect(); });
}

void Device::transmit(LinkId link, Request request, bool conflict) {
    request.ref = ++x_last_ref;
    x_pending[request.ref] = {link, request, conflict,
                              x_journal.marks_done[{x_user, request.room}]};
    x_network.to_server(link, request);
    x_world.scheduler.after(x_world.answer_timeout_ms, [this, ref = request.ref, link] {
        if (!x_pending.contains(ref)) return;
        x_network.close_by_client(link);
        lost(link);
    });
}

void Device::subscribe(model::RoomId room) {
    View& view = x_views.at(room);
    Request request;
    request.kind = Request::Kind::subscribe;
    request.room = room;
    request.since = view.last;
    transmit(x_main, request);
    view.state = View::State::subscribing;
    view.ref = x_last_ref;
    ++x_world.stats.resumes;
}

void Device::send_attempt(LinkId link, std::uint64_t nonce) {
    Send& send = x_journal.sends.at(nonce);
    ++send.attempts;
    Request request;
    request.kind = Request::Kind::send;
    request.room = send.room;
    request.nonce = nonce;
    request.content = send.content;
    x_world.trace("user", x_user, "sends nonce", nonce, "to room", send.room, "by link", link,
                  "attempt", send.attempts);
    transmit(link, request);
}

bool Device::in_flight(std::uint64_t nonce) const {
    for (const auto& [ref, pending] : x_pending)
        if (pending.request.nonce == nonce && !pending.conflict) return true;
    return false;
}

void Device::repeat_unknown_sends() {
    for (const std::uint64_t nonce : x_nonces) {
        Send& send = x_journal.sends.at(nonce);
        if (send.settled() || in_flight(nonce)) continue;
        if (x_actions_left > 0 && x_world.random.chance(30)) {
            send.given_up = true;
            ++x_world.stats.given_up;
            continue;
        }
        send_attempt(x_main, nonce);
    }
}

// --- what it is told -----------------------------------------------------------------------------

void Device::report(const char* invariant, const char* what, const WireEvent& event) {
    x_world.violated(invariant, std::string(what) + ": user " + x_user.to_string() + " room " +
                                    event.room.to_string() + " event " + event.id.to_string() +
                                    " prev " + event.prev.to_string() + " last " +
                                    x_views.at(event.room).last.to_string());
}

void Device::on_packet(LinkId link, const Packet& packet) {
    Pending pending;
    if (packet.ref) {
        const auto found = x_pending.find(packet.ref);
        if (found == x_pending.end()) return;
        pending = found->second;
        x_pending.erase(found);
    }
    switch (packet.kind) {
    case Packet::Kind::subscribed:
        return on_subscribed(packet);
    case Packet::Kind::event:
        if (link != x_main) return on_unasked(packet.events.front());
        return on_live(packet.room, packet.events.front());
    case Packet::Kind::sent:
        return on_sent(link, packet, pending);
    case Packet::Kind::done:
        return on_done(packet, pending);
    case Packet::Kind::error:
        return on_error(packet, pending);
    case Packet::Kind::ended:
        // Not of an attempt that came after.
        ++x_world.stats.ended;
        x_views.at(packet.room).state = View::State::out;
        return;
    }
}

void Device::observe(View& view, const WireEvent& event) {
    if (!x_journal.asked_for(event)) report("I3", "nobody asked for this", event);
    x_world.trace("user", x_user, "sees event", event.id, "of room", event.room);
    view.last = event.id;
    view.log.push_back(event);
}

void Device::on_subscribed(const Packet& packet) {
    View& view = x_views.at(packet.room);
    if (view.state != View::State::subscribing || view.ref != packet.ref) return;
    for (const WireEvent& deletion : packet.events)
        for (const WireEvent& event : packet.events)
            if (deletion.kind == EventKind::deleted && event.content &&
                event.message == deletion.message)
                report("I3", "a deleted text", event);
    for (const WireEvent& event : packet.events) {
        if (event.id <= view.last) report("I5", "a resume repeats", event);
        if (event.prev != view.last) report("I5", "a resume has a hole", event);
        observe(view, event);
    }
    if (packet.more) {
        ++x_world.stats.further_pages;
        return subscribe(packet.room);
    }
    view.state = View::State::live;
    view.removed = false;
    x_world.trace("user", x_user, "is live in room", packet.room, "from", view.last);
}

// A connection that does not listen hears of the own coming and going, and of new rooms.
void Device::on_unasked(const WireEvent& event) {
    const bool personal = event.kind == EventKind::room ||
                          (event.kind == EventKind::member && event.subject == x_user);
    if (!personal) report("I8", "not subscribed here", event);
}

void Device::on_live(model::RoomId room, const WireEvent& event) {
    View& view = x_views.at(room);
    if (view.state != View::State::live) return; // of the subscription before
    if (view.removed) report("I8", "after the own removal", event);
    if (event.id <= view.last) return report("I5", "an event comes again", event);
    if (event.prev != view.last) {
        if (!x_gaps_may_be) report("I5", "a hole in what is live", event);
        ++x_world.stats.gaps;
        return subscribe(room);
    }
    observe(view, event);
    view.live.push_back(event.id);
    view.removed = event.kind == EventKind::member && event.subject == x_user &&
                   event.action != model::MemberAction::joined &&
                   event.action != model::MemberAction::role;
}

void Device::on_done(const Packet& packet, const Pending& pending) {
    const Request& request = pending.request;
    if (request.kind == Request::Kind::edit) ++x_journal.edits_done[request.message];
    if (request.kind == Request::Kind::remove) x_journal.deletions_done.insert(request.message);
    if (request.kind != Request::Kind::mark) return;
    if (packet.mark < std::max(pending.mark, request.message))
        x_world.violated("I15", "user " + x_user.to_string() + " has a read mark that went back");
    model::MessageId& furthest = x_journal.marks_done[{x_user, request.room}];
    furthest = std::max(furthest, packet.mark);
    ++x_world.stats.marks;
}

void Device::on_sent(LinkId link, const Packet& packet, const Pending& pending) {
    const WireEvent& event = packet.events.front();
    Send& send = x_journal.sends.at(pending.request.nonce);
    x_world.trace("user", x_user, "is told that nonce", event.nonce, "is event", event.id);
    if (pending.conflict) report("I2", "another body for the same nonce was taken", event);
    if (event.nonce != pending.request.nonce || event.user != x_user || !x_journal.asked_for(event))
        report("I3", "an answer about something else", event);
    if (send.acknowledged && send.acknowledged != event.id)
        report("I10", "two messages for one nonce", event);
    x_world.stats.acknowledged += !send.acknowledged;
    send.acknowledged = event.id;
    // On the connection that listens, the answer stands in the event's place.
    const View& view = x_views.at(packet.room);
    if (link != x_main || view.state != View::State::live || event.id <= view.last) return;
    if (event.prev != view.last && x_world.answers_may_overtake) return subscribe(packet.room);
    on_live(packet.room, event);
}

void Device::on_error(const Packet& packet, const Pending& pending) {
    x_world.trace("user", x_user, "is refused", packet.code, "nonce", pending.request.nonce);
    if (pending.request.kind == Request::Kind::subscribe) {
        View& view = x_views.at(packet.room);
        if (view.ref == packet.ref) view.state = View::State::out;
        return;
    }
    if (pending.request.kind != Request::Kind::send) return;
    if (pending.conflict) {
        x_world.stats.conflicts += packet.code == "nonce_conflict";
        return;
    }
    if (packet.code == "unavailable") {
        x_world.scheduler.after(x_world.random.between(5, 100), [this] {
            if (x_main) repeat_unknown_sends();
        });
        return;
    }
    x_journal.sends.at(pending.request.nonce).refused = packet.code;
    ++x_world.stats.refused;
    x_world.stats.slowed += packet.code == "rate_limited";
}

} // namespace parley::sim
