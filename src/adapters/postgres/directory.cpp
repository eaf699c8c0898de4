#include "adapters/postgres/directory.hpp"

#include "adapters/postgres/erasures.hpp"
#include "adapters/postgres/media_catalog.hpp"
#include "adapters/postgres/migrations.hpp"
#include "adapters/postgres/name_registry.hpp"
#include "adapters/postgres/node_lease.hpp"
#include "adapters/postgres/released_media.hpp"
#include "adapters/postgres/room_words.hpp"
#include "adapters/postgres/sessions.hpp"
#include "adapters/postgres/users.hpp"
#include "base/assert.hpp"

#include <array>
#include <optional>
#include <utility>

namespace parley::postgres {
namespace {

Layout prepare(const DirectorySettings& settings) {
    Connection database(settings.target);
    migrate(database, kDirectorySteps);
    return load_layout(database, settings.partitions, settings.shards);
}

// No id that any process has given to a user or a session is above it, also where this one's clock
// is behind the others'.
std::int64_t greatest_id(const std::string& target) {
    Connection database(target);
    return database
        .query("SELECT greatest((SELECT coalesce(max(id), 0) FROM users), "
               "(SELECT coalesce(max(id), 0) FROM sessions), "
               "(SELECT coalesce(max(id), 0) FROM media))")
        .front()
        .integer(0);
}

} // namespace

struct Directory::Parts {
    Parts(const DirectorySettings& settings, const ports::Clock& clock,
          ports::Entropy& randomness, Logger& logger, Metrics& metrics)
        : target(settings.target),
          entropy(randomness),
          layout(prepare(settings)),
          lease(std::make_unique<Connection>(target), settings.node, entropy, logger, metrics),
          ids(lease.number(), std::max(lease.first_id(), greatest_id(target)),
              [this] { return lease.held(); }),
          pool("directory", target, metrics, limits::kDirectoryConnections),
          users(pool, settings.node, ids, clock),
          sessions(pool, ids),
          words(pool),
          names(pool),
          media(pool, ids) {}

    const std::string target;
    ports::Entropy& entropy;
    const Layout layout;
    NodeLease lease;
    IdSource ids;
    Pool pool;
    Users users;
    Sessions sessions;
    RoomWords words;
    Names names;
    MediaRecords media;
    std::optional<Erasures> erasures;
    std::optional<Released> released;
    bool stopped = false;
};

Directory::Directory(const DirectorySettings& settings, const ports::Clock& clock,
                     ports::Entropy& entropy, Logger& logger, Metrics& metrics)
    : x_parts(std::make_unique<Parts>(settings, clock, entropy, logger, metrics)) {}

Directory::~Directory() { stop(); }

void Directory::use_shards(std::vector<Pool*> shards,
                           std::function<std::size_t(model::RoomId)> shard_of) {
    PARLEY_ASSERT(!x_parts->erasures);
    x_parts->released.emplace(x_parts->pool, shards);
    x_parts->erasures.emplace(x_parts->pool, std::move(shards), std::move(shard_of));
}

void Directory::start(std::function<void()> on_lost_number) {
    x_parts->lease.start([this] { return x_parts->ids.last(); }, std::move(on_lost_number));
}

void Directory::stop() {
    if (std::exchange(x_parts->stopped, true)) return;
    x_parts->pool.stop();
    x_parts->lease.stop();
}

std::string Directory::secret(std::string_view name) {
    std::array<std::byte, 32> fresh{};
    x_parts->entropy.fill(fresh);
    const std::string_view bytes(reinterpret_cast<const char*>(fresh.data()), fresh.size());
    Connection database(x_parts->target);
    database.query("INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                   Params(name, Blob{bytes}));
    const Rows rows = database.query("SELECT value FROM secrets WHERE name = $1", Params(name));
    if (rows.empty()) throw DatabaseError(Errc::internal, "a secret of the directory is gone");
    return rows.front().string(0);
}

const Layout& Directory::layout() const { return x_parts->layout; }
IdSource& Directory::ids() { return x_parts->ids; }
std::uint16_t Directory::node_number() const { return x_parts->lease.number(); }
ports::UserStore& Directory::users() { return x_parts->users; }
ports::SessionStore& Directory::sessions() { return x_parts->sessions; }
ports::WordStore& Directory::words() { return x_parts->words; }
ports::NameRegistry& Directory::names() { return x_parts->names; }
UserNames& Directory::user_names() { return x_parts->users; }

ports::ErasureStore& Directory::erasures() {
    PARLEY_ASSERT(x_parts->erasures);
    return *x_parts->erasures;
}

ports::MediaCatalog& Directory::media() { return x_parts->media; }

ports::ReleasedMedia& Directory::released_media() {
    PARLEY_ASSERT(x_parts->released);
    return *x_parts->released;
}

Task<Result<std::size_t>> Directory::settle_node(std::string node) {
    return x_parts->users.settle_node(std::move(node));
}

} // namespace parley::postgres
