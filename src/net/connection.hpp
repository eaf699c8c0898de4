// Connection: one socket of a NetLoop, plain or TLS, and the protocol that is spoken on it.
//
// Reading: edge-triggered, into the loop's buffer, at most limits::kReadBytesPerTurn in a turn.
// Writing: frames are queued; the loop flushes dirty connections at the end of a turn.
// Ending: finish() writes what is queued, shuts the write side down and discards input until the
// peer has ended too (so that no reset destroys what it has not read yet); cut() closes at once.
//
// Threading: its loop's core. Owner: the loop, which frees a cut connection at the end of the turn.
// Bounds: deadlines from Timeouts; the protocol bounds its queue.
#pragma once

#include "base/address_block.hpp"
#include "base/frame.hpp"
#include "base/timer_wheel.hpp"
#include "net/http.hpp"
#include "net/outbound_queue.hpp"
#include "net/socket_io.hpp"
#include "net/websocket.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace parley::net {

class Connection;
class NetLoop;

using Time = std::chrono::steady_clock::time_point;

// Names a connection beyond its life: a look-up of one that is gone gives nullptr.
struct ConnectionId {
    std::uint32_t slot;
    std::uint32_t generation;
};

// What is registered with the loop's epoll.
class EventTarget {
public:
    virtual void on_events(std::uint32_t events) = 0;

protected:
    ~EventTarget() = default;
};

// HTTP or WebSocket on a connection. Calls come from the connection, and are not nested, except
// that cut() calls on_gone().
class Protocol {
public:
    virtual ~Protocol() = default;
    // May change the bytes.
    virtual void on_bytes(std::span<char> bytes) = 0;
    // The peer will send no more.
    virtual void on_end() = 0;
    // The socket is lost or was cut. The last call.
    virtual void on_gone() = 0;
    // Everything queued is written.
    virtual void on_drained() {}
    // The peer takes no bytes; the connection is cut after this.
    virtual void on_stalled() {}
    virtual Time deadline() const = 0; // Time::max() for none
    virtual void on_deadline(Time now) = 0;
    // The server stops.
    virtual void on_drain() = 0;
    virtual void on_answer(std::uint32_t /*request*/, HttpResponse&& /*answer*/) {}
    virtual void on_verdict(std::uint32_t /*request*/, WebSocketAcceptor::Verdict&& /*verdict*/) {}
};

enum class Cut {
    gently, // what the kernel holds is still sent
    reset,  // it is thrown away
};

class Connection final : public EventTarget, private TimerWheel::Entry {
public:
    Connection(NetLoop& loop, int socket, ssl_st* tls, ConnectionId id);
    ~Connection() override;

    NetLoop& loop() { return x_loop; }
    ConnectionId id() const { return x_id; }
    bool uses_tls() const { return x_tls != nullptr; }
    bool dead() const { return x_socket < 0; }
    // No protocol call follows any more.
    bool finishing() const { return x_finishing; }

    // Replaces the protocol; the old one lives until the end of the turn.
    void speak(std::unique_ptr<Protocol> protocol);
    Protocol* protocol() { return x_protocol.get(); }

    void enqueue(const FrameRef& frame);
    // After everything that is queued; one at a time.
    void enqueue_file(std::shared_ptr<const FileBody> file);
    std::size_t queued_bytes() const { return x_queue.bytes(); }
    std::size_t queued_frames() const { return x_queue.frames(); }
    std::size_t drop_unsent() { return x_queue.drop_unsent(x_committed); }
    void release_memory() { x_queue.release(); }
    // Writes what the socket takes at once, before the end of the turn: for a queue that is nearly
    // full only because a turn was long. Never ends the connection.
    void relieve();

    void pause_reading() { x_paused = true; }
    void resume_reading();
    // Arms the timer for the earliest deadline; to be called when deadline() may have become
    // earlier.
    void schedule();
    void finish();
    void cut(Cut how);

    // For the loop.
    std::optional<AddressBlock> counted; // in NetShared::addresses
    void on_events(std::uint32_t events) override;
    void read();
    void flush();

private:
    friend class NetLoop;
    static constexpr std::size_t kHttpReadBytes = 16 * 1024;
    void on_timer() override;
    void on_read_end();
    IoResult write_some();
    // The state of the last write; done: the queue is empty.
    IoResult::State write_out();
    void on_flushed();
    IoResult::State write_file();
    IoResult write_some_of_file();

    NetLoop& x_loop;
    ssl_st* x_tls;
    std::unique_ptr<Protocol> x_protocol;
    OutboundQueue x_queue;
    std::size_t x_committed = 0; // bytes that OpenSSL wants to see again
    std::shared_ptr<const FileBody> x_file;
    std::uint64_t x_file_at = 0, x_file_left = 0;
    Time x_stalled_since{}; // while x_blocked
    Time x_finish_by = Time::max();
    const ConnectionId x_id;
    int x_socket;
    std::uint32_t x_turn = 0; // the turn that x_read_in_turn belongs to
    std::uint32_t x_read_in_turn = 0;
    bool x_dirty = false;      // on the loop's list
    bool x_blocked = false;    // waits for the socket to take bytes
    bool x_paused = false;     // the protocol wants no bytes now
    bool x_read_waits = false; // on one of the loop's reading lists
    bool x_hung_up = false;    // the peer's end was signalled: read on until it is seen
    bool x_ended = false;      // the peer's end was read
    bool x_finishing = false;
    bool x_shut_down = false; // our write side
};

} // namespace parley::net
