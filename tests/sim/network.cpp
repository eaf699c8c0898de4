#include "tests/sim/network.hpp"

namespace parley::sim {

std::int64_t Network::delay_ms() {
    if (x_world.random.chance(x_world.faults.slow_packet)) return x_world.random.between(50, 600);
    return x_world.random.between(1, 15);
}

std::int64_t Network::arrival(std::int64_t& free_ms) {
    free_ms = std::max(free_ms, x_world.scheduler.now_ms() + delay_ms());
    return free_ms;
}

LinkId Network::open(ClientEnd& client, model::UserId user) {
    const LinkId id = ++x_last_link;
    Link& link = x_links[id];
    link.client = &client;
    x_world.scheduler.at(arrival(link.up_free_ms), [this, id, user] {
        const Link& there = x_links.at(id);
        if (!there.cut && !there.stalled && there.server_open) x_server->on_open(id, user);
    });
    return id;
}

void Network::to_server(LinkId id, Request request) {
    Link& link = x_links.at(id);
    if (link.cut || link.stalled || !link.client_open) return;
    x_world.scheduler.at(arrival(link.up_free_ms), [this, id, request] {
        const Link& there = x_links.at(id);
        if (!there.cut && there.server_open) x_server->on_request(id, request);
    });
}

void Network::to_client(LinkId id, Packet packet) {
    Link& link = x_links.at(id);
    if (link.cut || link.stalled || !link.server_open) return;
    x_world.scheduler.at(arrival(link.down_free_ms), [this, id, packet = std::move(packet)] {
        const Link& there = x_links.at(id);
        if (!there.cut && there.client_open) there.client->on_packet(id, packet);
    });
}

void Network::tell_client_closed(LinkId id) {
    Link& link = x_links.at(id);
    x_world.scheduler.at(arrival(link.down_free_ms), [this, id] {
        Link& there = x_links.at(id);
        if (std::exchange(there.client_open, false)) there.client->on_closed(id);
    });
}

void Network::tell_server_closed(LinkId id) {
    Link& link = x_links.at(id);
    x_world.scheduler.at(arrival(link.up_free_ms), [this, id] {
        Link& there = x_links.at(id);
        if (std::exchange(there.server_open, false)) x_server->on_closed(id);
    });
}

void Network::cut(LinkId id) {
    x_world.trace("link", id, "is cut");
    x_links.at(id).cut = true;
    tell_client_closed(id);
    tell_server_closed(id);
}

void Network::stall(LinkId id) {
    x_world.trace("link", id, "stalls");
    x_links.at(id).stalled = true;
}

void Network::close_by_client(LinkId id) {
    x_links.at(id).client_open = false;
    tell_server_closed(id);
}

void Network::close_by_server(LinkId id) {
    Link& link = x_links.at(id);
    link.server_open = false;
    if (x_world.random.chance(500)) link.cut = true;
    tell_client_closed(id);
}

} // namespace parley::sim
