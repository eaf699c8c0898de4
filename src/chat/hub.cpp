#include "chat/hub.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace parley::chat {

model::RoomId Subscription::room_id() const { return x_room->id; }

Hub::~Hub() {
    for (auto& [id, room] : x_rooms) {
        for (const LocalRoom::Live& entry : room->live) delete entry.subscription;
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
    std::vector<Subscription::Held> held = std::move(subscription.x_held);
    subscription.x_held = {};
    if (subscription.x_overflowed) {
        subscription.x_overflowed = false;
        return false;
    }
    for (const Subscription::Held& one : held)
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
    subscription.x_slot = static_cast<std::uint32_t>(room.live.size());
    room.live.push_back({subscription.x_subscriber, &subscription});
}

void Hub::unlink(Subscription& subscription) {
    LocalRoom& room = *subscription.x_room;
    const std::uint32_t slot = subscription.x_slot;
    if (slot < room.live.size() && room.live[slot].subscription == &subscription) {
        room.live[slot] = room.live.back();
        room.live[slot].subscription->x_slot = slot;
        room.live.pop_back();
    } else {
        PARLEY_ASSERT(slot < room.catching_up.size() && room.catching_up[slot] == &subscription);
        room.catching_up[slot] = room.catching_up.back();
        room.catching_up[slot]->x_slot = slot;
        room.catching_up.pop_back();
    }
    --x_subscriptions;
}

void Hub::drop_if_empty(LocalRoom& room) {
    if (room.live.empty() && room.catching_up.empty()) x_rooms.erase(room.id);
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

bool Hub::publish(model::RoomId room_id, model::EventId id, const FrameRef& frame,
                  const Subscriber* except) {
    LocalRoom* const room = find(room_id);
    if (!room) return true;
    if (id <= room->last_id) return false;
    room->last_id = id;
    for (const LocalRoom::Live& entry : room->live)
        if (entry.subscriber != except) entry.subscriber->push(frame);
    if (!room->catching_up.empty()) publish_to_catching_up(*room, id, frame, except);
    return true;
}

void Hub::publish_to_catching_up(LocalRoom& room, model::EventId id, const FrameRef& frame,
                                 const Subscriber* except) {
    // Backwards, since a subscription that leaves the list is replaced by its last one.
    for (std::size_t i = room.catching_up.size(); i-- > 0;) {
        Subscription& subscription = *room.catching_up[i];
        if (subscription.x_live) {
            if (id <= subscription.x_through) continue;
            if (subscription.x_subscriber != except) subscription.x_subscriber->push(frame);
            take_every_event(room, subscription);
        } else if (!subscription.x_overflowed) {
            if (subscription.x_held.size() < limits::kCatchUpFrames) {
                subscription.x_held.push_back({id, frame});
            } else {
                subscription.x_overflowed = true;
                subscription.x_held = {};
            }
        }
    }
}

void Hub::publish_transient(model::RoomId room_id, const FrameRef& frame,
                            const Subscriber* except) {
    LocalRoom* const room = find(room_id);
    if (!room) return;
    for (const LocalRoom::Live& entry : room->live)
        if (entry.subscriber != except) entry.subscriber->push(frame);
    for (const Subscription* subscription : room->catching_up)
        if (subscription->x_live && subscription->x_subscriber != except)
            subscription->x_subscriber->push(frame);
}

void Hub::set_role(model::RoomId room_id, model::UserId user, model::Role role) {
    LocalRoom* const room = find(room_id);
    if (!room) return;
    for (const LocalRoom::Live& entry : room->live)
        if (entry.subscriber->user_id() == user) entry.subscription->x_role = role;
    for (Subscription* subscription : room->catching_up)
        if (subscription->x_subscriber->user_id() == user) subscription->x_role = role;
}

Subscription* Hub::of_user(const LocalRoom& room, model::UserId user) {
    for (const LocalRoom::Live& entry : room.live)
        if (entry.subscriber->user_id() == user) return entry.subscription;
    for (Subscription* subscription : room.catching_up)
        if (subscription->x_subscriber->user_id() == user) return subscription;
    return nullptr;
}

void Hub::end_all_of(model::RoomId room_id, model::UserId user) {
    // Looked up anew each time: the last one that ends takes the room with it.
    for (;;) {
        const LocalRoom* const room = find(room_id);
        Subscription* const subscription = room ? of_user(*room, user) : nullptr;
        if (!subscription) return;
        end_by_hub(*subscription);
    }
}

void Hub::end_room(model::RoomId room_id) {
    while (LocalRoom* const room = find(room_id))
        end_by_hub(room->live.empty() ? *room->catching_up.back()
                                      : *room->live.back().subscription);
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
    if (found == x_rooms.end()) return false;
    const LocalRoom& room = *found->second;
    for (const LocalRoom::Live& entry : room.live)
        if (entry.subscriber == &subscriber) return true;
    for (const Subscription* subscription : room.catching_up)
        if (subscription->x_subscriber == &subscriber) return true;
    return false;
}

std::size_t Hub::listeners(model::RoomId room_id) const {
    const auto found = x_rooms.find(room_id);
    if (found == x_rooms.end()) return 0;
    const LocalRoom& room = *found->second;
    std::size_t count = room.live.size();
    for (const Subscription* subscription : room.catching_up) count += subscription->x_live;
    return count;
}

} // namespace parley::chat
