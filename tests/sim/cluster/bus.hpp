// The bus, in place of Redis: channels that keep the order of each publisher to each subscriber,
// and lose what they like. It may be gone for all, or for one; then nobody is told again.
//
// Owner: the cluster; a BusClient: its process.
#pragma once

#include "ports/bus.hpp"
#include "tests/sim/cluster/weather.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace parley::sim {

class BusClient;

class BusServer {
public:
    explicit BusServer(Weather& weather) : x_weather(weather) {}
    void set_up(bool up);
    bool up() const { return x_up; }

private:
    friend class BusClient;
    void spread(const std::vector<ports::BusMessage>& messages);
    void note_event(const std::string& record);

    Weather& x_weather;
    bool x_up = true;
    std::vector<BusClient*> x_clients;
};

class BusClient final : public ports::Bus {
public:
    BusClient(Weather& weather, BusServer& server, Process& process);
    ~BusClient();
    void start(ports::BusListener& listener);
    // This one's connection alone.
    void cut();

    void publish(std::vector<ports::BusMessage> messages) override;
    void subscribe(std::string channel) override;
    void unsubscribe(std::string channel) override;
    bool connected() const override { return x_connected; }

private:
    friend class BusServer;
    void lose();
    void come_back();
    void stand(const std::string& channel);
    void deliver(std::vector<ports::BusMessage> messages);
    ports::BusMessage as_if_nothing_was_missed(ports::BusMessage message);

    Weather& x_weather;
    BusServer& x_server;
    Process& x_process;
    ports::BusListener* x_listener = nullptr;
    bool x_connected = false;
    std::uint64_t x_life = 0; // of the connection
    std::set<std::string> x_wanted;
    std::set<std::string> x_stands; // at the server
    Pipe x_to_server, x_from_server;
    std::map<model::RoomId, model::EventId> x_heard; // of a planted bug
};

} // namespace parley::sim
