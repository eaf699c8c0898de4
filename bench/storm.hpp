// Storm: a crowd of users, each with one connection, and what becomes of them when they are cut off
// at once, or when others join their room.
//
// `storm`: all connect and subscribe, a few messages come, all are cut (their sockets closed, or
// the server killed by `--cut kill` or `term`, for whoever started it to start again), and all come
// back at once with a `since` from before those messages. Measured: how long until the last one has
// what it missed, and what the server read from its store meanwhile.
//
// `crowd`: all are in one room; others join it, and then come online, one after the other.
// Measured: what each bystander gets for that, and the server's CPU time.
//
// Each event that comes is checked: its `prev_id` names the one before. Accounts and rooms are made
// over REST. Threading: one thread, and a few that set up. Bounds: every phase ends by the clock.
#pragma once

#include "client.hpp"
#include "dialect.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace parley::bench {

struct StormSettings {
    Plan plan; // members: the crowd; rooms: they are spread over
    std::string cut = "client";
    std::uint32_t missed = 5, joins = 200;
    std::size_t handshakes_at_once = 4'000;
    double seconds = 60; // longest time to come back
    pid_t server = 0;
};

struct StormFigures {
    std::size_t crowd = 0, back = 0, lost = 0;
    double back_seconds = 0, reads = 0, room_loads = 0;
    double frames_per_bystander = 0, bytes_per_bystander = 0, writes_per_bystander = 0;
    double online_frames = 0, server_us_per_join = 0, join_seconds = 0;
    std::uint64_t broken_chains = 0, missing = 0;
    std::string trouble;
    bool sound() const { return back == crowd && broken_chains + missing == 0 && crowd > 0; }
};

class Storm final : private Listener {
public:
    explicit Storm(StormSettings settings) : x_settings(std::move(settings)) {}
    StormFigures storm();
    StormFigures crowd();

private:
    struct Person {
        std::string token;
        std::uint32_t room = 0;
        std::uint64_t last_id = 0; // newest event seen; 0: none yet
        std::uint64_t since = 0;   // to come back with
        std::uint64_t frames = 0, bytes = 0, reads = 0, read_at = 0;
        bool broken = false;
    };

    // --- Listener
    std::string path_of(const Connection&) override { return "/v1/ws"; }
    std::string headers_of(const Connection& connection) override;
    void on_open(Connection&) override {}
    void on_text(Connection& connection, std::string_view text, std::uint64_t now) override;
    void on_lost(Connection&, std::string_view why) override { note("lost: " + std::string(why)); }

    void make_people(std::uint32_t count);
    void make_rooms();
    void post(std::uint32_t times);
    void take_event(Person& person, std::string_view event);
    bool connect(Client& client, double seconds);
    void drive(Client& client, double seconds);
    bool all_have(std::size_t people, const std::vector<std::uint64_t>& newest) const;
    bool wait_until_all_have(Client& client, const std::vector<std::uint64_t>& newest);
    void cut();
    double metric(const std::string& name) const;
    void note(std::string text);

    const StormSettings x_settings;
    StormFigures x_figures;
    std::string x_prefix;
    std::vector<Person> x_people;
    std::vector<std::string> x_rooms;
    std::vector<std::uint64_t> x_newest; // of each room, as REST told
    Client* x_client = nullptr;
};

} // namespace parley::bench
