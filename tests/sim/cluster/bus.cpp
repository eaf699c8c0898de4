#include "tests/sim/cluster/bus.hpp"

#include "protocol/log/channels.hpp"
#include "protocol/log/codec.hpp"

#include <algorithm>
#include <utility>

namespace parley::sim {

namespace plog = protocol::log;

namespace {

std::string describe(const WireEvent& event) {
    return "kind " + std::to_string(static_cast<int>(event.kind)) + " prev " +
           event.prev.to_string() + " user " + event.user.to_string() + " nonce " +
           std::to_string(event.nonce) + " content " + std::to_string(event.content) + " at " +
           std::to_string(event.at_ms);
}

} // namespace

// --- the server

void BusServer::set_up(bool up) {
    if (x_up == up) return;
    x_up = up;
    x_weather.world.trace("bus is", up ? "back" : "gone");
    for (BusClient* client : x_clients) up ? client->come_back() : client->lose();
}

// Whoever publishes an event: it is the same one each time.
void BusServer::note_event(const std::string& record) {
    const auto event = plog::Codec::decode_event(record);
    if (!event) return x_weather.world.violated("I3", "an event record that cannot be read");
    const WireEvent wire = to_wire(event->durable.event());
    const auto [at, is_new] = x_weather.events.emplace(wire.id, wire);
    if (is_new) return;
    ++x_weather.stats.repeated_publications;
    if (at->second != wire)
        x_weather.world.violated("I6", "event " + wire.id.to_string() + " is two events: " +
                                           describe(at->second) + ", then " + describe(wire));
}

void BusServer::spread(const std::vector<ports::BusMessage>& messages) {
    if (!x_up) {
        x_weather.stats.bus_lost += messages.size();
        return;
    }
    for (BusClient* client : x_clients) {
        if (!client->x_connected) continue;
        std::vector<ports::BusMessage> heard;
        for (const ports::BusMessage& message : messages) {
            if (!client->x_stands.contains(message.channel)) continue;
            if (x_weather.happens(x_weather.faults.bus_drop))
                ++x_weather.stats.bus_lost;
            else
                heard.push_back(message);
        }
        if (!heard.empty()) client->deliver(std::move(heard));
    }
}

// --- a client

BusClient::BusClient(Weather& weather, BusServer& server, Process& process)
    : x_weather(weather), x_server(server), x_process(process) {
    server.x_clients.push_back(this);
}

BusClient::~BusClient() { std::erase(x_server.x_clients, this); }

void BusClient::start(ports::BusListener& listener) {
    x_listener = &listener;
    if (x_server.up()) come_back();
}

void BusClient::publish(std::vector<ports::BusMessage> messages) {
    for (const ports::BusMessage& message : messages)
        if (plog::Codec::kind_of(message.payload) == 'E' &&
            plog::room_of_channel(message.channel)) {
            x_server.note_event(message.payload);
            x_weather.note_activity();
        }
    x_weather.world.scheduler.at(
        x_to_server.arrival_ms(x_weather),
        [this, messages = std::move(messages)] { x_server.spread(messages); });
}

void BusClient::subscribe(std::string channel) {
    x_wanted.insert(channel);
    if (x_connected) stand(channel);
}

void BusClient::stand(const std::string& channel) {
    x_weather.world.scheduler.at(
        x_to_server.arrival_ms(x_weather), [this, channel, life = x_life] {
            if (life != x_life || !x_wanted.contains(channel)) return;
            x_stands.insert(channel);
            x_weather.world.scheduler.at(x_from_server.arrival_ms(x_weather), [=, this] {
                x_process.run([=, this] {
                    if (life == x_life && x_listener) x_listener->on_subscribed(channel);
                });
            });
        });
}

void BusClient::unsubscribe(std::string channel) {
    x_wanted.erase(channel);
    x_weather.world.scheduler.at(x_to_server.arrival_ms(x_weather), [this, channel] {
        if (!x_wanted.contains(channel)) x_stands.erase(channel);
    });
}

void BusClient::deliver(std::vector<ports::BusMessage> messages) {
    x_weather.world.scheduler.at(
        x_from_server.arrival_ms(x_weather),
        [this, life = x_life, messages = std::move(messages)] {
            x_process.run([this, life, messages] {
                if (life != x_life || !x_listener) return;
                std::vector<ports::BusMessage> heard = messages;
                if (x_weather.world.bug == Bug::bus_gap_ignored)
                    for (ports::BusMessage& message : heard)
                        message = as_if_nothing_was_missed(std::move(message));
                x_listener->on_bus_messages(std::move(heard));
            });
        });
}

ports::BusMessage BusClient::as_if_nothing_was_missed(ports::BusMessage message) {
    if (!plog::room_of_channel(message.channel)) return message;
    auto record = plog::Codec::decode_event(message.payload);
    if (!record) return message;
    model::Event event = record->durable.event();
    model::EventId& heard = x_heard[event.room_id];
    if (heard && heard < event.id) event.prev_id = heard;
    heard = std::max(heard, event.id);
    message.payload =
        plog::Codec::encode(record->sender, plog::Codec::read_back(std::move(event)));
    return message;
}

void BusClient::lose() {
    if (!std::exchange(x_connected, false)) return;
    ++x_life;
    x_stands.clear();
    x_process.run([this] {
        if (x_listener) x_listener->on_bus_state(false);
    });
}

void BusClient::come_back() {
    if (x_connected || !x_server.up() || x_process.dead()) return;
    x_connected = true;
    ++x_life;
    x_process.run([this] {
        if (x_listener) x_listener->on_bus_state(true);
    });
    for (const std::string& channel : x_wanted) stand(channel);
}

void BusClient::cut() {
    if (!x_connected) return;
    lose();
    x_weather.world.scheduler.after(x_weather.world.random.between(20, 600),
                                    [this] { come_back(); });
}

} // namespace parley::sim
