// Hub: who on this core listens to which room, and the merge of "what you missed" with "what is
// live".
//
// A subscription begins by catching up: live frames of the room are held while the snapshot is
// read; go_live() then pushes those above the snapshot's last id, in order, and the subscription is
// live. So a subscriber sees every event once, in the order of ids, whatever the interleaving of
// the read and the commits. Proof obligation: a frame is published on this core only after its
// commit, and the snapshot is read after begin(); so an event is in the snapshot or held, or both,
// and the id decides. The snapshot may be ahead of this core: events that it has may still be on
// their way here. A live subscription skips those when they arrive.
//
// Events that can wait (publish_later: who comes and goes in a large room) are kept for each room
// and given to everybody in one piece before the next event that cannot, so that the order and the
// chain of prev_id stay exact and each one costs a bystander no write of its own. A subscription
// that is ended by the hub gets what waits first.
//
// Threading: one core. Owner: service::Rooms. Sizes: limits::kCatchUpFrames held frames for each
// subscription; beyond, the subscription is told to read again (go_live answers false).
// limits::kWaitingEvents for each room; then they are given out.
#pragma once

#include "base/frame.hpp"
#include "model/ids.hpp"
#include "model/room.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace parley::chat {

class Subscription;

// How a connection is spoken to.
enum class Dialect : std::uint8_t { v1, classic };

// What an event is in each dialect. make() is asked once for each dialect that somebody listens in;
// an empty frame: there is nothing to show.
class EventFrames {
public:
    virtual FrameRef make(Dialect dialect) = 0;

protected:
    ~EventFrames() = default;
};

// A connection, as the hub sees it. Calls come on the hub's core.
class Subscriber {
public:
    // Queues one encoded frame. Never blocks, never calls back into the hub.
    virtual void push(const FrameRef& frame) = 0;
    // The hub ended this subscription (the user was removed, or the room is gone). The object is
    // about to be destroyed: forget it, and do not call the hub from here.
    virtual void on_ended(Subscription& subscription) = 0;

    model::UserId user_id() const { return x_user_id; }
    Dialect dialect() const { return x_dialect; }

protected:
    explicit Subscriber(Dialect dialect = Dialect::v1) : x_dialect(dialect) {}
    ~Subscriber() = default;
    model::UserId x_user_id;

private:
    friend class Hub;
    std::uint32_t x_user_slot = 0;
    const Dialect x_dialect;
    bool x_registered = false;
};

struct LocalRoom;

struct HeldFrame {
    model::EventId id;
    FrameRef frame;
};

class Subscription {
public:
    model::RoomId room_id() const;
    Subscriber& subscriber() const { return *x_subscriber; }
    model::Role role() const { return x_role; }
    bool live() const { return x_live; }
    // Held frames were dropped: go_live() would answer false.
    bool overflowed() const { return x_overflowed; }

private:
    friend class Hub;
    LocalRoom* x_room = nullptr;
    Subscriber* x_subscriber = nullptr;
    std::uint32_t x_slot = 0;
    model::Role x_role = model::Role::member;
    bool x_live = false;
    bool x_overflowed = false;
    model::EventId x_through; // of the snapshot; until an event above it was published
    std::vector<HeldFrame> x_held;
};

struct LocalRoom {
    struct Live {
        Subscriber* subscriber;
        Subscription* subscription;
    };
    model::RoomId id;
    model::EventId last_id;                 // newest event published here
    std::vector<Live> live, classic_live;   // take every event; a list for each dialect
    std::vector<Subscription*> catching_up; // not live, or live and behind the own snapshot
    std::vector<HeldFrame> waiting;         // above last_id, given to nobody yet

    std::vector<Live>& live_in(Dialect dialect) {
        return dialect == Dialect::v1 ? live : classic_live;
    }
    bool empty() const { return live.empty() && classic_live.empty() && catching_up.empty(); }
};

class Hub {
public:
    Hub() = default;
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;
    ~Hub();

    // --- subscriptions; the hub owns them
    Subscription& begin(model::RoomId room, Subscriber& subscriber, model::Role role);
    // `through`: the newest event that the subscriber has from the snapshot. False when held frames
    // were dropped: the subscription is still catching up, its held list is empty again, and the
    // caller reads once more from `through`.
    bool go_live(Subscription& subscription, model::EventId through);
    void end(Subscription& subscription);

    // --- delivery
    // An event's frames to all subscriptions of the room, each in its dialect, but `except`. Ids at
    // or below the last one published here are dropped (a bus may double): answers false. A
    // subscription of `except` that is not live yet gets it too: the answer that takes the event's
    // place for the sender came out of order there, before what the snapshot holds.
    bool publish(model::RoomId room, model::EventId id, EventFrames& frames,
                 const Subscriber* except = nullptr);
    // The same for an event that v1 alone can show.
    bool publish(model::RoomId room, model::EventId id, const FrameRef& frame,
                 const Subscriber* except = nullptr);
    // An event that can wait, and that v1 alone is shown. The same rule of ids; nobody is left out.
    using Instant = std::chrono::steady_clock::time_point;
    bool publish_later(model::RoomId room, model::EventId id, const FrameRef& frame, Instant now);
    // Gives out what waits: of one room (publish() does so first), or of all rooms where something
    // has waited since `since` or longer.
    void flush(model::RoomId room);
    void flush_waiting_since(Instant since);
    // Typing, presence, receipts: to live subscriptions of one dialect only, never held.
    void publish_transient(model::RoomId room, const FrameRef& frame,
                           const Subscriber* except = nullptr, Dialect dialect = Dialect::v1);
    // The same in v1, to everybody but the connections of one user.
    void publish_to_others(model::RoomId room, const FrameRef& frame, model::UserId except);
    // After a member event was published.
    void set_role(model::RoomId room, model::UserId user, model::Role role);
    void end_all_of(model::RoomId room, model::UserId user);
    void end_room(model::RoomId room);

    // --- users
    void add(Subscriber& subscriber);    // once signed in
    void remove(Subscriber& subscriber); // its subscriptions must have ended
    // Copies the list first: `function` may close connections.
    template <class Function>
    void for_each_of(model::UserId user, Function function) const {
        const auto found = x_users.find(user);
        if (found == x_users.end()) return;
        const std::vector<Subscriber*> copy = found->second;
        for (Subscriber* subscriber : copy) function(*subscriber);
    }
    std::size_t connections_of(model::UserId user) const;

    bool has_subscribers(model::RoomId room) const { return x_rooms.contains(room); }
    bool is_subscribed(model::RoomId room, const Subscriber& subscriber) const;
    // Live subscriptions of a room on this core, and those of them that speak a dialect.
    std::size_t listeners(model::RoomId room) const;
    std::size_t listeners(model::RoomId room, Dialect dialect) const;
    std::size_t subscription_count() const { return x_subscriptions; }
    std::size_t room_count() const { return x_rooms.size(); }

private:
    LocalRoom* find(model::RoomId room);
    static Subscription* of_user(const LocalRoom& room, model::UserId user);
    void end_by_hub(Subscription& subscription);
    void unlink(Subscription& subscription);
    static void take_every_event(LocalRoom& room, Subscription& subscription);
    class Once;
    void publish_to_catching_up(LocalRoom& room, model::EventId id, Once& frames,
                                const Subscriber* except);
    void publish_waiting_to_catching_up(LocalRoom& room, std::span<const HeldFrame> waiting,
                                        const FrameRef& together);
    static bool push_above(Subscription& subscription, std::span<const HeldFrame> frames);
    static void hold(Subscription& subscription, model::EventId id, const FrameRef& frame);
    void flush(LocalRoom& room);
    void drop_if_empty(LocalRoom& room);

    std::unordered_map<model::RoomId, std::unique_ptr<LocalRoom>> x_rooms;
    std::unordered_map<model::UserId, std::vector<Subscriber*>> x_users;
    std::size_t x_subscriptions = 0;
    // Rooms in which something began to wait, oldest first; one that was flushed since is passed
    // over.
    std::deque<std::pair<Instant, model::RoomId>> x_waiting;
};

} // namespace parley::chat
