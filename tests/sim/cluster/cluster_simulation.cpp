// One run of a cluster: run_cluster() of simulation.hpp.
#include "chat/composer.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/client.hpp"
#include "tests/sim/cluster/cluster.hpp"
#include "tests/sim/cluster/virtual_time.hpp"
#include "tests/sim/simulation.hpp"

#include <memory>
#include <utility>

namespace parley::sim {

namespace {

constexpr std::size_t kStepsMost = 400'000;

class ClusterSimulation {
public:
    ClusterSimulation(std::uint64_t seed, Bug bug, Trace trace)
        : x_world(seed, bug, trace == Trace::on), x_time(x_world.scheduler) {}

    Report run() {
        set_up();
        for (const auto& device : x_devices)
            device->start(static_cast<int>(x_world.random.between(10, 50)));
        settle();
        x_world.trace("--- all come back");
        for (const auto& device : x_devices) device->come_back();
        x_cluster.weather().note_activity();
        settle();
        Report report = check();
        x_cluster.close();
        report.violations = x_world.violations;
        return report;
    }

private:
    // Nothing goes wrong before the rooms are there.
    void set_up() {
        x_network.serve(x_cluster);
        const Faults faults = std::exchange(x_world.faults, {});
        const ClusterFaults cluster_faults = ClusterFaults::draw(x_world.random);
        if (x_world.random.chance(100)) {
            x_world.answer_timeout_ms = 12'000;
            x_world.answers_may_overtake = true;
        }
        for (std::int64_t i = x_world.random.between(2, 5); i > 0; --i) {
            x_cluster.add_user("user" + std::to_string(i));
            x_users.push_back({static_cast<std::int64_t>(x_users.size()) + 1});
        }
        for (std::int64_t i = x_world.random.between(1, 4); i > 0; --i) make_room(i);
        for (const model::UserId user : x_users)
            for (std::int64_t i = x_world.random.between(1, 2); i > 0; --i)
                x_devices.push_back(std::make_unique<Device>(x_world, x_network, x_journal, user,
                                                             x_rooms, x_users));
        x_world.faults = {.cut = faults.cut,
                          .stall = faults.stall,
                          .doubled_send = faults.doubled_send,
                          .slow_packet = faults.slow_packet};
        x_cluster.let_go_wrong(cluster_faults);
        x_world.scheduler.after(2'500, [this] {
            x_world.faults = {};
            x_cluster.calm();
        });
    }

    void make_room(std::int64_t i) {
        model::CreateDraft draft;
        draft.name = "room " + std::to_string(i);
        draft.visibility =
            x_world.random.chance(500) ? model::Visibility::open : model::Visibility::restricted;
        for (const model::UserId user : x_users)
            if (x_world.random.chance(750)) draft.member_ids.push_back(user);
        const auto made = x_cluster.submit(*chat::Composer::create(x_users.front(), draft));
        const model::RoomId room = made->event()->room_id;
        x_rooms.push_back(room);
        RoomModel& first = x_journal.first[room];
        for (const model::UserId user : made->outcome.durable->initial_members())
            first.roles[user] = model::Role::member;
        first.roles[x_users.front()] = model::Role::owner;
        first.open = draft.visibility == model::Visibility::open;
    }

    void settle() {
        for (std::size_t steps = 0; x_cluster.run_one(); ++steps)
            if (steps == kStepsMost || x_world.violations.size() > 20) {
                if (x_world.violations.empty())
                    x_world.violated("I13", "the run never comes to rest");
                return;
            }
    }

    Report check() {
        Checker checker(
            x_world, x_journal,
            [this](model::RoomId room) -> memory::Store& { return x_cluster.store_of(room); },
            x_rooms);
        checker.check_history();
        checker.check_rules();
        checker.check_changes();
        for (const auto& shard : x_cluster.shards())
            for (const auto& [partition, ids] : shard->committed()) checker.check_commits(ids);
        checker.check_sends();
        checker.check_order_of_senders();
        for (const auto& device : x_devices) checker.check_observer(*device);
        if (x_world.violations.empty()) x_cluster.check_rooms(x_rooms, x_users);
        return {.seed = 0,
                .violations = x_world.violations,
                .trace = x_world.trace_lines,
                .digest = checker.digest(),
                .virtual_ms = x_world.scheduler.now_ms(),
                .stats = x_world.stats,
                .cluster = x_cluster.weather().stats};
    }

    World x_world;
    VirtualTime x_time;
    Network x_network{x_world};
    Journal x_journal;
    std::vector<model::UserId> x_users;
    std::vector<model::RoomId> x_rooms;
    std::vector<std::unique_ptr<Device>> x_devices;
    Cluster x_cluster{x_world, x_network};
};

} // namespace

Report run_cluster(std::uint64_t seed, Bug bug, Trace trace) {
    auto simulation = std::make_unique<ClusterSimulation>(seed, bug, trace);
    Report report = simulation->run();
    report.seed = seed;
    return report;
}

} // namespace parley::sim
