// What goes wrong in a cluster in this run, and what its parts share: the world, which event every
// id stands for, and when something last happened.
//
// Threading: one thread. Owner: the cluster.
#pragma once

#include "tests/sim/wire.hpp"
#include "tests/sim/world.hpp"

#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace parley::sim {

// Per mille of each call, record or message; or, of what happens to a part, of each look.
struct ClusterFaults {
    int slow = 0, call_fails = 0, write_fails = 0, write_unknown = 0, produce_unknown = 0;
    int redelivered = 0, skipped = 0, bus_drop = 0, poison = 0;
    int node_dies = 0, node_stops = 0, worker_dies = 0, worker_stops = 0, rebalance = 0;
    int shard_down = 0, bus_down = 0, bus_cut = 0, broker_down = 0, clock_step = 0;

    static ClusterFaults draw(Random& random) {
        const auto rate = [&random](int most) {
            return random.chance(400) ? 0 : static_cast<int>(random.between(1, most));
        };
        return {.slow = rate(60),
                .call_fails = rate(30),
                .write_fails = rate(80),
                .write_unknown = rate(60),
                .produce_unknown = rate(20),
                .redelivered = rate(100),
                .skipped = rate(40),
                .bus_drop = rate(60),
                .poison = rate(10),
                .node_dies = rate(20),
                .node_stops = rate(20),
                .worker_dies = rate(40),
                .worker_stops = rate(120),
                .rebalance = rate(80),
                .shard_down = rate(40),
                .bus_down = rate(30),
                .bus_cut = rate(40),
                .broker_down = rate(20),
                .clock_step = rate(30)};
    }
};

// What the runs together must have met.
struct ClusterStats {
    std::uint64_t appended = 0, takeovers = 0, fenced = 0, node_deaths = 0, worker_deaths = 0;
    std::uint64_t dead_letters = 0, bus_lost = 0, shard_downs = 0, reads_checked = 0;
    std::uint64_t repeated_publications = 0;
};

struct Weather {
    explicit Weather(World& w) : world(w) {}
    bool happens(int per_mille) { return world.random.chance(per_mille); }
    std::int64_t delay_ms() {
        if (happens(faults.slow)) return world.random.between(20, 300);
        return world.random.between(0, 4);
    }
    std::int64_t now_ms() const { return world.scheduler.now_ms(); }
    void note_activity() { active_ms = now_ms(); }

    World& world;
    ClusterFaults faults{};
    ClusterStats stats;
    std::map<model::EventId, WireEvent> events; // as a worker first said them
    std::int64_t active_ms = 0;
};

// A process as its surroundings see it: it may stand still, and then what comes waits; or be dead.
class Process {
public:
    // Something from outside reaches it.
    void run(std::function<void()> what) {
        if (x_dead) return;
        if (x_stopped)
            x_waiting.push_back(std::move(what));
        else
            what();
    }
    bool runs() const { return !x_dead && !x_stopped; }
    bool dead() const { return x_dead; }
    void die() { x_dead = true; }
    void stop() { x_stopped = true; }
    void go_on() {
        x_stopped = false;
        while (!x_waiting.empty() && runs()) {
            auto first = std::move(x_waiting.front());
            x_waiting.pop_front();
            first();
        }
    }

protected:
    ~Process() = default;

private:
    bool x_dead = false, x_stopped = false;
    std::deque<std::function<void()>> x_waiting;
};

// One direction between two parts: it keeps its order, each thing with a delay of its own.
class Pipe {
public:
    std::int64_t arrival_ms(Weather& weather, std::int64_t more_ms = 0) {
        x_free_ms = std::max(x_free_ms, weather.now_ms() + weather.delay_ms() + more_ms);
        return x_free_ms;
    }

private:
    std::int64_t x_free_ms = 0;
};

} // namespace parley::sim
