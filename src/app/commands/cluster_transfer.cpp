#include "app/commands/cluster_transfer.hpp"

#include "adapters/postgres/bulk_rows.hpp"
#include "adapters/postgres/layout.hpp"
#include "adapters/postgres/migrations.hpp"
#include "adapters/sqlite/migrations.hpp"
#include "adapters/sqlite/offline.hpp"
#include "adapters/sqlite/transfer_format.hpp"
#include "app/cluster_parts.hpp"
#include "base/move_limits.hpp"
#include "model/bucket.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>

namespace parley::app {
namespace {

namespace fs = std::filesystem;
using postgres::BulkColumn, postgres::BulkInsert, postgres::BulkRow;
using sqlite::CarriedTable, sqlite::Form;

// Where the tables of a server are in a cluster.
enum class Place : std::uint8_t { directory, shards, nowhere };

Place place_of(std::string_view table) {
    for (const std::string_view of_server :
         {"users", "room_words", "erasures", "media", "media_rooms"})
        if (table == of_server) return Place::directory;
    for (const std::string_view of_room : {"rooms", "members", "messages", "events", "reactions",
                                           "paced_posts", "read_marks", "held_messages"})
        if (table == of_room) return Place::shards;
    return Place::nowhere;
}

bool is_carried(const CarriedTable& table) { return table.condition(sqlite::Scope::server); }

std::vector<BulkColumn> columns_of(const CarriedTable& table) {
    std::vector<BulkColumn> columns;
    for (const sqlite::Column& column : table.columns)
        columns.push_back({column.name, column.form == Form::text});
    return columns;
}

std::string names_of(const CarriedTable& table) {
    std::string names;
    for (const sqlite::Column& column : table.columns)
        names += (names.empty() ? "" : ", ") + std::string(column.name);
    return names;
}

std::size_t index_of(const CarriedTable& table, std::string_view name) {
    const auto at = std::ranges::find_if(
        table.columns, [&](const sqlite::Column& column) { return column.name == name; });
    return static_cast<std::size_t>(at - table.columns.begin());
}

std::size_t room_column(const CarriedTable& table) {
    return index_of(table, std::string_view(table.table) == "rooms" ? "id" : "room_id");
}

// All databases of the cluster, each in a transaction of its own.
class Databases {
public:
    explicit Databases(const Settings& settings)
        : directory(settings.cluster.directory_db, kPatience) {
        postgres::check_schema(directory, postgres::kDirectorySteps);
        layout = postgres::read_layout(directory);
        check_shards(settings, layout);
        for (const std::string& target : shard_targets(settings)) {
            shards.push_back(std::make_unique<postgres::Connection>(target, kPatience));
            postgres::check_schema(*shards.back(), postgres::kShardSteps);
        }
    }
    static constexpr auto kPatience = limits::kMoveCallTimeout;
    postgres::Connection directory;
    postgres::Layout layout;
    std::vector<std::unique_ptr<postgres::Connection>> shards;
};

// --- out of a cluster

class Gathering {
public:
    Gathering(sqlite::Database& database, Console& console)
        : x_database(database), x_console(console) {}

    void table(postgres::Connection& from, const CarriedTable& table) {
        std::string places;
        for (std::size_t i = 0; i < table.columns.size(); ++i) places += i > 0 ? ", ?" : "?";
        const char* const sql = x_statements
                                    .emplace_back("INSERT INTO " + std::string(table.table) + " (" +
                                                  names_of(table) + ") VALUES (" + places + ")")
                                    .c_str();
        postgres::read_table(from, table.table, columns_of(table), table.order,
                             [&](const BulkRow& row) {
                                 auto query = x_database.query(sql);
                                 for (std::size_t i = 0; i < row.size(); ++i)
                                     query.bind_at(static_cast<int>(i) + 1, row[i]);
                                 query.run();
                                 x_console.progress("rows read", ++x_rows, 0);
                             });
    }

private:
    sqlite::Database& x_database;
    Console& x_console;
    std::deque<std::string> x_statements; // the connection knows them by their address
    std::uint64_t x_rows = 0;
};

// --- into one

void refuse_what_runs(postgres::Connection& directory) {
    const auto rows = directory.query(
        "SELECT node FROM layout_readers WHERE "
        "seen_at > clock_timestamp() - make_interval(secs => $1::bigint) ORDER BY node LIMIT 1",
        postgres::Params(std::chrono::seconds(limits::kLayoutDead).count()));
    if (!rows.empty())
        throw std::runtime_error(rows.front().string(0) + " runs: stop all roles first (one that "
                                                          "was killed counts for a minute)");
}

void refuse_what_is_there(Databases& databases) {
    refuse_what_runs(databases.directory);
    if (!databases.directory.query("SELECT 1 FROM users LIMIT 1").empty())
        throw std::runtime_error(
            "the cluster has accounts: a server's file goes into an empty one");
    for (const auto& shard : databases.shards)
        if (!shard->query("SELECT 1 FROM rooms LIMIT 1").empty())
            throw std::runtime_error("a shard has rooms: a server's file goes into an empty "
                                     "cluster; make the databases anew and run parley migrate");
}

// Whose rows come from the file, and where they go.
class Filling {
public:
    Filling(sqlite::Database& file, Databases& databases, Console& console)
        : x_file(file), x_databases(databases), x_console(console) {}

    void table(const CarriedTable& table) {
        const Place place = place_of(table.table);
        const bool rooms = std::string_view(table.table) == "rooms";
        std::vector<BulkColumn> columns = columns_of(table);
        if (rooms) columns.push_back({"bucket"});
        std::vector<std::unique_ptr<BulkInsert>> inserts;
        if (place == Place::shards)
            for (const auto& shard : x_databases.shards)
                inserts.push_back(std::make_unique<BulkInsert>(*shard, table.table, columns));
        else if (place == Place::directory)
            inserts.push_back(
                std::make_unique<BulkInsert>(x_databases.directory, table.table, columns));
        const char* const sql =
            x_statements
                .emplace_back("SELECT " + names_of(table) + " FROM " + std::string(table.table) +
                              " ORDER BY " + table.order)
                .c_str();
        auto query = x_file.query(sql);
        while (query.row()) {
            if (place == Place::nowhere)
                throw std::runtime_error("the file has lines of kind " + std::string(table.kind) +
                                         ", for which a cluster has no place");
            BulkRow row = row_of(query, table);
            std::size_t to = 0;
            if (place == Place::shards) {
                const model::RoomId room{std::get<std::int64_t>(row.at(room_column(table)))};
                to = x_databases.layout.shard_of(room);
                if (rooms) row.emplace_back(std::int64_t{model::bucket_of(room)});
            }
            inserts[to]->add(std::move(row));
            x_console.progress("rows written", ++x_rows, 0);
        }
        for (const auto& insert : inserts) insert->flush();
    }

    // Names and pairs are claimed in the directory.
    void claims() {
        BulkInsert names(x_databases.directory, "name_claims",
                         {{"key", true}, {"room_id"}, {"claimed_at"}});
        BulkInsert pairs(x_databases.directory, "dm_claims", {{"low"}, {"high"}, {"room_id"}});
        auto query = x_file.query("SELECT kind, name_key, id, created_at, dm_low, dm_high FROM "
                                  "rooms WHERE deleted = 0 ORDER BY id");
        while (query.row()) {
            if (query.integer(0) == static_cast<std::int64_t>(model::RoomKind::group))
                names.add({query.string(1), query.integer(2), query.integer(3)});
            else if (!query.is_null(4) && !query.is_null(5))
                pairs.add({query.integer(4), query.integer(5), query.integer(2)});
        }
        names.flush();
        pairs.flush();
    }

    // No id that is given out from now on is below one that came.
    void positions() {
        const std::int64_t last =
            x_file.pragma("SELECT value FROM meta WHERE key = 'last_event_id'");
        for (std::size_t p = 0; p < x_databases.layout.partitions(); ++p)
            x_databases.shards[x_databases.layout.shard_of_partition[p]]->query(
                "INSERT INTO partitions (partition, generation, next_offset, last_id) VALUES "
                "($1, 1, 0, $2) ON CONFLICT (partition) DO UPDATE SET generation = "
                "partitions.generation + 1, last_id = greatest(partitions.last_id, $2)",
                postgres::Params(p, last));
    }

private:
    static BulkRow row_of(const sqlite::Query& query, const CarriedTable& table) {
        BulkRow row;
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const int at = static_cast<int>(i);
            if (query.is_null(at))
                row.emplace_back();
            else if (table.columns[i].form == Form::text)
                row.emplace_back(query.string(at));
            else
                row.emplace_back(query.integer(at));
        }
        return row;
    }

    sqlite::Database& x_file;
    Databases& x_databases;
    Console& x_console;
    std::deque<std::string> x_statements; // the connection knows them by their address
    std::uint64_t x_rows = 0;
};

} // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "parley-transfer-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error(name + " cannot be made");
    x_path = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(x_path, ignored);
}

void gather_cluster(const Settings& settings, const fs::path& data, Console& console) {
    Databases databases(settings);
    sqlite::Database file(sqlite::database_file(data), sqlite::Database::Mode::writer);
    sqlite::migrate(file);
    file.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
    // The directory last: whoever is named in a shard has an account by then.
    std::int64_t last = 0;
    for (const auto& shard : databases.shards) {
        shard->begin_snapshot();
        last = std::max(
            last,
            shard->query("SELECT coalesce(max(last_id), 0) FROM partitions").front().integer(0));
    }
    databases.directory.begin_snapshot();
    Gathering gathering(file, console);
    for (const CarriedTable& table : sqlite::carried_tables()) {
        if (!is_carried(table)) continue;
        if (place_of(table.table) == Place::directory)
            gathering.table(databases.directory, table);
        else if (place_of(table.table) == Place::shards)
            for (const auto& shard : databases.shards) gathering.table(*shard, table);
    }
    file.query("UPDATE meta SET value = ? WHERE key = 'last_event_id'").bind(last).run();
    file.execute("COMMIT");
    console.end_progress();
}

void fill_cluster(const Settings& settings, const fs::path& data, Console& console) {
    Databases databases(settings);
    refuse_what_is_there(databases);
    const auto file = sqlite::open_to_read(data);
    databases.directory.begin();
    for (const auto& shard : databases.shards) shard->begin();
    Filling filling(*file, databases, console);
    for (const CarriedTable& table : sqlite::carried_tables())
        if (is_carried(table)) filling.table(table);
    filling.claims();
    filling.positions();
    for (const auto& shard : databases.shards) shard->commit();
    databases.directory.commit();
    console.end_progress();
}

} // namespace parley::app
