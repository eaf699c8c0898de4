// NetLoop: all sockets of one core. An own edge-triggered epoll, polled in each round of the core's
// turn and waited for by Asio as one descriptor; a timer wheel that a timerfd drives; one read
// buffer; the list of dirty connections, flushed at the end of the turn.
//
// Threading: everything on its core, except the constructor, the destructor and what NetShared
// holds. Owner: the Server. Shutdown: begin_drain(), cut_all(), then the core stops, then the
// destructor.
#pragma once

#include "base/address_counts.hpp"
#include "base/core.hpp"
#include "base/gate.hpp"
#include "base/log.hpp"
#include "base/timer_wheel.hpp"
#include "net/connection.hpp"
#include "net/probe.hpp"
#include "net/proxies.hpp"
#include "net/server.hpp"
#include "net/socket_io.hpp"
#include "net/ws_deflate.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace parley::net {

// What all loops of a server have in common.
struct NetShared {
    NetShared(ServerSettings s, Logger& l, Metrics& m);
    const ServerSettings settings;
    const TrustedProxies proxies;
    std::unique_ptr<const TlsContext> tls; // null: plain
    Logger& log;
    NetProbe probe;
    std::atomic<std::size_t> connections{0}; // accepted and not yet freed
    AddressCounts addresses;                 // the same, by where they come from
    std::atomic<std::size_t> handlers{0};    // HTTP handlers that run
};

class NetLoop final : public PollSource, public TurnEnd {
public:
    static constexpr std::size_t kTlsRecordBytes = 16 * 1024;

    NetLoop(Core& core, CoreHandlers handlers, NetShared& shared);
    ~NetLoop();
    NetLoop(const NetLoop&) = delete;
    NetLoop& operator=(const NetLoop&) = delete;

    // Joins the core's turns.
    void attach();
    // Takes over an accepted socket, counted in NetShared::connections, and in ::addresses if
    // `counted` is given.
    void adopt(int socket, std::string peer, std::optional<AddressBlock> counted);
    void watch(EventTarget& target, int descriptor, std::uint32_t events);
    // Reports readiness once more, in the next round.
    void rearm(EventTarget& target, int descriptor, std::uint32_t events);
    void begin_drain();
    void cut_all();

    Core& core() { return x_core; }
    const ServerSettings& settings() const { return x_shared.settings; }
    const TrustedProxies& proxies() const { return x_shared.proxies; }
    Logger& log() { return x_shared.log; }
    NetProbe& probe() { return x_shared.probe; }
    CoreHandlers handlers() const { return x_handlers; }
    TimerWheel& wheel() { return x_wheel; }
    Time now() const { return x_now; } // of the last poll
    std::uint32_t turn() const { return x_turn; }
    bool draining() const { return x_draining; }
    std::span<char> read_buffer() { return x_read_buffer; }
    std::span<char> scratch() { return x_scratch; }
    std::string_view http_date();
    Inflater& inflater() { return x_inflater; }
    // `frame` for a connection that takes compressed ones. Made once for all who get it in a row.
    const FrameRef& deflated(const FrameRef& frame, DeflateWindow window);

    // Starts the core's HTTP handler on `request`; its answer reaches the connection's protocol as
    // on_answer(number, ...), if both still exist.
    void handle(ConnectionId connection, std::uint32_t number, HttpRequest request);
    // The same for a handshake that waits for its verdict: on_verdict(number, ...).
    void decide(ConnectionId connection, std::uint32_t number, HttpRequest request);

    // For connections.
    enum class When { this_turn, next_turn };
    void mark_dirty(Connection& connection) { x_dirty.push_back(&connection); }
    void flush_next_turn(Connection& connection) { x_dirty_next.push_back(&connection); }
    void read_later(Connection& connection, When when);
    void retire(std::unique_ptr<Protocol> protocol) { x_retired.push_back(std::move(protocol)); }
    void bury(Connection& connection) { x_buried.push_back(&connection); }
    void count_write(std::size_t bytes) { ++x_writes, x_bytes_sent += bytes; }

    std::size_t poll() override;
    void on_turn_end() override;

private:
    struct Slot {
        std::unique_ptr<Connection> connection;
        std::uint32_t generation = 0;
    };
    struct Ticker final : EventTarget {
        explicit Ticker(NetLoop& l) : loop(l) {}
        void on_events(std::uint32_t events) override;
        NetLoop& loop;
    };
    struct Waiter;
    Connection* find(ConnectionId id);
    Task<void> run_handler(ConnectionId connection, std::uint32_t number, HttpRequest request);
    Task<void> run_decision(ConnectionId connection, std::uint32_t number, HttpRequest request);
    std::size_t read_waiting();
    void free_buried();
    void uncount(const std::optional<AddressBlock>& counted);

    Core& x_core;
    const CoreHandlers x_handlers;
    NetShared& x_shared;
    const int x_epoll;
    const int x_timer;
    Ticker x_ticker;
    std::unique_ptr<Waiter> x_waiter; // Asio's view of x_epoll
    Gate x_gate;
    Time x_now;
    TimerWheel x_wheel;
    std::uint32_t x_turn = 1;
    bool x_attached = false;
    bool x_draining = false;
    std::vector<char> x_read_buffer;
    std::vector<char> x_scratch;
    std::vector<Slot> x_slots;
    std::vector<std::uint32_t> x_free_slots;
    std::vector<Connection*> x_dirty, x_dirty_next;
    std::vector<Connection*> x_read_now, x_read_next;
    std::vector<Connection*> x_buried;
    std::vector<std::unique_ptr<Protocol>> x_retired;
    std::uint64_t x_writes = 0, x_bytes_sent = 0; // not yet in the metrics
    Inflater x_inflater;
    Deflater x_deflater;
    std::int64_t x_date_second = -1;
    std::string x_date;
};

} // namespace parley::net
