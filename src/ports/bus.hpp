// What nodes tell each other at once and may lose: events that are durable already, answers to
// their senders, typing, presence. Everything on it can be had again from the log's shard.
//
// Delivery: at most once; messages of one publisher on one channel in its order. publish() never
// blocks: beyond limits::kBusQueueBytes the oldest are dropped, and counted.
// Threading: publish(), subscribe() and unsubscribe() from any thread; the listener is called on
// the bus's own thread.
#pragma once

#include <string>
#include <vector>

namespace parley::ports {

struct BusMessage {
    std::string channel, payload;
};

class BusListener {
public:
    // All that arrived in one read of the socket.
    virtual void on_bus_messages(std::vector<BusMessage> messages) = 0;
    // False: nothing is heard from now on. True: all subscriptions stand again; what was said
    // meanwhile is lost. Called with true first when the bus is up.
    virtual void on_bus_state(bool connected) = 0;
    // This subscription stands from now on (again after each reconnect).
    virtual void on_subscribed(const std::string& channel) { static_cast<void>(channel); }

protected:
    ~BusListener() = default;
};

class Bus {
public:
    virtual void publish(std::vector<BusMessage> messages) = 0;
    // Not counted: once is enough, and one unsubscribe() ends it.
    virtual void subscribe(std::string channel) = 0;
    virtual void unsubscribe(std::string channel) = 0;
    virtual bool connected() const = 0;

protected:
    ~Bus() = default;
};

} // namespace parley::ports
