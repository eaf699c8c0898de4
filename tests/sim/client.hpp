// One device of a user: a connection that comes and goes, a view of each room that resumes with
// `since`, and sends that are repeated under the same nonce until it knows what became of them.
//
// It tells the world at once what a client must never see: an event twice, a hole in a resume, a
// hole in what is live (unless this run's bus may lose events: then it must notice by prev_id and
// resume), an event after its own removal, two messages for one nonce.
#pragma once

#include "tests/sim/journal.hpp"
#include "tests/sim/network.hpp"

#include <map>
#include <vector>

namespace parley::sim {

class Device final : public ClientEnd {
public:
    Device(World& world, Network& network, Journal& journal, model::UserId user,
           std::vector<model::RoomId> rooms, std::vector<model::UserId> everybody);

    // Begins; does `actions` things and then only what it must to settle them.
    void start(int actions);
    // Drops its connections and comes back; may have forgotten all, like one newly installed.
    void come_back();

    struct View {
        enum class State : std::uint8_t { out, subscribing, live };
        State state = State::out;
        std::uint64_t ref = 0; // of the subscribe that it waits for
        model::EventId last;
        bool removed = false; // saw its own removal, live
        bool fresh = false;   // read from the beginning when all was quiet
        std::vector<WireEvent> log;
        std::vector<model::EventId> live; // of those, what came live
    };
    const std::map<model::RoomId, View>& views() const { return x_views; }
    model::UserId user() const { return x_user; }

    void on_packet(LinkId link, const Packet& packet) override;
    void on_closed(LinkId link) override;

private:
    struct Pending {
        LinkId link = 0;
        Request request;
        bool conflict = false; // a nonce used again for another body, on purpose
        model::MessageId mark; // how far the user was known to have read when it was asked
    };
    void act();
    void act_in(model::RoomId room);
    void send_new(model::RoomId room);
    void send_conflict(model::RoomId room);
    void change_message(model::RoomId room);
    void change_members(model::RoomId room);
    void change_room(model::RoomId room);
    void mark_read(model::RoomId room);

    void connect();
    void lost(LinkId link);
    void transmit(LinkId link, Request request, bool conflict = false);
    void subscribe(model::RoomId room);
    void send_attempt(LinkId link, std::uint64_t nonce);
    void repeat_unknown_sends();
    bool in_flight(std::uint64_t nonce) const;

    void on_subscribed(const Packet& packet);
    void on_unasked(const WireEvent& event);
    void on_live(model::RoomId room, const WireEvent& event);
    void on_done(const Packet& packet, const Pending& pending);
    void on_sent(LinkId link, const Packet& packet, const Pending& pending);
    void on_error(const Packet& packet, const Pending& pending);
    void observe(View& view, const WireEvent& event);
    void report(const char* invariant, const char* what, const WireEvent& event);

    World& x_world;
    Network& x_network;
    Journal& x_journal;
    const model::UserId x_user;
    const std::vector<model::UserId> x_everybody; // the first one owns the rooms
    std::vector<model::RoomId> x_rooms;
    std::map<model::RoomId, View> x_views;
    std::map<std::uint64_t, Pending> x_pending; // by ref
    std::vector<std::uint64_t> x_nonces;        // of this device's sends, in order
    LinkId x_main = 0, x_second = 0;
    std::uint64_t x_last_ref = 0;
    int x_actions_left = 0;
    const bool x_gaps_may_be;
};

} // namespace parley::sim
