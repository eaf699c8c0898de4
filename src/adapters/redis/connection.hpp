// Connection: one connection to a Redis server that never blocks its thread (hiredis gives the
// socket and the reader of replies).
//
// open() begins to connect and to greet: AUTH if there is a password, then PING. Only an answer to
// these makes it greeted(): a stopped server's kernel accepts connections, too. A peer that says
// nothing for limits::kBusQuiet is asked (PING), and lost when it says nothing for limits::kBusDead
// more. Threading: one thread, which polls. Owner: the bus. Shutdown: the destructor closes.
#pragma once

#include "adapters/redis/command.hpp"
#include "adapters/redis/settings.hpp"

#include <chrono>
#include <optional>
#include <poll.h>
#include <string>
#include <vector>

namespace parley::redis {

class Connection {
public:
    using Time = std::chrono::steady_clock::time_point;

    Connection(const Settings& settings, const Address& address);

    void open(Time now);
    void close();
    bool is_open() const { return x_context != nullptr; }
    bool greeted() const { return is_open() && x_greetings == 0; }

    // Commands go here; only what is greeted may have any.
    std::string& out() { return x_out; }
    std::size_t waiting_bytes() const { return x_out.size() - x_sent; }
    // The server then reads all that was written, and closes. Without it, close() with answers
    // unread would make the kernel throw away what the server has not read.
    void end_writing();

    pollfd wanted() const;
    // Does what poll() found possible and adds the replies. A text says why the connection is lost;
    // it is closed then.
    std::optional<std::string> step(short events, Time now, std::vector<Reply>& replies);

private:
    std::optional<std::string> write();
    std::optional<std::string> read(Time now, std::vector<Reply>& replies);
    std::optional<std::string> look_alive(Time now);

    const Settings& x_settings;
    const Address x_address;
    Context x_context;
    bool x_connecting = false;
    unsigned x_greetings = 0; // answers that are still to come
    std::string x_out;
    std::size_t x_sent = 0; // of x_out
    std::vector<char> x_in;
    Time x_heard;
    std::optional<Time> x_asked; // a PING that nothing was heard after
};

} // namespace parley::redis
