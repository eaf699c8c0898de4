#include "tests/sim/cluster/cluster.hpp"

#include <algorithm>

namespace parley::sim {

namespace {

constexpr std::int64_t kTickMs = 4, kCalmTickMs = 12, kLookMs = 40;

template <class All>
auto* any_that_runs(All& all, Random& random) {
    using One = typename All::value_type::element_type;
    std::vector<One*> running;
    for (const auto& one : all)
        if (one->runs()) running.push_back(one.get());
    return running.empty() ? nullptr : random.pick(running);
}

} // namespace

Cluster::Cluster(World& world, Network& network)
    : x_weather(world),
      x_network(network),
      x_layout{.partitions = static_cast<ports::Partition>(world.random.between(1, 4)),
               .shards = static_cast<std::size_t>(world.random.between(1, 2))},
      x_log(x_weather, x_layout.partitions),
      x_bus(x_weather),
      x_directory(world.clock),
      x_group(parts()) {
    for (std::size_t i = 0; i < x_layout.shards; ++i)
        x_shards.push_back(std::make_unique<Shard>(x_weather));
    x_log.on_append([this](ports::Partition partition) { x_group.look_at(partition); });
    if (world.random.chance(500)) x_log.produce_timeout_ms = world.random.between(300, 900);
    for (std::int64_t i = world.random.between(1, 3); i > 0; --i) start_node();
    for (std::int64_t i = world.random.between(1, 3); i > 0; --i) start_worker();
}

Cluster::~Cluster() = default;

void Cluster::start_node() {
    const auto cores = static_cast<std::uint16_t>(x_weather.world.random.between(1, 2));
    const std::string name = "node" + std::to_string(++x_node_count);
    x_nodes.push_back(std::make_unique<FrontNode>(
        parts(), x_names, x_directory, x_network, name, cores,
        [this](model::RoomId room, model::EventId event) {
            if (!x_weather.happens(100)) return;
            if (FrontNode* const node = any_node()) node->check_shows(room, event);
        }));
    x_weather.world.trace(name, "starts");
}

void Cluster::start_worker() {
    x_workers.push_back(std::make_unique<IngestProcess>(parts()));
    x_group.join(*x_workers.back());
    x_weather.world.trace("worker", x_workers.size(), "starts");
}

void Cluster::add_user(const std::string& name) {
    (void)x_directory.add_user({name, name, name, name, ""});
    for (const auto& shard : x_shards) (void)shard->disk.add_user({name, name, name, name, ""});
}

FrontNode* Cluster::any_node() { return any_that_runs(x_nodes, x_weather.world.random); }
IngestProcess* Cluster::any_worker() { return any_that_runs(x_workers, x_weather.world.random); }

// --- time

bool Cluster::run_one() {
    Scheduler& scheduler = x_weather.world.scheduler;
    const std::int64_t quiet_ms = scheduler.now_ms() - x_weather.active_ms;
    if (x_tick_at_ms <= scheduler.now_ms()) {
        x_tick_at_ms = scheduler.now_ms() + (quiet_ms > 100 ? kCalmTickMs : kTickMs);
        scheduler.at(x_tick_at_ms, [this] { tick(); });
    }
    const std::int64_t before = scheduler.now_ms();
    scheduler.run_one();
    turn();
    return scheduler.now_ms() == before || !at_rest();
}

void Cluster::turn() {
    constexpr int kRoundsMost = 10'000;
    for (int round = 0; round < kRoundsMost; ++round) {
        bool any = false;
        for (const auto& node : x_nodes)
            if (!node->closed()) any |= node->turn();
        if (!any) return;
    }
    x_weather.world.violated("I13", "a node never comes to rest");
}

void Cluster::tick() {
    const std::int64_t now_ms = x_weather.now_ms();
    for (const auto& worker : x_workers) worker->step();
    if (now_ms >= x_next_presence_ms) {
        x_next_presence_ms = now_ms + 100;
        for (const auto& node : x_nodes)
            if (!node->closed()) node->tick();
    }
    if (now_ms < x_next_look_ms) return;
    x_next_look_ms = now_ms + kLookMs;
    for (ports::Partition p = 0; p < x_layout.partitions; ++p) x_group.look_at(p);
    if (x_goes_wrong) look();
}

bool Cluster::everything_is_stored() const {
    for (ports::Partition p = 0; p < x_layout.partitions; ++p) {
        const auto& positions = x_shards[x_layout.shard_of(p)]->positions;
        const auto found = positions.find(p);
        if (found == positions.end() ? x_log.end(p) > 0
                                     : found->second.next_offset < x_log.end(p))
            return false;
    }
    return true;
}

// Longer than it takes a client to notice that it has no answer, and a node that it has missed
// something.
bool Cluster::at_rest() const {
    const std::int64_t quiet_ms = x_weather.now_ms() - x_weather.active_ms;
    return !x_goes_wrong && quiet_ms > x_weather.world.answer_timeout_ms + 500 &&
           (everything_is_stored() || quiet_ms > 20'000);
}

void Cluster::close() {
    for (const auto& node : x_nodes) node->die();
    const auto closed = [](const auto& node) { return node->closed(); };
    const std::int64_t end_ms = x_weather.now_ms() + 60'000;
    while (!std::ranges::all_of(x_nodes, closed) && x_weather.now_ms() < end_ms) run_one();
    if (!std::ranges::all_of(x_nodes, closed))
        x_weather.world.violated("I13", "a node does not end");
}

service::DeliveryRef Cluster::submit(model::Draft draft) {
    service::DeliveryRef answer;
    bool answered = false;
    x_nodes.front()->submit(std::move(draft), [&](service::DeliveryRef delivery) {
        answer = std::move(delivery);
        answered = true;
    });
    while (!answered) run_one();
    return answer;
}

void Cluster::check_rooms(const std::vector<model::RoomId>& rooms,
                          const std::vector<model::UserId>& users) {
    for (const auto& node : x_nodes)
        for (const model::RoomId room : rooms)
            for (const model::UserId user : users)
                if (node->runs()) node->check_room(room, user, store_of(room));
    const std::int64_t end_ms = x_weather.now_ms() + 3'000;
    while (x_weather.now_ms() < end_ms) run_one();
}

// --- what goes wrong

void Cluster::let_go_wrong(const ClusterFaults& faults) {
    while (!everything_is_stored()) run_one();
    x_weather.faults = faults;
    x_goes_wrong = true;
}

void Cluster::calm() {
    x_weather.world.trace("--- nothing goes wrong any more");
    x_weather.faults = {};
    x_goes_wrong = false;
    x_log.set_up(true);
    for (const auto& shard : x_shards) shard->up = true;
    x_bus.set_up(true);
    for (const auto& node : x_nodes) node->go_on();
    for (const auto& worker : x_workers) worker->go_on();
    if (!any_node()) start_node();
    if (!any_worker()) start_worker();
    x_weather.note_activity();
}

void Cluster::kill(FrontNode& node) {
    ++x_weather.stats.node_deaths;
    ++x_weather.world.stats.crashes;
    x_weather.world.trace("a node dies");
    node.die();
    std::vector<LinkId> links;
    for (const auto& [link, at] : x_links)
        if (at == &node) links.push_back(link);
    for (const LinkId link : links) {
        x_links.erase(link);
        x_network.close_by_server(link);
    }
    x_weather.world.scheduler.after(x_weather.world.random.between(50, 800),
                                    [this] { start_node(); });
}

void Cluster::kill(IngestProcess& worker) {
    ++x_weather.stats.worker_deaths;
    x_weather.world.trace("a worker dies");
    worker.die();
    Random& random = x_weather.world.random;
    x_weather.world.scheduler.after(random.between(50, 400),
                                    [this, &worker] { x_group.lose(worker); });
    x_weather.world.scheduler.after(random.between(20, 900), [this] { start_worker(); });
}

void Cluster::look() {
    break_a_node();
    break_a_worker();
    break_a_store();
    break_the_rest();
}

void Cluster::break_a_node() {
    Random& random = x_weather.world.random;
    if (x_weather.happens(x_weather.faults.node_dies))
        if (FrontNode* const node = any_node()) kill(*node);
    if (x_weather.happens(x_weather.faults.node_stops))
        if (FrontNode* const node = any_node()) {
            x_weather.world.trace("a node stands still");
            node->stop();
            x_weather.world.scheduler.after(random.between(50, 1'500), [node] { node->go_on(); });
        }
    if (x_weather.happens(x_weather.faults.clock_step))
        if (FrontNode* const node = any_node())
            node->clock().offset_ms += random.between(-4'000'000, 1'000'000);
    if (x_weather.happens(x_weather.faults.bus_cut))
        if (FrontNode* const node = any_node()) node->bus().cut();
}

void Cluster::break_a_worker() {
    Random& random = x_weather.world.random;
    if (x_weather.happens(x_weather.faults.worker_dies))
        if (IngestProcess* const worker = any_worker()) kill(*worker);
    if (x_weather.happens(x_weather.faults.worker_stops))
        if (IngestProcess* const worker = any_worker()) {
            x_weather.world.trace("a worker stands still");
            worker->stop();
            if (random.chance(700)) // beyond its session
                x_weather.world.scheduler.after(random.between(20, 200),
                                                [this, worker] { x_group.lose(*worker); });
            x_weather.world.scheduler.after(random.between(210, 900), [this, worker] {
                worker->go_on();
                if (!worker->dead() && !x_group.has(*worker)) x_group.join(*worker);
            });
        }
    if (x_weather.happens(x_weather.faults.rebalance)) x_group.rebalance();
}

void Cluster::break_a_store() {
    Random& random = x_weather.world.random;
    if (x_weather.happens(x_weather.faults.shard_down)) {
        Shard& shard = *random.pick(x_shards);
        ++x_weather.stats.shard_downs;
        x_weather.world.trace("a shard is down");
        shard.up = false;
        shard.hangs = random.chance(500);
        const std::int64_t most_ms = x_weather.world.answers_may_overtake ? 8'000 : 1'500;
        x_weather.world.scheduler.after(random.between(50, most_ms), [&shard] { shard.up = true; });
    }
    if (x_weather.happens(x_weather.faults.broker_down)) {
        x_weather.world.trace("the broker is down");
        x_log.set_up(false);
        x_weather.world.scheduler.after(random.between(50, 1'200), [this] { x_log.set_up(true); });
    }
}

void Cluster::break_the_rest() {
    Random& random = x_weather.world.random;
    if (x_weather.happens(x_weather.faults.bus_down)) {
        x_bus.set_up(false);
        x_weather.world.scheduler.after(random.between(50, 1'500), [this] { x_bus.set_up(true); });
    }
    if (x_weather.happens(x_weather.faults.clock_step))
        x_log.clock.offset_ms += random.between(-4'000'000, 1'000'000);
    if (x_weather.happens(x_weather.faults.poison))
        x_log.append(static_cast<ports::Partition>(random.below(x_layout.partitions)), "poison");
}

// --- clients

void Cluster::on_open(LinkId link, model::UserId user) {
    FrontNode* const node = any_node();
    if (!node) return x_network.close_by_server(link);
    x_links[link] = node;
    node->on_open(link, user);
}

void Cluster::on_request(LinkId link, const Request& request) {
    const auto found = x_links.find(link);
    if (found == x_links.end()) return;
    x_weather.note_activity();
    found->second->on_request(link, request);
}

void Cluster::on_closed(LinkId link) {
    const auto found = x_links.find(link);
    if (found == x_links.end()) return;
    found->second->on_closed(link);
    x_links.erase(found);
}

} // namespace parley::sim
