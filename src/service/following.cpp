// The half of Rooms that there is only with a feed: events of other processes that were missed, and
// what those processes tell besides.
#include "base/cluster_limits.hpp"
#include "protocol/log/codec.hpp"
#include "service/rooms.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <bit>

namespace parley::service {

// --- what was missed

bool Rooms::hold_behind_gap(ports::Outcome& outcome) {
    const model::Event& event = outcome.durable->event();
    const model::RoomId room = event.room_id;
    auto gap = x_gaps.find(room);
    if (gap == x_gaps.end()) {
        if (x_home.place(event) != RoomHome::Place::gap) return false;
        begin_healing(room);
        gap = x_gaps.find(room);
        if (gap == x_gaps.end()) return false; // stopping
    }
    // What does not fit is in the store when the rest has been read.
    if (gap->second.waiting.size() < limits::kWaitingBehindGap || outcome.origin.responder)
        gap->second.waiting.push_back(std::move(outcome));
    return true;
}

bool Rooms::was_told(model::EventId event) {
    if (std::find(x_told.begin(), x_told.end(), event) != x_told.end()) return true;
    x_told.push_back(event);
    if (x_told.size() > limits::kToldRemembered) x_told.pop_front();
    return false;
}

void Rooms::begin_healing(model::RoomId room) {
    if (!x_gaps.try_emplace(room).second) return;
    x_probe.gaps.add();
    if (!x_gate.spawn(heal(room))) x_gaps.erase(room);
}

Task<void> Rooms::heal(model::RoomId room) {
    boost::asio::steady_timer timer(x_core.io());
    std::chrono::milliseconds pause = limits::kReadAgain;
    const auto answer_at = x_ports.clock.steady() + limits::kSendersWait;
    while (!x_gate.closing()) {
        auto more = co_await read_missed(room);
        if (more && !*more) break;
        if (more) continue;
        if (x_ports.clock.steady() > answer_at) answer_senders(room);
        timer.expires_after(pause);
        co_await timer.async_wait(boost::asio::use_awaitable);
        pause = std::min<std::chrono::milliseconds>(2 * pause, limits::kReadAgainMax);
    }
    release_waiting(room);
}

// The store does not answer for long: who sent something is told that it is in the log. What came
// before it and after is shown when it can be, in order; their client sees by prev_id that it has
// a gap.
void Rooms::answer_senders(model::RoomId room) {
    const auto gap = x_gaps.find(room);
    if (gap == x_gaps.end()) return;
    ByCore by_core(x_peers.size());
    for (ports::Outcome& outcome : gap->second.waiting) {
        if (!outcome.origin.responder) continue;
        ports::Outcome answer = outcome;
        outcome.origin = {};
        spread(std::move(answer), false, by_core);
    }
    send_to_cores(std::move(by_core));
}

// One page. True: there is more.
Task<Result<bool>> Rooms::read_missed(model::RoomId room) {
    const auto last = x_home.last_id(room);
    if (!last) co_return false; // nobody needs it any more
    auto page = co_await x_ports.history.events_after(room, *last, limits::kResumePage);
    if (!page) co_return page.error();
    ByCore by_core(x_peers.size());
    for (model::Event& event : page->events) {
        if (x_home.place(event) == RoomHome::Place::old) continue;
        ports::Outcome outcome;
        outcome.room_id = room;
        if (const auto origin = x_ports.feed->claim(event)) outcome.origin = *origin;
        if (const auto* posted = std::get_if<model::MessagePosted>(&event.body))
            outcome.nonce = posted->nonce;
        outcome.durable = protocol::log::Codec::read_back(std::move(event));
        x_probe.missed.add();
        spread(std::move(outcome), true, by_core);
    }
    send_to_cores(std::move(by_core));
    if (page->more) co_return true;
    // Everything up to what the store had is there; what was heard since may follow.
    const auto gap = x_gaps.find(room);
    const auto reached = x_home.last_id(room);
    if (gap == x_gaps.end() || !reached) co_return false;
    model::EventId newest = std::max(*reached, page->last_id);
    for (const ports::Outcome& outcome : gap->second.waiting) {
        const model::Event& event = outcome.durable->event();
        if (event.id <= newest) continue;
        // Also in what was heard since something may be missing.
        if (event.prev_id > newest) co_return Error(Errc::unavailable, "the store is behind");
        newest = event.id;
    }
    co_return false;
}

// What is left, whatever was before it.
void Rooms::release_waiting(model::RoomId room) {
    const auto gap = x_gaps.find(room);
    if (gap == x_gaps.end()) return;
    std::vector<ports::Outcome> waiting = std::move(gap->second.waiting);
    x_gaps.erase(gap);
    ByCore by_core(x_peers.size());
    for (ports::Outcome& outcome : waiting) {
        const bool old = x_home.place(outcome.durable->event()) == RoomHome::Place::old;
        spread(std::move(outcome), !old, by_core);
    }
    send_to_cores(std::move(by_core));
}

// --- whether anything was missed that no later event tells of

void Rooms::look_at_heads() {
    if (!x_ports.feed || x_looking_at_heads) return;
    const auto now = x_ports.clock.steady();
    if (now - x_heads_looked < limits::kHeadsLook) return;
    x_heads_looked = now;
    auto rooms = x_home.listened();
    if (rooms.empty()) return;
    x_looking_at_heads = true;
    if (!x_gate.spawn(compare_heads(std::move(rooms)))) x_looking_at_heads = false;
}

Task<void> Rooms::compare_heads(std::vector<RoomHome::Followed> rooms) {
    std::vector<model::RoomId> ids;
    ids.reserve(rooms.size());
    for (const auto& one : rooms) ids.push_back(one.room);
    const auto heads = co_await x_ports.feed->heads(std::move(ids));
    // What is only late, under load, comes by itself.
    boost::asio::steady_timer timer(x_core.io(), limits::kHeadLate);
    if (heads && !x_gate.closing()) co_await timer.async_wait(boost::asio::use_awaitable);
    x_looking_at_heads = false;
    if (!heads) co_return; // the next look will tell
    for (std::size_t i = 0; i < rooms.size() && i < heads->size(); ++i) {
        const auto last = x_home.last_id(rooms[i].room);
        if (last && (*heads)[i] > *last) begin_healing(rooms[i].room);
    }
}

// --- what others tell

void Rooms::hear(Transient transient) {
    if (transient.kind == Transient::Kind::to_user) {
        tell_user(transient.user, transient.payload, 0, nullptr);
        return;
    }
    Rooms& home = home_of(transient.room);
    on(home, [transient = std::move(transient)](Rooms& at_home) {
        const model::RoomId room = transient.room;
        if (transient.kind == Transient::Kind::seat_taken) {
            const auto holder = at_home.x_seats.vacate(room, transient.user);
            if (!holder) return;
            at_home.on(*at_home.x_peers[holder->core], [number = holder->responder](Rooms& peer) {
                const auto found = peer.x_responders.find(number);
                if (found != peer.x_responders.end()) found->second->on_replaced();
            });
            return;
        }
        for (CoreMask rest = at_home.x_home.listeners(room); rest; rest &= rest - 1)
            at_home.on(*at_home.x_peers[static_cast<std::size_t>(std::countr_zero(rest))],
                       [transient](Rooms& peer) {
                           const FrameRef frame = peer.x_make_frame(transient.payload);
                           if (transient.user)
                               peer.x_hub.publish_to_others(transient.room, frame, transient.user);
                           else
                               peer.x_hub.publish_transient(transient.room, frame, nullptr,
                                                            transient.dialect);
                       });
    });
}

} // namespace parley::service
