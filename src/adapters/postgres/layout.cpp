#include "adapters/postgres/layout.hpp"

#include "adapters/postgres/locks.hpp"
#include "base/assert.hpp"
#include "base/cluster_limits.hpp"
#include "model/bucket.hpp"

namespace parley::postgres {
namespace {

void fill(Connection& database, std::uint32_t partitions, std::uint16_t shards) {
    database.query("INSERT INTO shards (shard) SELECT generate_series(0, $1::int - 1)",
                   Params(shards));
    database.query("INSERT INTO partitions (partition, shard) SELECT p, p % $2::int FROM "
                   "generate_series(0, $1::int - 1) AS p",
                   Params(partitions, shards));
    database.query("INSERT INTO buckets (bucket, partition) SELECT b, b % $2::int FROM "
                   "generate_series(0, $1::int - 1) AS b",
                   Params(limits::kBuckets, partitions));
}

[[noreturn]] void fail(const std::string& what) {
    throw DatabaseError(Errc::internal, "the directory's layout is broken: " + what);
}

// The numbers of a table must be 0, 1, 2, ..., their values below `bound`.
template <class Value>
std::vector<Value> column(const Rows& rows, std::size_t bound, const char* table) {
    std::vector<Value> values;
    for (const Row row : rows) {
        if (row.integer(0) != static_cast<std::int64_t>(values.size()))
            fail(std::string(table) + " has a gap before " + std::to_string(row.integer(0)));
        if (row.integer(1) < 0 || row.integer(1) >= static_cast<std::int64_t>(bound))
            fail(std::string(table) + " names " + std::to_string(row.integer(1)) +
                 ", which there is not");
        values.push_back(static_cast<Value>(row.integer(1)));
    }
    return values;
}

} // namespace

Layout read_layout(Connection& database) {
    Layout layout;
    layout.epoch = database.query("SELECT epoch FROM layout_epoch").front().integer(0);
    const Rows shards = database.query("SELECT count(*) FROM shards");
    layout.shards = static_cast<std::size_t>(shards.front().integer(0));
    const Rows partitions =
        database.query("SELECT partition, shard FROM partitions ORDER BY partition");
    layout.shard_of_partition =
        column<std::uint16_t>(partitions, layout.shards, "the table of partitions");
    const Rows buckets =
        database.query("SELECT bucket, partition FROM buckets ORDER BY bucket");
    layout.partition_of_bucket =
        column<std::uint32_t>(buckets, partitions.size(), "the table of buckets");
    if (layout.partition_of_bucket.size() != limits::kBuckets)
        fail("there are " + std::to_string(layout.partition_of_bucket.size()) + " buckets");
    return layout;
}

std::size_t add_shards(Connection& database, std::uint16_t shards) {
    PARLEY_ASSERT(shards >= 1 && shards <= limits::kShards);
    const Rows added = database.query("INSERT INTO shards (shard) SELECT generate_series(0, "
                                      "$1::int - 1) ON CONFLICT DO NOTHING",
                                      Params(shards));
    return static_cast<std::size_t>(added.changes());
}

std::uint32_t Layout::partition_of(model::RoomId room) const {
    return partition_of_bucket[model::bucket_of(room)];
}

std::vector<std::uint16_t> Layout::shard_of_bucket() const {
    std::vector<std::uint16_t> shards_of;
    for (const std::uint32_t partition : partition_of_bucket)
        shards_of.push_back(shard_of_partition[partition]);
    return shards_of;
}

Layout load_layout(Connection& database, std::uint32_t partitions, std::uint16_t shards) {
    PARLEY_ASSERT(partitions >= 1 && partitions <= limits::kPartitionsMax);
    PARLEY_ASSERT(shards >= 1 && shards <= limits::kShards);
    Transaction transaction(database);
    lock(database, Lock::layout);
    if (database.query("SELECT 1 FROM shards LIMIT 1").empty())
        fill(database, partitions, shards);
    Layout layout = read_layout(database);
    transaction.commit();
    return layout;
}

} // namespace parley::postgres
