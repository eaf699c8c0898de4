// Moves partitions between the shards of a cluster that runs
// (adapters/postgres/partition_move.hpp).
#include "adapters/postgres/layout.hpp"
#include "adapters/postgres/migrations.hpp"
#include "adapters/postgres/partition_move.hpp"
#include "app/cluster_parts.hpp"
#include "app/commands/command.hpp"
#include "base/move_limits.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <charconv>
#include <set>
#include <sstream>

namespace parley::app {
namespace {

namespace json = boost::json;
using postgres::Move;

constexpr std::int64_t kReshardLock = 0x7061726c65793; // "parley", 3: of the directory's database

std::uint32_t number_in(std::string_view text, std::size_t bound, const char* what) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        throw UsageError("--move takes PARTITION:SHARD, e.g. 3:2, not \"" + std::string(text) +
                         "\"");
    if (number >= bound)
        throw UsageError("there is no " + std::string(what) + " " + std::to_string(number) +
                         "; the last one is " + std::to_string(bound - 1));
    return number;
}

std::vector<Move> moves_of(const std::string& text, const postgres::Layout& layout,
                           std::size_t shards) {
    std::vector<Move> moves;
    std::set<std::uint32_t> named;
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
        const std::size_t colon = part.find(':');
        if (colon == std::string::npos)
            throw UsageError("--move takes PARTITION:SHARD, e.g. 3:2, not \"" + part + "\"");
        const std::string_view whole = part;
        Move move;
        move.partition = number_in(whole.substr(0, colon), layout.partitions(), "partition");
        move.target =
            static_cast<std::uint16_t>(number_in(whole.substr(colon + 1), shards, "shard"));
        move.source = layout.shard_of_partition[move.partition];
        if (!named.insert(move.partition).second)
            throw UsageError("--move names partition " + std::to_string(move.partition) + " twice");
        if (move.source != move.target) moves.push_back(move);
    }
    if (named.empty()) throw UsageError("--move takes PARTITION:SHARD, e.g. 3:2");
    return moves;
}

std::string line_of(const Move& move) {
    return "partition " + std::to_string(move.partition) + ": shard " +
           std::to_string(move.source) + " -> " + std::to_string(move.target) +
           (move.flipped ? " (begun; has only to be removed from the source)" : "");
}

json::object object_of(const Move& move) {
    return {{"partition", move.partition}, {"from", move.source}, {"to", move.target}};
}

// One at a time in a cluster: to the end of the connection.
void lock_alone(postgres::Connection& directory) {
    const auto rows = directory.query("SELECT pg_try_advisory_lock($1)::int::bigint",
                                      postgres::Params(kReshardLock));
    if (rows.front().integer(0) != 1) throw std::runtime_error("another reshard is running");
}

void check_processes(postgres::Connection& directory, std::size_t shards) {
    const auto late = postgres::processes_without(directory, shards);
    if (late.empty()) return;
    throw std::runtime_error(late.front() + (late.size() > 1 ? " and others do" : " does") +
                             " not know all shards: restart with the new shard-dbs first");
}

json::object run_move(postgres::Connection& directory, const std::vector<std::string>& targets,
                      const Move& move, Console& console) {
    console.print(line_of(move) + "\n");
    postgres::PartitionMove moving(
        directory, targets.at(move.source), targets.at(move.target), move,
        [&console](const char* step, std::uint64_t done, std::uint64_t total) {
            console.progress(step, done, total);
        });
    const postgres::MoveReport report = moving.run();
    console.end_progress();
    console.print("  " + std::to_string(report.rows) + " rows, " + std::to_string(report.changed) +
                  " changed meanwhile; stood still for " + std::to_string(report.frozen.count()) +
                  " ms; took " + std::to_string(report.took.count()) + " ms\n");
    json::object done = object_of(move);
    done["rows"] = report.rows;
    done["changed"] = report.changed;
    done["freezes"] = report.freezes;
    done["frozen_ms"] = report.frozen.count();
    done["took_ms"] = report.took.count();
    return done;
}

json::array shards_of(const postgres::Layout& layout, std::size_t shards) {
    json::array all;
    for (std::size_t shard = 0; shard < shards; ++shard) {
        json::array partitions;
        for (std::size_t p = 0; p < layout.partitions(); ++p)
            if (layout.shard_of_partition[p] == shard) partitions.push_back(p);
        all.push_back(json::object{{"shard", shard}, {"partitions", std::move(partitions)}});
    }
    return all;
}

} // namespace

int run_reshard(const Invocation& given, Console& console) {
    const auto targets = shard_targets(given.settings);
    const bool dry_run = given.has("--dry-run");
    postgres::Connection directory(given.settings.cluster.directory_db,
                                   limits::kMoveDirectoryTimeout);
    postgres::check_schema(directory, postgres::kDirectorySteps);
    postgres::Layout layout = postgres::read_layout(directory);
    check_shards(given.settings, layout);
    if (!dry_run) lock_alone(directory);
    const std::vector<Move> begun = postgres::open_moves(directory);
    for (const Move& move : begun) // as it will be when these are done
        layout.shard_of_partition.at(move.partition) = move.target;
    std::vector<Move> moves = begun;
    for (const Move& move : given.has("--move") ? moves_of(given["--move"], layout, targets.size())
                                                : postgres::balance(layout, targets.size()))
        moves.push_back(move);
    json::array done;
    if (dry_run) {
        for (const Move& move : moves) {
            console.print(line_of(move) + "\n");
            done.push_back(object_of(move));
        }
    } else if (!moves.empty()) {
        check_processes(directory, targets.size());
        for (const Move& move : moves) done.push_back(run_move(directory, targets, move, console));
        layout = postgres::read_layout(directory);
    }
    if (moves.empty()) console.print("Every partition is where it should be.\n");
    console.result(json::object{{"dry_run", dry_run},
                                {"moves", std::move(done)},
                                {"shards", shards_of(layout, targets.size())}});
    return kDone;
}

} // namespace parley::app
