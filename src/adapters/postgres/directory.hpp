// Directory: everything of the cluster that belongs to no room, in one PostgreSQL database of its
// own: users, sessions, word lists, names, erasure jobs; and what processes must agree on: the
// layout, the numbers of nodes, secrets.
//
// Made in the order: Directory (with the layout), then the shards by its layout, then use_shards().
//
// Threads: the pool's (limits::kDirectoryConnections), one that renews the node's number.
// Threading: the ports say which calls may come from any core; the rest belongs to the owner's
// thread. Owner: app/wiring. Shutdown: stop() lets queued calls finish and gives the node's number
// back: after everything that makes ids. The clock, the entropy, the log and the metrics must live
// longer, the shards' pools until stop().
#pragma once

#include "adapters/postgres/id_source.hpp"
#include "adapters/postgres/layout.hpp"
#include "adapters/postgres/pool.hpp"
#include "adapters/postgres/user_names.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/entropy.hpp"
#include "ports/erasure_store.hpp"
#include "ports/media_catalog.hpp"
#include "ports/name_registry.hpp"
#include "ports/user_store.hpp"
#include "ports/word_store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace parley::postgres {

struct DirectorySettings {
    std::string target; // libpq's; may hold a password
    std::string node;   // of this process, unlike that of every other one that lives
    // For the first start of all; later the directory knows better.
    std::uint32_t partitions = 8;
    std::uint16_t shards = 1;
};

class Directory {
public:
    // Brings the database to the present shape and takes a number for this process. Throws
    // DatabaseError: the database is away, of a newer program, or all numbers are taken.
    Directory(const DirectorySettings& settings, const ports::Clock& clock,
              ports::Entropy& entropy, Logger& logger, Metrics& metrics);
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    // Once. `shards` in the order of the layout; `shard_of`: of now.
    void use_shards(std::vector<Pool*> shards,
                    std::function<std::size_t(model::RoomId)> shard_of);
    // Once. Called on the lease's thread when this process is losing its number: it should end, and
    // gives no ids after limits::kNodeLeaseMargin (unavailable).
    void start(std::function<void()> on_lost_number);
    void stop();

    const Layout& layout() const; // as it was at the start
    IdSource& ids();
    std::uint16_t node_number() const;
    // Made by the first process that asks, the same for all. 32 bytes. Throws DatabaseError.
    std::string secret(std::string_view name);

    ports::UserStore& users();
    ports::SessionStore& sessions();
    ports::WordStore& words();
    ports::NameRegistry& names();
    ports::ErasureStore& erasures(); // after use_shards()
    ports::MediaCatalog& media();
    ports::ReleasedMedia& released_media(); // after use_shards()
    UserNames& user_names();
    // Who was online on a node that is dead was last seen when that was last alive. Answers how
    // many those are.
    Task<Result<std::size_t>> settle_node(std::string node);

private:
    struct Parts;
    std::unique_ptr<Parts> x_parts;
};

} // namespace parley::postgres
