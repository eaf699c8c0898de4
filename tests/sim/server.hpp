// A server made of the real parts: Composer, ContentFilter, Ingester and Sequencer over a store
// that can fail, Room on a room's home core, Hub on each of two cores. What is modelled is what
// lies between them: the queues between threads (in order, each message with its own delay), the
// reader of the store, the process that dies.
//
// The way of a change: connection's core -> log -> (commit) -> room's home core -> each core. The
// way of a resume: begin() on the connection's core -> home core asks the authoriser -> the reader
// -> go_live() on the connection's core. Since a removal comes to a core by way of the home core,
// either the home core refuses the resume or the removal ends it.
//
// Owner: the simulation. crash() forgets all but the store; start() begins anew from it.
#pragma once

#include "adapters/memory/store.hpp"
#include "chat/content_filter.hpp"
#include "chat/hub.hpp"
#include "chat/room.hpp"
#include "ingest/ingester.hpp"
#include "tests/sim/faulty_store.hpp"
#include "tests/sim/network.hpp"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace parley::sim {

// One for all runs: its tables take a while to make.
inline const chat::ContentFilter& content_filter() {
    static const chat::ContentFilter filter;
    return filter;
}

class Server final : public ServerEnd {
public:
    static constexpr std::size_t kCores = 2;
    static constexpr std::size_t kResumePage = 8; // small, so that resumes have several

    Server(World& world, Network& network, memory::Store& disk);
    ~Server();
    void start();
    bool running() const { return x_process != nullptr; }
    // For setting up, before any client: a draft committed at once.
    ports::Outcome run_now(Result<model::Draft> draft);
    const FaultyStore& store() const { return x_store; }
    // That the room's home core knows the same as the store.
    void check_rooms();

    void on_open(LinkId link, model::UserId user) override;
    void on_request(LinkId link, const Request& request) override;
    void on_closed(LinkId link) override;

private:
    struct Connection;
    struct Process;
    // A queue between two threads.
    struct Channel {
        std::int64_t free_ms = 0;
    };
    struct Resume {
        LinkId link = 0;
        std::size_t core = 0;
        std::uint64_t attempt = 0;
        Request request;
        std::vector<WireEvent> events; // read so far
    };

    template <class Function>
    void post(Channel& channel, std::int64_t most_ms, Function function);
    void crash();
    void answer(LinkId link, Packet packet);
    void answer_error(LinkId link, const Request& request, const Error& error);

    Connection* find(LinkId link);
    chat::Room* home_room(model::RoomId room);
    void begin_resume(Connection& connection, const Request& request);
    void ask_home(Resume resume);
    void read(Resume resume);
    void finish_resume(Resume resume, const ports::EventPage& page);
    void end_resume(const Resume& resume, const Error& error);
    // The subscription that a resume is for, if it still is.
    chat::Subscription* subscription_of(const Resume& resume);

    void mark_read(Connection& connection, const Request& request);
    void write_mark(LinkId link, model::UserId user, const Request& request);
    void wake_log();
    void commit();
    FaultyStore::Fault draw_fault(int& calls);
    void deliver(ports::Outcome outcome);
    void deliver_on_core(std::size_t core, const ports::Outcome& outcome);
    void publish(std::size_t core, const model::Event& event, LinkId origin);
    void answer_outcome(const ports::Outcome& outcome);

    World& x_world;
    Network& x_network;
    memory::Store& x_disk;
    FaultyStore x_store;
    std::unique_ptr<Process> x_process;
    std::uint64_t x_generation = 0; // of the process; what an earlier one posted is void
    std::map<model::MessageId, std::uint64_t> x_texts; // first seen; of a planted bug
};

} // namespace parley::sim
