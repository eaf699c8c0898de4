// A front process, made of the real service::Rooms on one or two cores, cluster::RemoteLog,
// BusFollower, PendingAnswers, CaughtUp and what reads through it. Modelled are the sessions: what
// the gateway does with a request is a few lines here, and a frame is read back from its JSON.
//
// Threading: the simulation's; turn() runs what is ready on the cores. Owner: the cluster, to the
// end of the run: a node that died closes in a vacuum and is forgotten.
#pragma once

#include "cluster/bus_follower.hpp"
#include "cluster/caught_up.hpp"
#include "cluster/fresh_reads.hpp"
#include "cluster/remote_log.hpp"
#include "service/rooms.hpp"
#include "tests/sim/cluster/ingest_process.hpp"
#include "tests/sim/cluster/names.hpp"
#include "tests/sim/network.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace parley::sim {

class FrontNode final : public Process {
public:
    // What other nodes show of a message that has just been acknowledged is looked at by
    // `acknowledged`.
    using Acknowledged = std::function<void(model::RoomId, model::EventId)>;
    FrontNode(ClusterParts parts, Names& names, memory::Store& directory, Network& network,
              std::string name, std::uint16_t cores, Acknowledged acknowledged);
    ~FrontNode();

    // Whether anything was done.
    bool turn();
    // What its chores do, each limits::kPresenceTick.
    void tick();
    void die();
    // Ends in order: what is in flight ends first. True when that is done.
    void close();
    bool closed() const { return x_closed == x_cores.size(); }
    BusClient& bus() { return x_bus; }
    VirtualClock& clock() { return x_clock; }

    void on_open(LinkId link, model::UserId user);
    void on_request(LinkId link, const Request& request);
    void on_closed(LinkId link);

    // For setting up.
    void submit(model::Draft draft, std::function<void(service::DeliveryRef)> done);
    // Whether it shows what was acknowledged, and in the end, whether it knows a room as it is.
    void check_shows(model::RoomId room, model::EventId event);
    void check_room(model::RoomId room, model::UserId user, memory::Store& store);

private:
    struct Connection;
    struct OfCore;

    OfCore& core_of(LinkId link) { return *x_cores.at(link % x_cores.size()); }
    Connection* find(LinkId link);
    void answer(LinkId link, Packet packet);
    void answer_error(LinkId link, const Request& request, const Error& error);
    void handle(Connection& connection, const Request& request);
    void acknowledge_at_once(const Connection& connection, const Request& request);
    Task<void> subscribe(LinkId link, std::uint64_t attempt, Request request);
    Task<void> mark(LinkId link, model::UserId user, Request request);
    Task<void> ask(model::Draft draft, std::function<void(service::DeliveryRef)> done);
    Task<void> look_for(model::RoomId room, model::EventId event);
    Task<void> compare(model::RoomId room, model::UserId user, memory::Store& store);
    Task<void> close_core(std::size_t core);
    void end(Connection& connection);
    WireEvent read_frame(std::string_view frame, bool& is_event) const;

    const ClusterParts x_parts;
    Network& x_network;
    const std::string x_name;
    const Acknowledged x_acknowledged;
    SilentLogger x_logger;
    Metrics x_metrics;
    VirtualClock x_clock;
    service::RateLimits x_rates;
    BusClient x_bus;
    LogProducer x_producer;
    NodeNames x_names;
    ShardReads x_reads;
    struct Ends;
    struct Dice;
    std::unique_ptr<Ends> x_ends;
    std::unique_ptr<Dice> x_dice;
    cluster::PendingAnswers x_pending;
    cluster::BusFollower x_follower;
    service::Node x_sink;
    std::unique_ptr<cluster::RemoteLog> x_log;
    std::vector<std::unique_ptr<OfCore>> x_cores;
    std::uint64_t x_attempts = 0;
    std::int64_t x_expire_at_ms = 0;
    std::size_t x_closed = 0;
    bool x_closing = false;
};

} // namespace parley::sim
