// Client: many WebSocket connections on one epoll, in one thread. Reads everything that is ready,
// then writes what each connection has to say with one send().
//
// Threading: one thread. Owner: the program. Shutdown: the destructor closes every socket. Bounds:
// the connections that the caller asks for, `handshakes_at_once` of them being opened.
#pragma once

#include "wire.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::bench {

struct Connection {
    enum class State : std::uint8_t { fresh, connecting, upgrading, open, closed };
    std::uint32_t index = 0, room = 0, member = 0;
    int descriptor = -1;
    State state = State::fresh;
    bool joined = false; // the dialect's own handshake is over
    bool dirty = false;
    std::uint64_t last_id = 0; // newest event seen, where the dialect knows ids
    std::string partial;       // of a frame, between two reads
    std::string outgoing;
};

class Listener {
public:
    // Path and further header lines (each with CRLF) of the opening handshake.
    virtual std::string path_of(const Connection& connection) = 0;
    virtual std::string headers_of(const Connection& connection) = 0;
    virtual void on_open(Connection& connection) = 0;
    virtual void on_text(Connection& connection, std::string_view text, std::uint64_t now) = 0;
    virtual void on_lost(Connection& connection, std::string_view why) = 0;

protected:
    ~Listener() = default;
};

class Client {
public:
    Client(std::string address, std::uint16_t port, std::uint32_t connections, Listener& listener);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Connection& at(std::size_t index) { return x_connections[index]; }
    std::size_t size() const { return x_connections.size(); }

    // Begins the next connections while fewer than `handshakes_at_once` are under way.
    void open_more(std::size_t handshakes_at_once);
    // The dialect's handshake is over: makes room for another.
    void set_joined(Connection& connection);
    std::size_t joined() const { return x_joined; }
    std::size_t lost() const { return x_lost; }
    std::uint64_t received_bytes() const { return x_received_bytes; }

    void send_text(Connection& connection, std::string_view text);
    // Waits until `until_ns` at the latest for something to read, handles all that is ready, and
    // flushes. Returns at once after that.
    void turn(std::uint64_t until_ns);

private:
    void begin(Connection& connection);
    void send_handshake(Connection& connection);
    void readable(Connection& connection, bool to_the_end);
    std::size_t consume(Connection& connection, std::string_view bytes, std::uint64_t now);
    std::size_t consume_handshake(Connection& connection, std::string_view bytes);
    void flush(Connection& connection);
    void mark_dirty(Connection& connection);
    void lose(Connection& connection, std::string_view why);
    void watch(Connection& connection, int operation);
    std::uint32_t next_mask();

    const std::string x_address;
    const std::uint16_t x_port;
    Listener& x_listener;
    int x_epoll = -1;
    std::vector<Connection> x_connections;
    std::vector<Connection*> x_dirty;
    std::string x_buffer;
    std::size_t x_begun = 0, x_joined = 0, x_lost = 0;
    std::uint64_t x_received_bytes = 0, x_mask_state = 0x2545F4914F6CDD1Dull;
};

} // namespace parley::bench
