// A front process of a cluster: the log is Kafka's, its outcomes come over Redis, what is read
// stands in PostgreSQL.
#include "adapters/kafka/ends.hpp"
#include "adapters/kafka/producer.hpp"
#include "adapters/kafka/reserve.hpp"
#include "adapters/kafka/topic.hpp"
#include "adapters/postgres/heads.hpp"
#include "adapters/postgres/held.hpp"
#include "adapters/postgres/history.hpp"
#include "adapters/postgres/layout_watch.hpp"
#include "adapters/postgres/retention.hpp"
#include "adapters/postgres/room_directory.hpp"
#include "adapters/postgres/shard_store.hpp"
#include "adapters/redis/bus.hpp"
#include "adapters/redis/presence_board.hpp"
#include "adapters/s3/object_store.hpp"
#include "app/cluster_parts.hpp"
#include "app/storage.hpp"
#include "cluster/board_presence.hpp"
#include "cluster/bus_follower.hpp"
#include "cluster/caught_up.hpp"
#include "cluster/fresh_reads.hpp"
#include "cluster/remote_log.hpp"

#include <csignal>

namespace parley::app {
namespace {

// "parley" and a number: locks of the directory's database.
constexpr std::int64_t kLeaderLock = 0x7061726c65791, kFilesLeaderLock = 0x7061726c65792;

class ClusterStorage final : public Storage {
public:
    explicit ClusterStorage(const StorageParts& parts);

    std::string node_name() const override { return x_node; }
    std::string secret() override { return x_directory.secret("tokens"); }
    void start(ports::OutcomeSink& sink) override;
    OnCore on_core(Core& core) override;
    void meet(std::vector<service::Rooms*> rooms) override;

    ports::RoomLog& log() override { return *x_log; }
    ports::UserStore& users() override { return x_directory.users(); }
    ports::SessionStore& sessions() override { return x_directory.sessions(); }
    ports::WordStore& words() override { return x_directory.words(); }
    ports::HeldStore& held() override { return x_held; }
    ports::ErasureStore& erasures() override { return *x_erasures; }
    ports::RetentionStore& retention() override { return x_retention; }
    ports::MediaCatalog* media() override { return &x_directory.media(); }
    ports::ReleasedMedia* released_media() override { return x_released.get(); }
    ports::ObjectStore* objects() override { return x_objects.get(); }
    service::RoomFeed* feed() override { return &x_follower; }
    service::PresenceShare* presence() override { return &x_presence; }

    void tell_ended(model::SessionId session) override { x_follower.tell_ended(session); }
    void on_ended(std::function<void(model::SessionId)> listener) override {
        x_follower.on_ended(std::move(listener));
    }
    std::vector<Work> chores() override;
    Task<bool> leads(Duty duty) override;
    std::vector<std::string> what_is_missing() const override;
    Task<void> close() override;
    void stop() override;

private:
    // What reads of one core go through.
    struct Reads {
        Reads(ClusterStorage& storage, Core& core);
        cluster::CaughtUp caught_up;
        cluster::FreshHistory history;
        cluster::FreshDirectory rooms;
    };
    Task<Result<std::vector<cluster::StoredPosition>>> positions(std::size_t shard);
    Task<Result<std::vector<model::EventId>>> heads(std::vector<model::RoomId> rooms);
    Task<std::chrono::milliseconds> prepare_objects();
    std::function<ports::Partition(model::RoomId)> partition_of() const;

    const StorageParts x_parts;
    const std::string x_node;
    postgres::Directory x_directory;
    Shards x_shards;
    postgres::LayoutWatch x_watch;
    postgres::Pool x_leader; // one connection, which holds the lock of who leads
    postgres::History x_history;
    postgres::RoomDirectory x_rooms;
    postgres::Held x_held;
    postgres::Retention x_retention;
    kafka::Producer x_producer;
    kafka::Ends x_ends;
    kafka::Reserve x_reserve;
    redis::Bus x_bus;
    redis::PresenceBoard x_board;
    cluster::PendingAnswers x_pending;
    cluster::BoardPresence x_presence;
    cluster::BusFollower x_follower;
    std::unique_ptr<cluster::RemoteLog> x_log;
    std::vector<std::unique_ptr<Reads>> x_reads;
    std::unique_ptr<cluster::FreshErasures> x_erasures; // on the first core
    std::unique_ptr<cluster::FreshReleased> x_released; // on the first core
    std::unique_ptr<s3::ObjectStore> x_objects;         // null: no files are served
    bool x_objects_ready = false;                       // on the first core
    std::vector<Core*> x_cores;
    ports::OutcomeSink* x_sink = nullptr;
};

ClusterStorage::ClusterStorage(const StorageParts& parts)
    : x_parts(parts),
      x_node(cluster_node_name(parts.settings, "front")),
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
      x_leader("leader", parts.settings.cluster.directory_db, parts.metrics, 1),
      x_history(x_shards.map()),
      x_rooms(x_shards.map(), x_directory.user_names()),
      x_held(x_shards.map(), x_directory.ids(), parts.metrics),
      x_retention(x_shards.map()),
      x_producer(kafka_settings(parts.settings), parts.metrics, parts.log),
      x_ends(kafka_settings(parts.settings),
             static_cast<ports::Partition>(x_directory.layout().partitions()), parts.metrics,
             parts.log),
      x_reserve({.client = kafka_settings(parts.settings),
                 .partitions = static_cast<ports::Partition>(x_directory.layout().partitions())},
                parts.metrics, parts.log),
      x_bus(redis_settings(parts.settings), parts.metrics, parts.log),
      x_board(redis_settings(parts.settings), parts.metrics, parts.log),
      x_pending(parts.entropy, parts.metrics),
      x_presence(x_node, x_board),
      x_follower(
          x_node, x_bus, x_pending,
          [this](std::vector<model::RoomId> rooms) { return heads(std::move(rooms)); }, parts.log,
          parts.metrics) {
    x_directory.use_shards(x_shards.pools(), x_shards.shard_of_room());
    if (!parts.settings.files.s3_endpoint.empty())
        x_objects = std::make_unique<s3::ObjectStore>(s3_settings(parts.settings), parts.clock,
                                                      parts.log, parts.metrics);
    kafka::check_topic(kafka_settings(parts.settings),
                       static_cast<ports::Partition>(x_directory.layout().partitions()), parts.log);
}

void ClusterStorage::start(ports::OutcomeSink& sink) {
    x_sink = &sink;
    x_watch.start([this](const postgres::Layout& layout) { return x_shards.follow(layout); });
    x_directory.start([this] {
        x_parts.log.error("the number of this process is lost; it ends");
        std::raise(SIGTERM);
    });
    x_log = std::make_unique<cluster::RemoteLog>(cluster::RemoteLogParts{
        .node = x_node,
        .producer = x_producer,
        .partition_of = partition_of(),
        .next_room_id = [this]() -> Result<model::RoomId> {
            PARLEY_TRY(const std::int64_t id, x_directory.ids().next(x_parts.clock.now()));
            return model::RoomId{id};
        },
        .names = x_directory.names(),
        .directory = [this](std::uint16_t core) -> ports::RoomDirectory& {
            return x_reads[core]->rooms;
        },
        .users = x_directory.users(),
        .clock = x_parts.clock,
        .rates = x_parts.rates,
        .pending = x_pending,
        .sink = sink,
        .metrics = x_parts.metrics,
        .spans = x_parts.spans,
        .is_closed = [this](ports::Partition partition) { return x_reserve.is_short(partition); }});
}

std::function<ports::Partition(model::RoomId)> ClusterStorage::partition_of() const {
    return
        [layout = &x_directory.layout()](model::RoomId room) { return layout->partition_of(room); };
}

Task<Result<std::vector<cluster::StoredPosition>>> ClusterStorage::positions(std::size_t shard) {
    const auto stored = co_await postgres::positions(x_shards.map()[shard]);
    if (!stored) co_return stored.error();
    std::vector<cluster::StoredPosition> positions;
    for (const auto& one : *stored) positions.push_back({one.partition, one.next_offset});
    co_return positions;
}

Task<Result<std::vector<model::EventId>>> ClusterStorage::heads(std::vector<model::RoomId> rooms) {
    co_return co_await postgres::heads(x_shards.map(), std::move(rooms));
}

ClusterStorage::Reads::Reads(ClusterStorage& storage, Core& core)
    : caught_up({.core = core,
                 .ends = storage.x_ends,
                 .partition_of = storage.partition_of(),
                 .partitions = storage.x_directory.layout().partitions(),
                 .shard_of = [&shards = storage.x_shards](
                                 ports::Partition partition) { return shards.shard_of(partition); },
                 .positions = [&storage](std::size_t shard) { return storage.positions(shard); },
                 .clock = storage.x_parts.clock,
                 .metrics = storage.x_parts.metrics}),
      history(storage.x_history, caught_up),
      rooms(storage.x_rooms, caught_up) {}

Storage::OnCore ClusterStorage::on_core(Core& core) {
    x_cores.push_back(&core);
    Reads& reads = *x_reads.emplace_back(std::make_unique<Reads>(*this, core));
    if (!x_erasures) {
        x_erasures =
            std::make_unique<cluster::FreshErasures>(x_directory.erasures(), reads.caught_up);
        x_released =
            std::make_unique<cluster::FreshReleased>(x_directory.released_media(), reads.caught_up);
    }
    return {reads.rooms, reads.history};
}

void ClusterStorage::meet(std::vector<service::Rooms*> rooms) {
    x_log->meet(x_cores);
    x_follower.meet(*x_log, *x_sink, std::move(rooms));
    x_follower.start();
    x_bus.start(x_follower);
}

std::vector<Storage::Work> ClusterStorage::chores() {
    struct Expire {
        static Task<std::chrono::milliseconds> step(cluster::RemoteLog& log) {
            log.expire();
            co_return std::chrono::milliseconds(250);
        }
    };
    std::vector<Work> all{[this] { return x_presence.step(); },
                          [this] { return Expire::step(*x_log); }};
    if (x_objects) all.push_back([this] { return prepare_objects(); });
    return all;
}

// A storage that is down when this process starts is asked again, and one whose clock may differ
// since this machine's was set.
Task<std::chrono::milliseconds> ClusterStorage::prepare_objects() {
    if (x_objects_ready) {
        static_cast<void>(co_await x_objects->look_at_clock()); // fails: asked again
        co_return limits::kStorageLook;
    }
    const auto prepared = co_await x_objects->prepare();
    x_objects_ready = prepared.has_value();
    if (!prepared)
        x_parts.log.warning("the storage of media is not ready",
                            {{"why", std::string_view(prepared.error().detail)}});
    co_return limits::kStorageLook;
}

// While a partition moves, two shards have rows of the same room.
Task<bool> ClusterStorage::leads(Duty duty) {
    if (x_watch.moving()) co_return false;
    const std::int64_t number = duty == Duty::files ? kFilesLeaderLock : kLeaderLock;
    auto asking = x_leader.run([number](postgres::Connection& connection) -> Result<bool> {
        const auto rows = connection.query("SELECT pg_try_advisory_lock($1)::int::bigint",
                                           postgres::Params(number));
        return rows.front().integer(0) == 1;
    });
    const auto held = co_await std::move(asking);
    co_return held && *held;
}

std::vector<std::string> ClusterStorage::what_is_missing() const {
    if (x_bus.connected()) return {};
    return {"the bus cannot be heard; what is missed is read from the store"};
}

Task<void> ClusterStorage::close() {
    co_await x_log->close();
    co_await x_presence.leave();
}

void ClusterStorage::stop() {
    x_producer.stop();
    x_bus.stop();
    x_ends.stop();
    x_reserve.stop();
    x_board.stop();
    if (x_objects) x_objects->stop();
    x_leader.stop();
    x_watch.stop();
    x_shards.stop();
    x_directory.stop();
}

} // namespace

std::unique_ptr<Storage> make_cluster_storage(const StorageParts& parts) {
    return std::make_unique<ClusterStorage>(parts);
}

} // namespace parley::app
