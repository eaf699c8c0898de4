// Bus: ports::Bus on Redis's sharded publish and subscribe (SPUBLISH, SSUBSCRIBE; Redis 7).
//
// One thread holds for each address of the settings two connections: one that publishes, pipelined,
// whose replies are only looked at for errors, and one that is subscribed. A channel belongs to one
// address, by its hash. Both connections of an address stand or fall together: after a loss both
// are opened again every limits::kBusReconnect, all channels are subscribed in steps of
// limits::kBusChannelsStep, and when Redis has confirmed the last one, what waits is published. The
// bus is connected when all addresses are.
//
// Listener's order in one read: on_subscribed, on_bus_state(true), one on_bus_messages with all,
// on_bus_state(false). Before on_bus_state(true) messages may come already.
// Bounds: limits::kBusQueueBytes wait to be written (over all addresses), then the oldest are
// dropped and counted; what Redis got half of when the connection broke is not sent again.
// Threading: as the port says. Owner: app/wiring; the listener outlives stop(). Shutdown: stop()
// writes what waits, for at most limits::kBusCallTimeout, then joins; nothing is heard after it.
#pragma once

#include "adapters/redis/connection.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/bus.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace parley::redis {

class Bus final : public ports::Bus {
public:
    Bus(Settings settings, Metrics& metrics, Logger& logger);
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    // Once. Channels may be subscribed before.
    void start(ports::BusListener& listener);
    void stop();

    void publish(std::vector<ports::BusMessage> messages) override;
    void subscribe(std::string channel) override;
    void unsubscribe(std::string channel) override;
    bool connected() const override { return x_connected.load(std::memory_order_acquire); }

private:
    using Time = Connection::Time;
    struct Link { // one address
        Link(const Settings& settings, const Address& a)
            : address(a), publisher(settings, a), subscriber(settings, a) {}
        const Address address;
        // Guarded by x_mutex.
        std::deque<ports::BusMessage> queue;
        std::size_t queue_bytes = 0;
        std::unordered_set<std::string> channels; // as it should be
        std::unordered_set<std::string> changed;  // of these Redis has not been told
        // Of the thread.
        Connection publisher, subscriber;
        Time retry_at{};
        bool asked = false;      // for all channels, on this connection
        std::size_t awaited = 0; // confirmations of these
        bool up = false, complained = false;
    };
    struct Heard { // in one turn of the loop
        std::vector<std::string> subscribed;
        std::vector<ports::BusMessage> messages;
    };

    Link& link_of(const std::string& channel);
    void wake();
    void run();
    bool finished(Time now);
    void wait(std::vector<pollfd>& polled);
    void prepare(Link& link, Time now);
    void step(Link& link, const pollfd* polled, Time now, Heard& heard);
    void hear(Link& link, std::vector<Reply> replies, Heard& heard);
    void lose(Link& link, const std::string& why, Time now);
    void subscribe_all(Link& link);
    void subscribe_changed(Link& link);
    void fill(Link& link);
    void tell(Heard heard);
    void part(Link& link);

    const Settings x_settings;
    Logger& x_logger;
    std::mutex x_mutex;
    std::vector<std::unique_ptr<Link>> x_links;
    const std::size_t x_queue_max; // bytes of one link
    int x_wake_fd;
    std::atomic<bool> x_woken{false}, x_stopping{false}, x_connected{false};
    std::optional<Time> x_stop_by;
    ports::BusListener* x_listener = nullptr;
    std::thread x_thread;
    Counter &x_published, &x_dropped, &x_received, &x_errors, &x_losses;
    Gauge &x_waiting_bytes, &x_channels, &x_up;
};

} // namespace parley::redis
