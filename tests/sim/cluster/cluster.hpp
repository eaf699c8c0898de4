// A whole cluster in one thread: front nodes, the log, the workers of its partitions, the bus,
// shards, and what breaks them. Clients reach any node, as if the proxy knew no stickiness.
//
// Owner: the simulation. Nothing of it may be destroyed before its scheduler has run its last.
#pragma once

#include "tests/sim/cluster/front_node.hpp"

#include <memory>
#include <string>
#include <vector>

namespace parley::sim {

class Cluster final : public ServerEnd {
public:
    Cluster(World& world, Network& network);
    ~Cluster();

    // Something of the scheduler's, and all that follows at the same moment. False: at rest.
    bool run_one();
    // From now on things go wrong, until calm().
    void let_go_wrong(const ClusterFaults& faults);
    void calm();
    // Nothing has happened for so long, and nothing is left to be done.
    bool at_rest() const;
    void close();

    // For setting up: the outcome of a draft.
    service::DeliveryRef submit(model::Draft draft);
    memory::Store& directory() { return x_directory; }
    memory::Store& store_of(model::RoomId room) {
        return x_shards[x_layout.shard_of(room)]->disk;
    }
    const Shards& shards() const { return x_shards; }
    Weather& weather() { return x_weather; }
    void add_user(const std::string& name);
    // That every node knows each room as the store has it.
    void check_rooms(const std::vector<model::RoomId>& rooms,
                     const std::vector<model::UserId>& users);

    void on_open(LinkId link, model::UserId user) override;
    void on_request(LinkId link, const Request& request) override;
    void on_closed(LinkId link) override;

private:
    ClusterParts parts() { return {x_weather, x_log, x_bus, x_shards, x_layout}; }
    void start_node();
    void start_worker();
    void turn();
    void tick();
    void look();
    void break_a_node();
    void break_a_worker();
    void break_a_store();
    void break_the_rest();
    void kill(FrontNode& node);
    void kill(IngestProcess& worker);
    FrontNode* any_node();
    IngestProcess* any_worker();
    bool everything_is_stored() const;

    Weather x_weather;
    Network& x_network;
    Layout x_layout;
    DraftLog x_log;
    BusServer x_bus;
    Shards x_shards;
    memory::Store x_directory;
    Names x_names;
    Group x_group;
    std::vector<std::unique_ptr<FrontNode>> x_nodes;        // also those that died
    std::vector<std::unique_ptr<IngestProcess>> x_workers;  // also those that died
    std::map<LinkId, FrontNode*> x_links;
    std::int64_t x_tick_at_ms = 0, x_next_presence_ms = 0, x_next_look_ms = 0;
    std::size_t x_node_count = 0;
    bool x_goes_wrong = false;
};

} // namespace parley::sim
