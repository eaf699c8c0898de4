// Listener: the listening socket on core 0; accepts and hands sockets to the cores in turn.
//
// Threading: core 0. Owner: the Server. Shutdown: stop(). Bounds: over connections_max a client
// gets a short 503; without descriptors it is cut, by help of a descriptor kept in reserve, so that
// the queue of waiting clients does not keep the loop awake.
#pragma once

#include "net/net_loop.hpp"

#include <cstdint>
#include <vector>

namespace parley::net {

class Listener final : private EventTarget, private TimerWheel::Entry {
public:
    // Binds and listens; throws std::runtime_error with a text for the operator.
    Listener(NetShared& shared, std::vector<NetLoop*> loops);
    ~Listener() override;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    void start(); // on core 0
    void stop();  // on core 0
    std::uint16_t port() const { return x_port; }

private:
    static constexpr int kAcceptsPerEvent = 256;
    void on_events(std::uint32_t events) override;
    void on_timer() override { on_events(0); }
    enum class Accepted { one, none, later };
    Accepted accept_one();
    Accepted drop_one();
    void refuse(int socket, int status);

    NetShared& x_shared;
    const std::vector<NetLoop*> x_loops;
    int x_socket = -1;
    int x_reserve = -1;
    std::uint16_t x_port = 0;
    std::size_t x_next = 0; // loop
    Time x_last_warning{};
};

} // namespace parley::net
