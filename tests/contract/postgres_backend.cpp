#include "tests/contract/postgres_backend.hpp"

#include "adapters/memory/log.hpp"
#include "adapters/postgres/erasures.hpp"
#include "adapters/postgres/held.hpp"
#include "adapters/postgres/history.hpp"
#include "adapters/postgres/media_catalog.hpp"
#include "adapters/postgres/migrations.hpp"
#include "adapters/postgres/released_media.hpp"
#include "adapters/postgres/retention.hpp"
#include "adapters/postgres/room_directory.hpp"
#include "adapters/postgres/sessions.hpp"
#include "adapters/postgres/shard_store.hpp"
#include "adapters/postgres/users.hpp"
#include "ingest/partition_store.hpp"
#include "tests/support/postgres_server.hpp"

#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

namespace parley::contract {
namespace {

using namespace std::chrono_literals;
using postgres::Connection;
using postgres::Pool;

constexpr std::size_t kShards = 2;

// Every second bucket, so that rooms are in both.
std::vector<std::uint16_t> shard_of_bucket() {
    std::vector<std::uint16_t> shards;
    for (std::uint32_t bucket = 0; bucket < limits::kBuckets; ++bucket)
        shards.push_back(static_cast<std::uint16_t>(bucket % kShards));
    return shards;
}

// Made once for the whole program; each backend begins with empty tables.
struct Databases {
    Databases() {
        directory = make("directory", postgres::kDirectorySteps);
        for (std::string& shard : shards) shard = make("shard", postgres::kShardSteps);
    }
    static std::string make(const std::string& name, const postgres::Schema& schema) {
        std::string target = test::PostgresServer::instance().make_database(name);
        Connection connection(target);
        postgres::migrate(connection, schema);
        return target;
    }
    void clear() const {
        clear(directory);
        for (const std::string& shard : shards) clear(shard);
    }
    static void clear(const std::string& target) {
        Connection connection(target);
        std::string tables;
        for (const auto row : connection.query("SELECT tablename::text FROM pg_tables WHERE "
                                               "schemaname = 'public' AND "
                                               "tablename <> 'schema_version'"))
            tables += (tables.empty() ? "" : ", ") + row.string(0);
        connection.script("TRUNCATE " + tables, 30s);
    }
    std::string directory;
    std::array<std::string, kShards> shards;
};

const Databases& databases() {
    static const Databases made;
    return made;
}

// One shard with a sequencer's memory in front of it.
class ShardOfWorker {
public:
    ShardOfWorker(const std::string& target, ports::Partition partition)
        : x_store(target),
          x_partition(partition),
          x_position(x_store.take_over(partition).value()),
          x_memory(x_store, x_position.last_id, x_store.newest_nonce().value()) {}

    ingest::PartitionStore& memory() { return x_memory; }
    Result<void> write() {
        auto events = x_memory.take_unstored();
        if (events.empty()) return {};
        ++x_position.next_offset;
        x_position.last_id = events.back().event().id;
        const ports::ShardBatch batch{x_partition, x_position, std::move(events)};
        PARLEY_TRY(const bool written, x_store.write(batch));
        if (!written) return Error(Errc::internal, "fenced");
        x_memory.note_stored(batch.events);
        return {};
    }

private:
    postgres::ShardStore x_store;
    const ports::Partition x_partition;
    ports::PartitionPosition x_position;
    ingest::PartitionStore x_memory;
};

class Events final : public ports::EventStore {
public:
    explicit Events(const postgres::ShardMap& map)
        : x_map(map), x_directory(databases().directory) {
        for (std::size_t i = 0; i < kShards; ++i)
            x_shards.push_back(std::make_unique<ShardOfWorker>(
                databases().shards[i], static_cast<ports::Partition>(i)));
    }

    Result<void> begin() override {
        for (auto& shard : x_shards) PARLEY_CHECK(shard->memory().begin());
        return {};
    }
    Result<void> put(const model::Sequenced& sequenced) override {
        return of(sequenced.event().room_id).put(sequenced);
    }
    Result<void> commit() override {
        for (auto& shard : x_shards) PARLEY_CHECK(shard->write());
        return {};
    }
    void rollback() override {}
    Result<model::EventId> last_id() override {
        model::EventId last;
        for (auto& shard : x_shards) last = std::max(last, shard->memory().last_id().value());
        return last;
    }
    Result<std::optional<ports::StoredRoom>> room(model::RoomId room) override {
        return of(room).room(room);
    }
    Result<std::optional<model::Role>> role(model::RoomId room, model::UserId user) override {
        return of(room).role(room, user);
    }
    Result<std::optional<ports::StoredNonce>> nonce(model::RoomId room, model::UserId user,
                                                    std::string_view nonce) override {
        return of(room).nonce(room, user, nonce);
    }
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override {
        return of(room).message(room, message);
    }
    Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) override {
        return of(room).paced_at(room, user);
    }
    Result<ReactionFacts> reaction(model::RoomId room, model::MessageId message, model::UserId user,
                                   std::string_view emoji) override {
        return of(room).reaction(room, message, user, emoji);
    }
    Result<std::optional<model::RoomId>> room_by_name_key(std::string_view) override {
        return std::optional<model::RoomId>{};
    }
    Result<std::optional<model::RoomId>> dm_of(model::UserId, model::UserId) override {
        return std::optional<model::RoomId>{};
    }
    Result<bool> user_exists(model::UserId user) override {
        return !x_directory
                    .query("SELECT 1 FROM users WHERE id = $1 AND NOT EXISTS "
                           "(SELECT 1 FROM erasures WHERE user_id = $1)",
                           postgres::Params(user))
                    .empty();
    }

private:
    ingest::PartitionStore& of(model::RoomId room) {
        return x_shards[x_map.index_of(room)]->memory();
    }
    const postgres::ShardMap& x_map;
    Connection x_directory;
    std::vector<std::unique_ptr<ShardOfWorker>> x_shards;
};

class PostgresBackend final : public Backend {
public:
    explicit PostgresBackend(const ports::Clock& clock) : x_clock(clock) {
        databases().clear();
        x_house.emplace(x_clock);
    }
    ~PostgresBackend() override { stop(); }

    ports::EventStore& events() override { return x_house->events; }
    void start(ports::BatchRunner runner, ports::OutcomeSink& sink) override {
        x_log = std::make_unique<memory::Log>(std::move(runner), sink);
    }
    void stop() override {
        if (x_log) x_log->stop();
    }
    void reopen() override {
        x_log.reset();
        x_house.reset();
        x_house.emplace(x_clock);
    }
    ports::RoomLog& log() override { return *x_log; }
    ports::History& history() override { return x_house->history; }
    ports::RoomDirectory& rooms() override { return x_house->rooms; }
    ports::UserStore& users() override { return x_house->users; }
    ports::SessionStore& sessions() override { return x_house->sessions; }
    ports::HeldStore& held() override { return x_house->held; }
    ports::ErasureStore& erasures() override { return x_house->erasures; }
    ports::RetentionStore& retention() override { return x_house->retention; }
    ports::MediaCatalog* media() override { return &x_house->media; }
    ports::ReleasedMedia* released() override { return &x_house->released; }

private:
    struct House {
        explicit House(const ports::Clock& clock) : users(directory, "node", ids, clock) {}

        Metrics metrics;
        // As the directory does: above what was given out before.
        postgres::IdSource ids{700, Connection(databases().directory)
                                        .query("SELECT coalesce(max(id), 0) FROM users")
                                        .front()
                                        .integer(0)};
        Pool directory{"directory", databases().directory, metrics, 2};
        Pool first{"shard0", databases().shards[0], metrics, 2};
        Pool second{"shard1", databases().shards[1], metrics, 2};
        postgres::ShardMap map{{&first, &second}, shard_of_bucket()};
        postgres::Users users;
        postgres::Sessions sessions{directory, ids};
        postgres::History history{map};
        postgres::RoomDirectory rooms{map, users};
        postgres::Held held{map, ids, metrics};
        postgres::Retention retention{map};
        postgres::Erasures erasures{directory, {&first, &second}, [this](model::RoomId room) {
                                        return map.index_of(room);
                                    }};
        postgres::MediaRecords media{directory, ids};
        postgres::Released released{directory, {&first, &second}};
        Events events{map};
    };

    const ports::Clock& x_clock;
    std::optional<House> x_house;
    std::unique_ptr<memory::Log> x_log;
};

} // namespace

std::unique_ptr<Backend> make_postgres(const ports::Clock& clock) {
    return std::make_unique<PostgresBackend>(clock);
}

} // namespace parley::contract
