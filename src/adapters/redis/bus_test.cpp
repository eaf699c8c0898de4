#include "adapters/redis/bus.hpp"
#include "base/cluster_limits.hpp"
#include "tests/support/redis_server.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <set>

namespace parley::redis {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

// Writes down what it hears, and waits for what is to come.
class Listener final : public ports::BusListener {
public:
    void on_bus_messages(std::vector<ports::BusMessage> messages) override {
        std::lock_guard lock(x_mutex);
        ++hand_overs;
        for (auto& message : messages) heard[message.channel].push_back(message.payload);
        x_changed.notify_all();
    }
    void on_bus_state(bool connected) override {
        std::lock_guard lock(x_mutex);
        states.push_back(connected);
        x_changed.notify_all();
    }
    void on_subscribed(const std::string& channel) override {
        std::lock_guard lock(x_mutex);
        ++subscribed[channel];
        x_changed.notify_all();
    }
    template <class Condition>
    bool await(Condition condition, std::chrono::milliseconds time = 5s) {
        std::unique_lock lock(x_mutex);
        return x_changed.wait_for(lock, time, condition);
    }

    std::map<std::string, std::vector<std::string>> heard;
    std::map<std::string, int> subscribed;
    std::vector<bool> states;
    int hand_overs = 0;

private:
    std::mutex x_mutex;
    std::condition_variable x_changed;
};

struct RedisBus : ::testing::Test {
    Settings settings_of(std::vector<const test::RedisServer*> servers) {
        Settings settings;
        settings.addresses.clear();
        for (const auto* server : servers)
            settings.addresses.push_back({"127.0.0.1", std::uint16_t(server->port())});
        return settings;
    }
    bool await_state(Listener& listener, std::vector<bool> states, auto time) {
        return listener.await([&] { return listener.states == states; }, time);
    }

    Metrics metrics;
    SilentLogger logger;
    test::RedisServer server;
    Listener listener, other;
    Bus bus{settings_of({&server}), metrics, logger};
};

TEST_F(RedisBus, CarriesMessagesInOrderToThoseWhoSubscribed) {
    Metrics other_metrics;
    Bus far(settings_of({&server}), other_metrics, logger);
    bus.subscribe("a");
    bus.start(listener);
    far.subscribe("b");
    far.start(other);
    ASSERT_TRUE(await_state(listener, {true}, 2s));
    ASSERT_TRUE(await_state(other, {true}, 2s));
    EXPECT_TRUE(bus.connected());
    far.subscribe("a");
    ASSERT_TRUE(other.await([&] { return other.subscribed["a"] == 1; }));
    const std::string bytes("\0\r\n$3\xFF", 6);
    std::vector<std::string> expected;
    for (int burst = 0; burst < 100; ++burst) {
        std::vector<ports::BusMessage> messages;
        for (int i = 0; i < 100; ++i) {
            expected.push_back(bytes + std::to_string(burst * 100 + i));
            messages.push_back({"a", expected.back()});
        }
        messages.push_back({"b", "for the other alone"});
        bus.publish(std::move(messages));
    }
    EXPECT_TRUE(listener.await([&] { return listener.heard["a"].size() == 10'000; }));
    EXPECT_TRUE(other.await([&] { return other.heard["b"].size() == 100; }));
    EXPECT_TRUE(other.await([&] { return other.heard["a"].size() == 10'000; }));
    far.unsubscribe("a");
    bus.publish({{"b", "a mark"}});
    EXPECT_TRUE(other.await([&] { return other.heard["b"].size() == 101; }));
    EXPECT_EQ(listener.heard["a"], expected);
    EXPECT_EQ(other.heard["a"], expected);
    EXPECT_FALSE(listener.heard.contains("b"));
    EXPECT_LT(listener.hand_overs, 5'000); // what one read brings is handed over at once
}

TEST_F(RedisBus, SubscribesAllAgainAfterARestart) {
    for (int i = 0; i < 1'234; ++i) bus.subscribe("room:" + std::to_string(i));
    bus.start(listener);
    ASSERT_TRUE(await_state(listener, {true}, 2s));
    EXPECT_EQ(listener.subscribed.size(), 1'234u);
    server.kill();
    ASSERT_TRUE(await_state(listener, {true, false}, 2s));
    EXPECT_FALSE(bus.connected());
    bus.unsubscribe("room:7");
    bus.subscribe("late");
    bus.publish({{"room:8", "said while it was away"}, {"room:7", "to nobody"}});
    server.start();
    ASSERT_TRUE(await_state(listener, {true, false, true}, 2s));
    bus.publish({{"room:1233", "x"}, {"late", "y"}});
    EXPECT_TRUE(listener.await([&] { return listener.heard.size() == 3; }));
    EXPECT_EQ(listener.heard["room:8"].size(), 1u);
    EXPECT_EQ(listener.subscribed["room:7"], 1);
    EXPECT_EQ(listener.subscribed["room:8"], 2);
    EXPECT_EQ(listener.subscribed["late"], 1);
}

TEST_F(RedisBus, NoticesAServerThatStandsStill) {
    bus.subscribe("a");
    bus.start(listener);
    ASSERT_TRUE(await_state(listener, {true}, 2s));
    EXPECT_FALSE(listener.await([&] { return listener.states.size() > 1; }, 2s)); // quiet is fine
    server.freeze(true);
    EXPECT_TRUE(await_state(listener, {true, false}, 2s));
    server.freeze(false);
    ASSERT_TRUE(await_state(listener, {true, false, true}, 3s));
    bus.publish({{"a", "x"}});
    EXPECT_TRUE(listener.await([&] { return listener.heard["a"].size() == 1; }));
}

TEST_F(RedisBus, DropsTheOldestWhenItsQueueIsFull) {
    bus.subscribe("a");
    server.kill();
    bus.start(listener);
    const std::string megabyte(1024 * 1024, 'x');
    const std::size_t sent = limits::kBusQueueBytes / megabyte.size() + 10;
    for (std::size_t i = 0; i < sent; ++i) bus.publish({{"a", std::to_string(i) + megabyte}});
    const Counter& dropped = metrics.counter("parley_bus_dropped_total", "");
    EXPECT_EQ(dropped.value(), 11u); // ten, and one for the names and numbers
    server.start();
    EXPECT_TRUE(listener.await([&] { return listener.heard["a"].size() == sent - 11; }, 10s));
    EXPECT_EQ(listener.heard["a"].front(), "11" + megabyte);
    EXPECT_EQ(metrics.gauge("parley_bus_queue_bytes", "").value(), 0);
}

TEST_F(RedisBus, WritesWhatWaitsBeforeItStops) {
    Bus far(settings_of({&server}), metrics, logger);
    far.subscribe("a");
    far.start(other);
    bus.start(listener);
    ASSERT_TRUE(await_state(other, {true}, 2s));
    ASSERT_TRUE(await_state(listener, {true}, 2s));
    // Several times what is handed to the socket at once.
    std::vector<ports::BusMessage> messages(2'000, {"a", std::string(500, 'x')});
    bus.publish(std::move(messages));
    bus.stop();
    EXPECT_TRUE(other.await([&] { return other.heard["a"].size() == 2'000; }))
        << "heard " << other.heard["a"].size() << ", published "
        << metrics.counter("parley_bus_published_total", "").value() << ", left in the queue "
        << metrics.gauge("parley_bus_queue_bytes", "").value();
}

TEST(RedisBusOfSeveral, SpreadsChannelsAndNeedsAll) {
    Metrics metrics;
    SilentLogger logger;
    test::RedisServer one("secret"), two("secret");
    Settings settings;
    settings.password = "secret";
    settings.addresses = {{"127.0.0.1", std::uint16_t(one.port())},
                          {"127.0.0.1", std::uint16_t(two.port())}};
    Listener listener;
    Bus bus(settings, metrics, logger);
    bus.start(listener);
    ASSERT_TRUE(listener.await([&] { return listener.states == std::vector{true}; }));
    std::vector<ports::BusMessage> messages;
    for (int i = 0; i < 64; ++i) {
        bus.subscribe(std::to_string(i));
        messages.push_back({std::to_string(i), "x"});
    }
    ASSERT_TRUE(listener.await([&] { return listener.subscribed.size() == 64; }));
    bus.publish(messages);
    EXPECT_TRUE(listener.await([&] { return listener.heard.size() == 64; }));
    two.kill();
    ASSERT_TRUE(listener.await([&] { return listener.states == std::vector{true, false}; }));
    bus.publish(messages);
    // The one that is there goes on; what is for the other waits.
    EXPECT_TRUE(listener.await([&] {
        std::size_t heard = 0;
        for (const auto& [channel, payloads] : listener.heard) heard += payloads.size();
        return heard > 64 + 10 && heard < 64 + 54;
    }));
    two.start();
    EXPECT_TRUE(listener.await([&] {
        std::size_t heard = 0;
        for (const auto& [channel, payloads] : listener.heard) heard += payloads.size();
        return heard == 128;
    }));
}

TEST(RedisBusRefused, IsNotConnectedWithAWrongPassword) {
    Metrics metrics;
    SilentLogger logger;
    test::RedisServer server("secret");
    Settings settings;
    settings.password = "wrong";
    settings.addresses = {{"127.0.0.1", std::uint16_t(server.port())}};
    Listener listener;
    Bus bus(settings, metrics, logger);
    bus.start(listener);
    EXPECT_FALSE(listener.await([&] { return !listener.states.empty(); }, 500ms));
    EXPECT_GT(metrics.counter("parley_bus_losses_total", "").value(), 2u);
}

} // namespace
} // namespace parley::redis
