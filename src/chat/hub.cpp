#include "chat/hub.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <string>

namespace parley::chat {

model::RoomId Subscription::room_id() const { return x_room->id; }

// The frames of one event, each made when the first one who needs it is met.
class Hub::Once {
public:
    explicit Once(EventFrames& frames) : x_frames(frames) {}
    const FrameRef& in(Dialect dialect) {
        const auto index = static_cast<std::size_t>(dialect);
        if (!x_asked[index]) x_made[index] = x_frames.make(dialect);
        x_asked[index] = true;
        return x_made[index];
    }

private:
    EventFrames& x_frames;
    FrameRef x_made[2];
    bool x_asked[2] = {false, false};
};

Hub::~Hub() {
    for (auto& [id, room] : x_rooms) {
        for (const LocalRoom::Live& entry : room->live) delete entry.subscription;
        for (const LocalRoom::Live& entry : room->classic_live) delete entry.subscription;
        for (const Subscription* subscription : room->catching_up) delete subscription;
    }
}

LocalRoom* Hub::find(model::RoomId room) {
    const auto found = x_rooms.find(room);
    return found == x_rooms.end() ? nullptr : found->second.get();
}

Subscription& Hub::begin(model::RoomId room_id, Subscriber& subscriber, model::Role role) {
    std::unique_ptr<LocalRoom>& room = x_rooms[room_id];
    if (!room) {
        room = std::make_unique<LocalRoom>();
        room->id = room_id;
    }
    auto subscription = std::make_unique<Subscription>();
    subscription->x_room = room.get();
    subscription->x_subscriber = &subscriber;
    subscription->x_role = role;
    subscription->x_slot = static_cast<std::uint32_t>(room->catching_up.size());
    room->catching_up.push_back(subscription.get());
    ++x_subscriptions;
    return *subscription.release();
}

bool Hub::go_live(Subscription& subscription, model::EventId through) {
    PARLEY_ASSERT(!subscription.x_live);
    std::vector<HeldFrame> held = std::move(subscription.x_held);
    subscription.x_held = {};
    if (subscription.x_overflowed) {
        subscription.x_overflowed = false;
        return false;
    }
    for (const HeldFrame& one : held)
        if (one.id > through) subscription.x_subscriber->push(one.frame);
    subscription.x_live = true;
    subscription.x_through = through;
    if (through <= subscription.x_room->last_id)
        take_every_event(*subscription.x_room, subscription);
    return true;
}

void Hub::take_every_event(LocalRoom& room, Subscription& subscription) {
    Subscription* const last = room.catching_up.back();
    room.catching_up[subscription.x_slot] = last;
    last->x_slot = subscription.x_slot;
    room.catching_up.pop_back();
    auto& live = room.live_in(subscription.x_subscriber->dialect());
    subscription.x_slot = static_cast<std::uint32_t>(live.size());
    live.push_back({subscription.x_subscriber, &subscription});
}

void Hub::unlink(Subscription& subscription) {
    LocalRoom& room = *subscription.x_room;
    const std::uint32_t slot = subscription.x_slot;
    auto& live = room.live_in(subscription.x_subscriber->dialect());
    if (slot < live.size() && live[slot].subscription == &subscription) {
        live[slot] = live.back();
        live[slot].subscription->x_slot = slot;
        live.pop_back();
    } else {
        PARLEY_ASSERT(slot < room.catching_up.size() && room.catching_up[slot] == &subscription);
        room.catching_up[slot] = room.catching_up.back();
        room.catching_up[slot]->x_slot = slot;
        room.catching_up.pop_back();
    }
    --x_subscriptions;
}

void Hub::drop_if_empty(LocalRoom& room) {
    if (room.empty()) x_rooms.erase(room.id);
}

void Hub::end(Subscription& subscription) {
    LocalRoom& room = *subscription.x_room;
    unlink(subscription);
    delete &subscription;
    drop_if_empty(room);
}

void Hub::end_by_hub(Subscription& subscription) {
    LocalRoom& room = *subscription.x_room;
    unlink(subscription);
    subscription.x_subscriber->on_ended(subscription);
    delete &subscription;
    drop_if_empty(room);
}

bool Hub::publish(model::RoomId room_id, model::EventId id, EventFrames& frames,
                  const Subscriber* except) {
    LocalRoom* const room = find(room_id);
    if (!room) return true;
    if (!room->waiting.empty()) flush(*room);
    if (id <= room->last_id) return false;
    room->last_id = id;
    Once once(frames);
    for (const Dialect dialect : {Dialect::v1, Dialect::classic}) {
        const std::vector<LocalRoom::Live>& live = room->live_in(dialect);
        if (live.empty()) continue;
        const FrameRef& frame = once.in(dialect);
        if (!frame) continue;
        for (const LocalRoom::Live& entry : live)
            if (entry.subscriber != except) entry.subscriber->push(frame);
    }
    if (!room->catching_up.empty()) publish_to_catching_up(*room, id, once, except);
    return true;
}

bool Hub::publish(model::RoomId room, model::EventId id, const FrameRef& frame,
                  const Subscriber* except) {
    struct Only final : EventFrames {
        explicit Only(const FrameRef& f) : frame(f) {}
        FrameRef make(Dialect dialect) override {
            return dialect == Dialect::v1 ? frame : FrameRef();
        }
        const FrameRef& frame;
    } only(frame);
    return publish(room, id, only, except);
}

void Hub::hold(Subscription& subscription, model::EventId id, const FrameRef& frame) {
    if (subscription.x_overflowed) return;
    if (subscription.x_held.size() < limits::kCatchUpFrames) {
        subscription.x_held.push_back({id, frame});
    } else {
        subscription.x_overflowed = true;
        subscription.x_held = {};
    }
}

void Hub::publish_to_catching_up(LocalRoom& room, model::EventId id, Once& frames,
                                 const Subscriber* except) {
    // Backwards, since a subscription that leaves the list is replaced by its last one.
    for (std::size_t i = room.catching_up.size(); i-- > 0;) {
        Subscription& subscription = *room.catching_up[i];
        const FrameRef& frame = frames.in(subscription.x_subscriber->dialect());
        if (subscription.x_live) {
            if (id <= subscription.x_through) continue;
            if (frame && subscription.x_subscriber != except)
                subscription.x_subscriber->push(frame);
            take_every_event(room, subscription);
        } else if (frame) {
            hold(subscription, id, frame);
        }
    }
}

// --- events that can wait

bool Hub::publish_later(model::RoomId room_id, model::EventId id, const FrameRef& frame,
                        Instant now) {
    LocalRoom* const room = find(room_id);
    if (!room) return true;
    if (id <= (room->waiting.empty() ? room->last_id : room->waiting.back().id)) return false;
    if (room->waiting.empty()) x_waiting.emplace_back(now, room_id);
    room->waiting.push_back({id, frame});
    if (room->waiting.size() >= limits::kWaitingEvents) flush(*room);
    return true;
}

void Hub::flush(model::RoomId room_id) {
    if (LocalRoom* const room = find(room_id)) flush(*room);
}

void Hub::flush_waiting_since(Instant since) {
    while (!x_waiting.empty() && x_waiting.front().first <= since) {
        const model::RoomId room = x_waiting.front().second;
        x_waiting.pop_front();
        flush(room); // early for a room that was flushed since and has begun again: never late
    }
}

void Hub::flush(LocalRoom& room) {
    if (room.waiting.empty()) return;
    const std::vector<HeldFrame> waiting = std::exchange(room.waiting, {});
    room.last_id = waiting.back().id;
    std::string bytes;
    for (const HeldFrame& one : waiting) bytes += one.frame.bytes();
    const FrameRef together = waiting.size() == 1 ? waiting[0].frame : FrameRef::copy_of(bytes);
    for (const LocalRoom::Live& entry : room.live) entry.subscriber->push(together);
    if (!room.catching_up.empty()) publish_waiting_to_catching_up(room, waiting, together);
}

// Whether any of them is above what the subscription has already.
bool Hub::push_above(Subscription& subscription, std::span<const HeldFrame> frames) {
    bool any = false;
    for (const HeldFrame& one : frames) {
        if (one.id <= subscription.x_through) continue;
        any = true;
        if (subscription.x_subscriber->dialect() == Dialect::v1)
            subscription.x_subscriber->push(one.frame);
    }
    return any;
}

// `together`: the bytes of all of them.
void Hub::publish_waiting_to_catching_up(LocalRoom& room, std::span<const HeldFrame> waiting,
                                         const FrameRef& together) {
    // Backwards, as above.
    for (std::size_t i = room.catching_up.size(); i-- > 0;) {
        Subscription& subscription = *room.catching_up[i];
        const bool shown = subscription.x_subscriber->dialect() == Dialect::v1;
        if (!subscription.x_live) {
            if (!shown) continue;
            for (const HeldFrame& one : waiting) hold(subscription, one.id, one.frame);
        } else if (waiting.front().id > subscription.x_through) {
            if (shown) subscription.x_subscriber->push(together);
            take_every_event(room, subscription);
        } else if (push_above(subscription, waiting)) {
            take_every_event(room, subscription);
        }
    }
}

void Hub::publish_transient(model::RoomId room_id, const FrameRef& frame, const Subscriber* except,
                            Dialect dialect) {
    LocalRoom* const room = find(room_id);
    if (!room) return;
    for (const LocalRoom::Live& entry : room->live_in(dialect))
        if (entry.subscriber != except) entry.subscriber->push(frame);
    for (const Subscription* subscription : room->catching_up)
        if (subscription->x_live && subscription->x_subscriber != except &&
            subscription->x_subscriber->dialect() == dialect)
            subscription->x_subscriber->push(frame);
}

// function(subscription) for all of a room, until it answers true; that one, or null.
template <class Function>
static Subscription* find_of(const LocalRoom& room, Function function) {
    for (const auto* live : {&room.live, &room.classic_live})
        for (const LocalRoom::Live& entry : *live)
            if (function(*entry.subscription)) return entry.subscription;
    for (Subscription* subscription : room.catching_up)
        if (function(*subscription)) return subscription;
    return nullptr;
}

void Hub::publish_to_others(model::RoomId room_id, const FrameRef& frame, model::UserId except) {
    LocalRoom* const room = find(room_id);
    if (!room) return;
    for (const LocalRoom::Live& entry : room->live)
        if (entry.subscriber->user_id() != except) entry.subscriber->push(frame);
    for (const Subscription* subscription : room->catching_up)
        if (subscription->x_live && subscription->x_subscriber->user_id() != except &&
            subscription->x_subscriber->dialect() == Dialect::v1)
            subscription->x_subscriber->push(frame);
}

void Hub::set_role(model::RoomId room_id, model::UserId user, model::Role role) {
    const LocalRoom* const room = find(room_id);
    if (!room) return;
    find_of(*room, [&](Subscription& subscription) {
        if (subscription.subscriber().user_id() == user) subscription.x_role = role;
        return false;
    });
}

Subscription* Hub::of_user(const LocalRoom& room, model::UserId user) {
    return find_of(room, [&](const Subscription& subscription) {
        return subscription.subscriber().user_id() == user;
    });
}

void Hub::end_all_of(model::RoomId room_id, model::UserId user) {
    // Looked up anew each time: the last one that ends takes the room with it.
    for (;;) {
        const LocalRoom* const room = find(room_id);
        Subscription* const subscription = room ? of_user(*room, user) : nullptr;
        if (!subscription) return;
        if (subscription->x_live) push_above(*subscription, room->waiting);
        end_by_hub(*subscription);
    }
}

void Hub::end_room(model::RoomId room_id) {
    flush(room_id);
    while (LocalRoom* const room = find(room_id))
        end_by_hub(*find_of(*room, [](const Subscription&) { return true; }));
}

void Hub::add(Subscriber& subscriber) {
    PARLEY_ASSERT(!subscriber.x_registered);
    std::vector<Subscriber*>& of_user = x_users[subscriber.user_id()];
    subscriber.x_user_slot = static_cast<std::uint32_t>(of_user.size());
    subscriber.x_registered = true;
    of_user.push_back(&subscriber);
}

void Hub::remove(Subscriber& subscriber) {
    if (!subscriber.x_registered) return;
    const auto found = x_users.find(subscriber.user_id());
    PARLEY_ASSERT(found != x_users.end());
    std::vector<Subscriber*>& of_user = found->second;
    of_user[subscriber.x_user_slot] = of_user.back();
    of_user[subscriber.x_user_slot]->x_user_slot = subscriber.x_user_slot;
    of_user.pop_back();
    subscriber.x_registered = false;
    if (of_user.empty()) x_users.erase(found);
}

std::size_t Hub::connections_of(model::UserId user) const {
    const auto found = x_users.find(user);
    return found == x_users.end() ? 0 : found->second.size();
}

bool Hub::is_subscribed(model::RoomId room_id, const Subscriber& subscriber) const {
    const auto found = x_rooms.find(room_id);
    return found != x_rooms.end() && find_of(*found->second, [&](const Subscription& each) {
               return &each.subscriber() == &subscriber;
           });
}

std::size_t Hub::listeners(model::RoomId room_id) const {
    const auto found = x_rooms.find(room_id);
    if (found == x_rooms.end()) return 0;
    const LocalRoom& room = *found->second;
    std::size_t count = room.live.size() + room.classic_live.size();
    for (const Subscription* subscription : room.catching_up) count += subscription->live();
    return count;
}

std::size_t Hub::listeners(model::RoomId room_id, Dialect dialect) const {
    const auto found = x_rooms.find(room_id);
    if (found == x_rooms.end()) return 0;
    LocalRoom& room = *found->second;
    std::size_t count = room.live_in(dialect).size();
    for (const Subscription* subscription : room.catching_up)
        count += subscription->live() && subscription->subscriber().dialect() == dialect;
    return count;
}

} // namespace parley::chat
