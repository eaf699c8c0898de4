// Rooms: what one core can do with rooms, for every surface (REST, sockets): ask for rights, hand
// changes to the log, listen, resume, and tell transient things. The way of one message goes
// through here twice: submit() on the sender's core, then from the log by Node to the room's home
// core and on to each core that listens.
//
// Ordering: acknowledgements take the same way as events, so a connection sees both in the order of
// ids.
//
// Threading: its core, unless said otherwise. Owner: app/wiring, one for each core; peers are
// borrowed. Shutdown: close() ends subscriptions' loads; then the log is stopped; then the core.
#pragma once

#include "base/core.hpp"
#include "base/frame.hpp"
#include "base/gate.hpp"
#include "base/metrics.hpp"
#include "base/span_ring.hpp"
#include "chat/content_filter.hpp"
#include "chat/hub.hpp"
#include "chat/pace.hpp"
#include "chat/presence.hpp"
#include "chat/typing.hpp"
#include "ports/clock.hpp"
#include "ports/held_store.hpp"
#include "ports/history.hpp"
#include "ports/room_directory.hpp"
#include "ports/room_log.hpp"
#include "ports/span_sink.hpp"
#include "ports/user_store.hpp"
#include "service/delivery.hpp"
#include "service/presence_share.hpp"
#include "service/read_marks.hpp"
#include "service/room_home.hpp"
#include "service/seats.hpp"
#include "service/trace_ring.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace parley::service {

// The bytes of a whole server frame around a payload (net::make_text_frame).
using FrameMaker = FrameRef (*)(std::string_view payload);

struct RoomsPorts {
    ports::RoomLog& log;
    ports::RoomDirectory& directory;
    ports::History& history;
    ports::UserStore& users;
    const ports::Clock& clock;
    const chat::ContentFilter& filter;
    ports::HeldStore& held;
    std::string_view node_name = "parley"; // of this process, in classic frames
    // Where there are other processes.
    RoomFeed* feed = nullptr;
    PresenceShare* presence = nullptr;
    // When events were committed, where that is done in this process (key 0).
    const SpanRing* commits = nullptr;
    ports::SpanSink* spans = nullptr; // null: nobody collects them
};

struct RoomsSettings {
    std::chrono::milliseconds presence_grace = limits::kPresenceGrace;
    // Members beyond which a room is large: counts in place of presence, no typing, receipts to the
    // reader's own connections only, and who comes and goes is told together.
    std::size_t presence_room_max = limits::kPresenceRoomMax;
    // Events of which this core remembers the way; 0: none.
    std::size_t traced_events = 0;
};

// A missed part of a room's log, ready to be sent.
struct Resume {
    model::EventId last_id;
    std::vector<model::Event> events;
    bool recovered = false;
    bool more = false; // not listening: subscribe again from the last event
};

class Rooms final : public TurnEnd {
public:
    Rooms(Core& core, RoomsPorts ports, FrameMaker make_frame, Metrics& metrics,
          RoomsSettings settings = {});
    // All cores' Rooms, this one included, in the order of their cores. Before the cores run.
    void meet(std::vector<Rooms*> peers) { x_peers = std::move(peers); }

    // --- rights. A snapshot: the sequencer asks again at the moment that counts.
    Task<Result<RoomView>> view(model::UserId user, model::RoomId room);
    // view() and chat::authorise in one.
    Task<Result<RoomView>> require(model::UserId user, model::RoomId room, chat::Action action);

    // --- changes
    // Filters the draft and hands it to the log at the end of this turn. The responder (registered
    // with add()) hears of it exactly once, if it still exists. Errors: content_rejected,
    // content_held.
    Result<void> submit(model::Draft draft, std::uint64_t responder, std::string ref);
    // The same for a caller that waits. The Delivery's outcome holds the error of the log, if any.
    Task<Result<DeliveryRef>> submit_and_wait(model::Draft draft);
    // Changes of this core that the log has not answered yet.
    std::size_t changes_in_flight() const { return x_in_flight; }
    // For a held draft that a moderator has let through.
    Task<Result<DeliveryRef>> submit_approved(model::Draft draft);
    // For what the server itself takes back (chat::Composer::take_back): all at once. Answers
    // what the log refused, in no order.
    Task<std::vector<std::optional<Error>>> submit_all(std::vector<model::Draft> drafts);
    std::uint64_t add(Responder& responder);
    void remove(std::uint64_t responder);

    // --- listening (subscriptions.cpp)
    chat::Hub& hub() { return x_hub; }
    // Signed in; presence begins. Beyond `most` connections of the user, over all cores, the
    // responder is told so, a moment later. disconnect() comes after the last subscription has
    // ended.
    void connect(chat::Subscriber& subscriber, std::uint64_t responder, std::size_t most);
    void disconnect(chat::Subscriber& subscriber, chat::Parting how);
    // Called when the answer must be queued, before any held live frame: at this point the
    // subscription is still catching up. Called once, on this core, unless an error is returned.
    using Answer = std::function<void(const Resume&)>;
    // Says whether the connection, and this subscription of it, still exist; asked after each wait.
    using Alive = std::function<bool()>;
    // `subscription` was begun by begin_listening(). On error, or with more:true, it has been
    // ended, and its subscriber told by on_ended().
    Task<Result<void>> listen(chat::Subscription& subscription, std::optional<model::EventId> since,
                              Alive alive, Answer answer);
    // For a surface with one connection for each user and room: the one that held the seat hears
    // on_replaced().
    void take_seat(model::RoomId room, model::UserId user, std::uint64_t responder);
    void leave_seat(model::RoomId room, model::UserId user, std::uint64_t responder);
    chat::Subscription& begin_listening(model::RoomId room, chat::Subscriber& subscriber);
    void stop_listening(chat::Subscription& subscription);

    // --- transient (transient.cpp): nothing of it is stored but read marks and who was last seen
    // That somebody types, to the others of a small room; once in limits::kTypingEvery.
    void typing(model::UserId user, model::RoomId room, chat::Subscriber* except);
    // To all who listen to a room in that dialect, but `except` (null for nobody); not in large
    // rooms.
    void tell_small_room(model::RoomId room, std::string payload, chat::Subscriber* except,
                         chat::Dialect dialect);
    // Moves a read mark and tells the user's other connections, and in small rooms the others, when
    // it moved; each at most once in limits::kReceiptEvery, the newest marks waiting for their
    // turn.
    Task<Result<void>> mark_read(model::UserId user, model::RoomId room, model::MessageId message,
                                 chat::Subscriber* except = nullptr);
    // Of each user: whether a connection is open anywhere in this process, or was within the grace.
    Task<std::vector<bool>> online(std::vector<model::UserId> users);
    // How many members of a large room are online and have listened to it; none for others, whose
    // members are told one by one.
    Task<std::optional<std::size_t>> online_in(model::RoomId room);
    // Every limits::kPresenceTick, by the application: what waits for a time.
    void tick();
    // What another process tells; on any core.
    void hear(Transient transient);
    // Nothing is heard from other processes at present; on this core.
    void on_feed_lost() { x_home.forget_unheard(); }

    // --- the way of one event (tracing.cpp)
    // What each process still knows of it, by name; those that know nothing are left out.
    Task<std::vector<NodeTrace>> trace(model::EventId event);
    // The same of this process alone.
    Task<NodeTrace> trace_here(model::EventId event);

    // --- plumbing
    std::string_view node_name() const { return x_ports.node_name; }
    void on_turn_end() override;
    // From Node, on the home core.
    void on_home_outcomes(std::vector<ports::Outcome> outcomes);
    Core& core() { return x_core; }
    Gate& gate() { return x_gate; }
    Task<void> close();

private:
    std::size_t home_index(model::RoomId room) const {
        return std::hash<model::RoomId>{}(room) % x_peers.size();
    }
    Rooms& home_of(model::RoomId room) const { return *x_peers[home_index(room)]; }
    Rooms& home_of(model::UserId user) const {
        return *x_peers[std::hash<model::UserId>{}(user) % x_peers.size()];
    }
    template <class Function>
    void on(Rooms& peer, Function function) {
        if (&peer == this)
            function(peer);
        else
            peer.x_core.post([&peer, function = std::move(function)]() mutable { function(peer); });
    }

    // Stores what a moderator must see first, and answers its sender (holding.cpp).
    Task<void> hold(chat::ContentFilter::Held held, ports::Origin origin);
    Task<Result<ports::HeldState>> store_held(const chat::ContentFilter::Held& held);
    void answer_unstored(const model::Draft& draft, ports::Origin origin, Error error);
    template <class Submit>
    Task<Result<DeliveryRef>> wait_for(Submit submit);
    using ByCore = std::vector<std::vector<DeliveryRef>>;
    void take(ports::Outcome outcome, ByCore& by_core);
    void spread(ports::Outcome outcome, bool shown, ByCore& by_core);
    void send_to_cores(ByCore by_core);
    void deliver(const std::vector<DeliveryRef>& deliveries);
    // What was missed (following.cpp).
    bool hold_behind_gap(ports::Outcome& outcome);
    bool was_told(model::EventId event);
    void begin_healing(model::RoomId room);
    Task<void> heal(model::RoomId room);
    Task<Result<bool>> read_missed(model::RoomId room);
    void release_waiting(model::RoomId room);
    void answer_senders(model::RoomId room);
    void look_at_heads();
    Task<void> compare_heads(std::vector<RoomHome::Followed> rooms);
    void tell_others(Transient transient) {
        if (x_ports.feed) x_ports.feed->tell(std::move(transient));
    }
    void deliver_one(const DeliveryRef& delivery);
    void tell_people_concerned(const Delivery& delivery);
    bool notes_ways() const { return x_traces.enabled() || x_ports.spans; }
    void remember(const Delivery& delivery, std::int64_t now_ms);
    void add_spans(const Delivery& delivery) const;
    Task<CoreTrace> core_trace(model::EventId event);
    void detach_if_unheard(model::RoomId room);

    // On the room's home core.
    bool is_large(model::RoomId room) const {
        return x_home.member_count(room) > x_settings.presence_room_max;
    }
    template <class Tell> // Tell(Rooms& of a core that listens)
    void on_each_listening(model::RoomId room, Tell tell);
    void show(model::RoomId room, model::UserId user, bool online,
              std::optional<model::Time> last_seen_at);
    void count_online(model::RoomId room, bool comes);
    void send_receipt(model::RoomId room, model::UserId user, model::MessageId message);
    // On the user's home core.
    void presence_entered(model::UserId user, model::RoomId room); // on any
    void tell_gone(const chat::Presence::Gone& gone);
    Task<void> tell_if_gone_everywhere(chat::Presence::Gone gone);
    void tell_user(model::UserId user, const std::string& payload, std::uint16_t core,
                   chat::Subscriber* except);
    struct OwnReceipt {
        model::UserId user;
        model::RoomId room;
        model::MessageId message;
        std::uint16_t core;       // of the connection that read
        chat::Subscriber* except; // only compared, and only on that core
    };
    void send_own_receipt(const OwnReceipt& receipt);
    void note_presence();
    Task<void> write_presence(ports::PresenceNote note);

    Core& x_core;
    RoomsPorts x_ports;
    const FrameMaker x_make_frame;
    Gate x_gate;
    std::vector<Rooms*> x_peers;
    RoomHome x_home;
    chat::Hub x_hub;
    const RoomsSettings x_settings;
    ReadMarks x_read_marks;
    chat::Presence x_presence; // of users whose home is this core
    // Of rooms whose home is this core:
    Seats x_seats;
    std::unordered_map<model::RoomId, std::size_t> x_online_in;
    chat::Typing x_typing;
    struct Receipt {
        model::RoomId room;
        model::UserId user;
        model::MessageId message;
    };
    chat::Pace<model::RoomId, model::UserId, Receipt> x_receipts;
    chat::Pace<model::UserId, model::RoomId, OwnReceipt> x_own_receipts; // of users of this core
    std::chrono::steady_clock::time_point x_presence_written{}, x_alive_written{};
    bool x_writing_presence = false;
    // Of rooms of this core, events are missing: what came after them waits.
    struct Gap {
        std::vector<ports::Outcome> waiting;
    };
    std::unordered_map<model::RoomId, Gap> x_gaps;
    std::deque<model::EventId> x_told; // of rooms not in memory: the newest few
    std::chrono::steady_clock::time_point x_heads_looked{};
    bool x_looking_at_heads = false;
    std::vector<ports::Submission> x_submissions; // of this turn
    std::unordered_map<std::uint64_t, Responder*> x_responders;
    std::uint64_t x_next_responder = 1;
    std::size_t x_in_flight = 0;
    std::string x_scratch; // of a frame that is encoded on this core
    TraceRing x_traces;

    struct Probe {
        Probe(Metrics& metrics, std::uint16_t core);
        Counter& accepted; // durable and new
        Counter& repeated;
        Counter& deliveries;
        Counter& resumes;
        Counter& resumed_events;
        Counter& transient;
        Counter& member_events_waited;
        Counter& typing_too_soon;
        Counter& typing_in_large_room;
        Counter& receipts_folded;
        Counter& receipts_dropped;
        Counter& presence_writes;
        Counter& gaps;
        Counter& missed;
        Counter& traces;
        Counter& traces_unknown;
        Gauge& users_online;
        Gauge& users_in_grace;
        Gauge& receipts_waiting;
        Metrics& metrics;
        void refused(Errc code);
    };
    Probe x_probe;
};

// Takes outcomes on the log's thread and brings each to its room's home core.
class Node final : public ports::OutcomeSink {
public:
    // Before the log starts: where it commits in this process, when it did so is noted.
    void note_commits(SpanRing& commits, const ports::Clock& clock) {
        x_commits = &commits;
        x_clock = &clock;
    }
    // The same, for where it sequences in this process.
    void send_spans(ports::SpanSink& spans) { x_spans = &spans; }
    void meet(std::vector<Rooms*> rooms) { x_rooms = std::move(rooms); }
    void on_outcomes(std::vector<ports::Outcome> outcomes) override;

private:
    void note(const std::vector<ports::Outcome>& outcomes) const;
    void add_spans(const std::vector<ports::Outcome>& outcomes) const;

    std::vector<Rooms*> x_rooms;
    SpanRing* x_commits = nullptr;
    const ports::Clock* x_clock = nullptr;
    ports::SpanSink* x_spans = nullptr;
};

} // namespace parley::service
