// Connections: in each direction a pipe that keeps its order, with a delay of its own for each
// packet.
//
// A cut loses what is on the way and tells both ends, each in its time. A stall loses all that is
// sent from then on and tells nobody. Owner: the simulation.
#pragma once

#include "tests/sim/wire.hpp"
#include "tests/sim/world.hpp"

#include <map>

namespace parley::sim {

class ClientEnd {
public:
    virtual void on_packet(LinkId link, const Packet& packet) = 0;
    virtual void on_closed(LinkId link) = 0;

protected:
    ~ClientEnd() = default;
};

class ServerEnd {
public:
    virtual void on_open(LinkId link, model::UserId user) = 0;
    virtual void on_request(LinkId link, const Request& request) = 0;
    virtual void on_closed(LinkId link) = 0;

protected:
    ~ServerEnd() = default;
};

class Network {
public:
    explicit Network(World& world) : x_world(world) {}
    void serve(ServerEnd& server) { x_server = &server; }

    LinkId open(ClientEnd& client, model::UserId user);
    void to_server(LinkId link, Request request);
    void to_client(LinkId link, Packet packet);
    void cut(LinkId link);
    void stall(LinkId link);
    // One end goes away. The other is told; what the server had sent may still arrive.
    void close_by_client(LinkId link);
    void close_by_server(LinkId link);

private:
    struct Link {
        ClientEnd* client = nullptr;
        bool client_open = true, server_open = true;
        bool cut = false, stalled = false;
        std::int64_t up_free_ms = 0, down_free_ms = 0;
    };
    std::int64_t delay_ms();
    std::int64_t arrival(std::int64_t& free_ms);
    void tell_client_closed(LinkId link);
    void tell_server_closed(LinkId link);

    World& x_world;
    ServerEnd* x_server = nullptr;
    std::map<LinkId, Link> x_links;
    LinkId x_last_link = 0;
};

} // namespace parley::sim
