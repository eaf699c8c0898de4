// `parley heartbeat`: takes users of nodes that have died off the presence board, writes when they
// were last seen, and tells their rooms. Several may run: each dead node is one's at a time, and
// doing it twice harms nothing.
#include "adapters/postgres/layout_watch.hpp"
#include "adapters/postgres/room_directory.hpp"
#include "adapters/redis/bus.hpp"
#include "adapters/redis/presence_board.hpp"
#include "app/cluster_parts.hpp"
#include "app/worker_application.hpp"
#include "protocol/log/channels.hpp"
#include "protocol/log/codec.hpp"
#include "protocol/v1/server_frame.hpp"
#include "service/room_feed.hpp"

namespace parley::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kSweep = 1000ms;
constexpr std::size_t kUsersAtOnce = 200;
constexpr std::size_t kRoomsPage = 100, kRoomsOfUser = 2'000; // who is in more is shown late there

class HeartbeatWorker final : public Worker {
public:
    explicit HeartbeatWorker(const WorkerParts& parts);
    void start() override {
        x_directory.start([] {}); // gives no ids
        x_watch.start([this](const postgres::Layout& layout) { return x_shards.follow(layout); });
        x_bus.start(x_deaf);
    }
    std::vector<Periodic::Work> chores() override {
        return {[this] { return sweep(); }};
    }
    std::vector<std::string> what_is_missing() const override {
        if (x_swept) return {};
        return {"the presence board does not answer"};
    }
    void stop() override {
        x_bus.stop();
        x_board.stop();
        x_watch.stop();
        x_shards.stop();
        x_directory.stop();
    }

private:
    Task<std::chrono::milliseconds> sweep();
    Task<bool> clear(std::string node);
    Task<void> tell_rooms(model::UserId user, std::optional<model::Time> last_seen_at);

    const WorkerParts x_parts;
    const std::string x_node;
    postgres::Directory x_directory;
    Shards x_shards;
    postgres::LayoutWatch x_watch;
    postgres::RoomDirectory x_rooms;
    redis::PresenceBoard x_board;
    redis::Bus x_bus;
    Deaf x_deaf;
    bool x_swept = false;
    Counter& x_dead;
    Counter& x_users;
};

HeartbeatWorker::HeartbeatWorker(const WorkerParts& parts)
    : x_parts(parts),
      x_node(cluster_node_name(parts.settings, "heartbeat")),
      x_directory({.target = parts.settings.cluster.directory_db,
                   .node = x_node,
                   .partitions = parts.settings.cluster.partitions,
                   .shards = static_cast<std::uint16_t>(shard_targets(parts.settings).size())},
                  parts.clock, parts.entropy, parts.log, parts.metrics),
      x_shards(parts.settings, x_directory.layout(), parts.metrics),
      x_watch({.target = parts.settings.cluster.directory_db,
               .node = x_node,
               .shards = x_shards.map().size(),
               .epoch = x_directory.layout().epoch},
              parts.log, parts.metrics),
      x_rooms(x_shards.map(), x_directory.user_names()),
      x_board(redis_settings(parts.settings), parts.metrics, parts.log),
      x_bus(redis_settings(parts.settings), parts.metrics, parts.log),
      x_dead(parts.metrics.counter("parley_heartbeat_dead_nodes_total",
                                   "Nodes that died without a word")),
      x_users(parts.metrics.counter("parley_heartbeat_users_total",
                                    "Users of dead nodes that are offline now")) {
    x_directory.use_shards(x_shards.pools(), x_shards.shard_of_room());
}

Task<std::chrono::milliseconds> HeartbeatWorker::sweep() {
    const auto dead = co_await x_board.dead_nodes(limits::kPresenceLease);
    x_swept = static_cast<bool>(dead);
    if (!dead) co_return kSweep;
    for (const std::string& node : *dead) {
        x_parts.log.warning("a node has died; its users are taken off", {{"node", node}});
        x_dead.add();
        // What fails is another sweep's, after the lease.
        if (co_await clear(node)) static_cast<void>(co_await x_board.removed(node));
    }
    co_return kSweep;
}

Task<bool> HeartbeatWorker::clear(std::string node) {
    const auto settled = co_await x_directory.settle_node(node);
    if (!settled) co_return false;
    for (;;) {
        const auto users = co_await x_board.users_of(node, kUsersAtOnce);
        if (!users) co_return false;
        if (users->empty()) co_return true;
        const auto nowhere = co_await x_board.take_off(node, *users);
        if (!nowhere) co_return false;
        x_users.add(nowhere->size());
        const auto names = co_await x_directory.user_names().names_of(*nowhere);
        for (std::size_t i = 0; i < nowhere->size(); ++i)
            co_await tell_rooms((*nowhere)[i],
                                names ? (*names)[i].last_seen_at : std::optional<model::Time>());
    }
}

Task<void> HeartbeatWorker::tell_rooms(model::UserId user,
                                       std::optional<model::Time> last_seen_at) {
    model::RoomId after;
    std::size_t told = 0;
    for (;;) {
        const auto rooms = co_await x_rooms.rooms_of(user, after, kRoomsPage);
        if (!rooms || rooms->empty()) co_return;
        std::vector<ports::BusMessage> messages;
        for (const ports::RoomListItem& item : *rooms) {
            after = item.room.id;
            if (item.room.member_count > x_parts.settings.presence_room_max) continue;
            protocol::log::TransientRecord record{
                .node = x_node,
                .kind = static_cast<std::uint8_t>(service::Transient::Kind::frame),
                .dialect = static_cast<std::uint8_t>(chat::Dialect::v1),
                .room_id = item.room.id,
                .user_id = {},
                .payload = {}};
            protocol::v1::append_presence(record.payload, item.room.id, user, false, last_seen_at);
            messages.push_back({protocol::log::room_channel(item.room.id),
                                protocol::log::Codec::encode(record)});
        }
        x_bus.publish(std::move(messages));
        told += rooms->size();
        if (rooms->size() < kRoomsPage || told >= kRoomsOfUser) co_return;
    }
}

} // namespace

std::unique_ptr<Worker> make_heartbeat_worker(const WorkerParts& parts) {
    return std::make_unique<HeartbeatWorker>(parts);
}

} // namespace parley::app
