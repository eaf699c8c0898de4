#include "adapters/postgres/partition_move.hpp"

#include "adapters/postgres/locks.hpp"
#include "adapters/postgres/partition_tables.hpp"
#include "base/move_limits.hpp"
#include "model/bucket.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <thread>

namespace parley::postgres {
namespace {

using std::chrono::duration_cast, std::chrono::milliseconds;

// Held, shared, by whoever writes while partitions move (see trigger_of), and alone at a freeze.
constexpr std::int64_t kFreezeLock = 0x7061726c65792; // "parley", 2: of a shard's database

std::string number_of(std::size_t value) { return std::to_string(value); }

// Notes the keys of a statement's rows, unless one belongs to a room that stands still.
std::string trigger_of(std::size_t index) {
    const PartitionTable& table = kPartitionTables[index];
    const std::string name = table.name, function = "moving_" + name;
    std::string keys;
    for (const char* key : table.keys) keys += key ? std::string(", c.") + key : ", 0";
    keys += table.text_key ? std::string(", c.") + table.text_key : ", ''";
    std::string sql =
        "CREATE OR REPLACE FUNCTION " + function +
        "() RETURNS trigger LANGUAGE plpgsql AS $moving$ BEGIN PERFORM "
        "pg_advisory_xact_lock_shared(" + std::to_string(kFreezeLock) + "); IF EXISTS (SELECT 1 "
        "FROM changed c JOIN rooms r ON r.id = c." + table.room +
        " JOIN moving_buckets b ON b.bucket = r.bucket WHERE b.frozen_until > clock_timestamp()) "
        "THEN RAISE EXCEPTION 'the room is moving to another shard' USING ERRCODE = '55P03'; "
        "END IF; INSERT INTO changed_rows (tbl, room_id, k1, k2, k3, k4) SELECT " +
        number_of(index) + ", c." + table.room + keys +
        " FROM changed c; RETURN NULL; END $moving$;";
    for (const auto& [event, rows] :
         {std::pair{"INSERT", "NEW"}, std::pair{"UPDATE", "NEW"}, std::pair{"DELETE", "OLD"}}) {
        const std::string trigger = function + "_" + event;
        sql += "DROP TRIGGER IF EXISTS " + trigger + " ON " + name + "; CREATE TRIGGER " + trigger +
               " AFTER " + event + " ON " + name + " REFERENCING " + rows +
               " TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION " + function + "();";
    }
    return sql;
}

std::string no_trigger_of(std::size_t index) {
    return "DROP FUNCTION IF EXISTS moving_" + std::string(kPartitionTables[index].name) +
           "() CASCADE;";
}

// A move reads whole tables: the session's plans by index are not for it.
void plan_freely(Connection& shard) {
    shard.query("SELECT set_config('enable_seqscan', 'on', false), "
                "set_config('enable_bitmapscan', 'on', false), "
                "set_config('enable_hashjoin', 'on', false), "
                "set_config('enable_mergejoin', 'on', false)");
}

// Rows as the text of their composite type: the same columns in the same order in all shards.
void insert_rows(Connection& shard, const char* table, const std::vector<std::string_view>& rows) {
    const std::string name = table;
    const std::string sql = "INSERT INTO " + name + " SELECT (z.y).* FROM (SELECT x::" + name +
                            " AS y FROM unnest($1::text[]) AS x OFFSET 0) z";
    shard.query(sql.c_str(), Params(rows));
}

std::vector<std::string_view> texts_of(const Rows& rows) {
    std::vector<std::string_view> texts;
    texts.reserve(rows.size());
    for (const Row row : rows) texts.push_back(row.text(0));
    return texts;
}

} // namespace

std::vector<Move> open_moves(Connection& directory) {
    std::vector<Move> moves;
    for (const Row row : directory.query("SELECT partition, source, target, flipped FROM moves "
                                         "ORDER BY partition"))
        moves.push_back({static_cast<std::uint32_t>(row.integer(0)),
                         static_cast<std::uint16_t>(row.integer(1)),
                         static_cast<std::uint16_t>(row.integer(2)), row.integer(3) == 1});
    return moves;
}

std::vector<Move> balance(const Layout& layout, std::size_t shards) {
    std::vector<std::vector<std::uint32_t>> of_shard(shards);
    for (std::uint32_t p = 0; p < layout.partitions(); ++p)
        of_shard.at(layout.shard_of_partition[p]).push_back(p);
    const auto size = [](const auto& one) { return one.size(); };
    std::vector<Move> moves;
    for (;;) {
        const auto most = std::ranges::max_element(of_shard, {}, size);
        const auto least = std::ranges::min_element(of_shard, {}, size);
        if (most->size() <= least->size() + 1) return moves;
        const std::uint32_t partition = most->back();
        most->pop_back();
        least->push_back(partition);
        moves.push_back({partition, static_cast<std::uint16_t>(most - of_shard.begin()),
                         static_cast<std::uint16_t>(least - of_shard.begin())});
    }
}

std::vector<std::string> processes_without(Connection& directory, std::size_t shards) {
    std::vector<std::string> nodes;
    for (const Row row : directory.query(
             "SELECT node FROM layout_readers WHERE shards < $1 AND "
             "seen_at > clock_timestamp() - make_interval(secs => $2::bigint) ORDER BY node",
             Params(shards, std::chrono::seconds(limits::kLayoutDead).count())))
        nodes.push_back(row.string(0));
    return nodes;
}

PartitionMove::PartitionMove(Connection& directory, const std::string& source,
                             const std::string& target, Move move, Progress progress)
    : x_directory(directory),
      x_source(source, limits::kMoveCallTimeout),
      x_target(target, limits::kMoveCallTimeout),
      x_move(move),
      x_progress(std::move(progress)) {}

MoveReport PartitionMove::run() {
    const auto began = Clock::now();
    const Layout layout = read_layout(x_directory);
    for (std::uint32_t bucket = 0; bucket < layout.partition_of_bucket.size(); ++bucket) {
        if (layout.partition_of_bucket[bucket] != x_move.partition) continue;
        x_buckets.push_back(bucket);
        x_bucket_list += (x_bucket_list.empty() ? "" : ", ") + std::to_string(bucket);
    }
    if (x_bucket_list.empty()) x_bucket_list = "-1";
    plan_freely(x_source);
    plan_freely(x_target);
    check_tables();
    if (!x_move.flipped) {
        begin();
        if (!sealed()) {
            clear_target();
            watch_source();
            copy();
            std::size_t freezes = 0;
            while (!freeze_and_hand_over()) {
                if (++freezes == limits::kMoveFreezes)
                    throw MoveError("more is written than can be copied; nothing has changed");
                std::this_thread::sleep_for(limits::kMoveFreezePause);
            }
        }
        flip();
    }
    wait_for_readers();
    forget();
    x_report.took = duration_cast<milliseconds>(Clock::now() - began);
    return x_report;
}

void PartitionMove::check_tables() {
    for (Connection* shard : {&x_source, &x_target})
        for (const Row row : shard->query("SELECT tablename::text FROM pg_tables WHERE "
                                          "schemaname = current_schema()")) {
            const std::string_view name = row.text(0);
            const bool known =
                std::ranges::any_of(kPartitionTables,
                                    [&](const auto& table) { return name == table.name; }) ||
                std::ranges::any_of(kOtherTables, [&](const char* one) { return name == one; });
            if (!known)
                throw MoveError("a shard has the table " + std::string(name) +
                                ", which this program does not know");
        }
}

void PartitionMove::begin() {
    Transaction transaction(x_directory);
    lock(x_directory, Lock::layout);
    const Rows home = x_directory.query("SELECT shard FROM partitions WHERE partition = $1",
                                        Params(x_move.partition));
    if (home.empty() || home.front().integer(0) != x_move.source)
        throw MoveError("partition " + std::to_string(x_move.partition) + " is not in shard " +
                        std::to_string(x_move.source));
    x_directory.query("INSERT INTO moves (partition, source, target) VALUES ($1::bigint::integer, "
                      "$2::bigint::smallint, $3::bigint::smallint) ON CONFLICT DO NOTHING",
                      Params(x_move.partition, x_move.source, x_move.target));
    transaction.commit();
}

// By a run that was ended after its seal: the target is whole and open.
bool PartitionMove::sealed() {
    const Rows rows = x_source.query("SELECT moved FROM partitions WHERE partition = $1",
                                     Params(x_move.partition));
    return !rows.empty() && rows.front().integer(0) == 1;
}

// --- copying

void PartitionMove::clear_target() {
    close_target();
    remove_rows(x_target);
}

void PartitionMove::watch_source() {
    x_source.script("BEGIN; DELETE FROM moving_buckets; DELETE FROM changed_rows; "
                    "INSERT INTO moving_buckets (bucket, away) SELECT b, 0 FROM "
                    "unnest(ARRAY[" + x_bucket_list + "]::smallint[]) AS b; COMMIT",
                    limits::kMoveCallTimeout);
    // One table at a time: who writes locks them in an order of its own.
    for (std::size_t i = 0; i < kPartitionTables.size(); ++i)
        x_source.script("BEGIN;" + trigger_of(i) + "COMMIT", limits::kMoveCallTimeout);
}

PartitionMove::Sum PartitionMove::sum_of(Connection& shard, std::size_t index) {
    const PartitionTable& table = kPartitionTables[index];
    const std::string sql = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text "
                            "FROM " + std::string(table.name) + " t JOIN rooms r ON r.id = t." +
                            table.room + " WHERE r.bucket IN (" + x_bucket_list + ")";
    const Rows rows = shard.query(sql.c_str());
    return {rows.front().integer(0), rows.front().string(1)};
}

void PartitionMove::copy() {
    x_source.begin_snapshot();
    for (std::size_t i = 0; i < kPartitionTables.size(); ++i) {
        copy_table(i);
        const Sum there = sum_of(x_source, i), here = sum_of(x_target, i);
        if (there != here)
            throw MoveError(std::string("the copy of ") + kPartitionTables[i].name +
                            " is not the same: " + std::to_string(there.rows) + " rows, copied " +
                            std::to_string(here.rows) + "; nothing has changed");
    }
    x_source.commit();
}

void PartitionMove::copy_table(std::size_t index) {
    const PartitionTable& table = kPartitionTables[index];
    const std::string declare = "DECLARE moving CURSOR FOR SELECT t::text FROM " +
                                std::string(table.name) + " t JOIN rooms r ON r.id = t." +
                                table.room + " WHERE r.bucket IN (" + x_bucket_list + ")";
    x_source.query(declare.c_str());
    const std::string fetch = "FETCH " + number_of(limits::kMovePageRows) + " FROM moving";
    for (;;) {
        const Rows page = x_source.query(fetch.c_str());
        if (page.empty()) break;
        insert_rows(x_target, table.name, texts_of(page));
        x_report.rows += page.size();
        x_progress("copying", x_report.rows, 0);
    }
    x_source.query("CLOSE moving");
}

// What has changed, as it is at one moment, and no more keys than those of one round.
PartitionMove::Round PartitionMove::copy_changed() {
    Round round;
    const std::set<std::uint32_t> ours(x_buckets.begin(), x_buckets.end());
    std::vector<std::int64_t> looked_at;
    std::map<std::size_t, std::set<Key>> changed;
    x_source.begin_snapshot();
    const std::string sql = "SELECT seq, tbl, room_id, k1, k2, k3, k4 FROM changed_rows "
                            "ORDER BY seq LIMIT " + number_of(limits::kMoveRoundKeys);
    for (const Row row : x_source.query(sql.c_str())) {
        looked_at.push_back(row.integer(0));
        if (!ours.contains(model::bucket_of(row.id<model::RoomId>(2)))) continue;
        changed[static_cast<std::size_t>(row.integer(1))].insert(
            {row.integer(3), row.integer(4), row.integer(5), row.string(6)});
        ++round.keys;
    }
    round.all = looked_at.size() < limits::kMoveRoundKeys;
    x_target.begin();
    for (const auto& [table, keys] : changed) copy_keys(table, keys);
    x_target.commit();
    x_source.commit();
    if (!looked_at.empty())
        x_source.query("DELETE FROM changed_rows WHERE seq = ANY($1)", Params(looked_at));
    x_progress("copying what has changed", x_report.changed, 0);
    return round;
}

void PartitionMove::copy_keys(std::size_t index, const std::set<Key>& keys) {
    const PartitionTable& table = kPartitionTables.at(index);
    std::vector<std::int64_t> k1, k2, k3;
    std::vector<std::string_view> k4;
    for (const Key& key : keys) {
        k1.push_back(key.k1);
        k2.push_back(key.k2);
        k3.push_back(key.k3);
        k4.emplace_back(key.k4);
    }
    const Params of_keys(k1, k2, k3, k4);
    const std::string given = "unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS c "
                              "(k1, k2, k3, k4)";
    const std::string read = "SELECT t::text FROM " + given + " JOIN " + table.name +
                             " t ON " + same_key(table) + " ORDER BY 1";
    const std::string remove =
        "DELETE FROM " + std::string(table.name) + " t USING " + given + " WHERE " +
        same_key(table);
    const Rows there = x_source.query(read.c_str(), of_keys);
    x_target.query(remove.c_str(), of_keys);
    if (!there.empty()) insert_rows(x_target, table.name, texts_of(there));
    const Rows here = x_target.query(read.c_str(), of_keys);
    if (texts_of(there) != texts_of(here))
        throw MoveError(std::string("the copy of what has changed in ") + table.name +
                        " is not the same; nothing has changed");
    x_report.changed += keys.size();
}

// --- handing over

std::int64_t PartitionMove::freeze() {
    const std::string until = "clock_timestamp() + interval '" +
                              std::to_string(milliseconds(limits::kMoveFreeze).count()) +
                              " milliseconds'";
    Transaction transaction(x_source);
    // The row first, as its worker does; then nobody writes anything until it is known.
    const std::string row = "INSERT INTO partitions AS p (partition, generation, next_offset, "
                            "last_id, frozen_until) VALUES ($1, 1, 0, 0, " + until +
                            ") ON CONFLICT (partition) DO UPDATE SET generation = p.generation + "
                            "1, frozen_until = excluded.frozen_until RETURNING generation";
    const std::int64_t generation =
        x_source.query(row.c_str(), Params(x_move.partition)).front().integer(0);
    x_source.query("SELECT pg_advisory_xact_lock($1)", Params(kFreezeLock));
    const std::string buckets = "UPDATE moving_buckets SET frozen_until = " + until;
    x_source.query(buckets.c_str());
    transaction.commit();
    return generation;
}

void PartitionMove::thaw() {
    Transaction transaction(x_source);
    x_source.query("UPDATE partitions SET frozen_until = NULL WHERE partition = $1 AND moved = 0",
                   Params(x_move.partition));
    x_source.query("UPDATE moving_buckets SET frozen_until = NULL WHERE away = 0");
    transaction.commit();
}

// False: it took too long, and everybody goes on as before.
bool PartitionMove::freeze_and_hand_over() {
    for (std::size_t rounds = 0;; ++rounds) {
        const Round round = copy_changed();
        if (round.all && round.keys <= limits::kMoveFewKeys) break;
        if (rounds == limits::kMoveRounds)
            throw MoveError("more is written than can be copied; nothing has changed");
    }
    const auto began = Clock::now();
    ++x_report.freezes;
    const std::int64_t generation = freeze();
    bool whole = false;
    while (!whole && Clock::now() - began < limits::kMoveFreeze) whole = copy_changed().all;
    if (whole) open_target(generation);
    const bool done = whole && seal(generation);
    if (!done) {
        thaw();
        close_target();
    }
    x_report.frozen = std::max(x_report.frozen, duration_cast<milliseconds>(Clock::now() - began));
    return done;
}

void PartitionMove::close_target() {
    Transaction transaction(x_target);
    x_target.query("INSERT INTO partitions (partition, generation, next_offset, last_id, moved) "
                   "VALUES ($1, 1, 0, 0, 1) ON CONFLICT (partition) DO UPDATE SET moved = 1, "
                   "generation = partitions.generation + 1, frozen_until = NULL",
                   Params(x_move.partition));
    x_target.query("INSERT INTO moving_buckets (bucket, away) SELECT b::smallint, 1 FROM "
                   "unnest($1::bigint[]) AS b ON CONFLICT (bucket) DO UPDATE SET away = 1, "
                   "frozen_until = NULL",
                   Params(std::vector<std::int64_t>(x_buckets.begin(), x_buckets.end())));
    transaction.commit();
}

void PartitionMove::open_target(std::int64_t generation) {
    const Rows position = x_source.query(
        "SELECT next_offset, last_id FROM partitions WHERE partition = $1 AND generation = $2",
        Params(x_move.partition, generation));
    if (position.empty()) return; // the freeze has run out: there will be no seal
    Transaction transaction(x_target);
    x_target.query("UPDATE partitions SET generation = greatest(generation, $2) + 1, "
                   "next_offset = $3, last_id = $4, moved = 0, frozen_until = NULL "
                   "WHERE partition = $1",
                   Params(x_move.partition, generation, position.front().integer(0),
                          position.front().integer(1)));
    x_target.query("DELETE FROM moving_buckets WHERE bucket = ANY($1)",
                   Params(std::vector<std::int64_t>(x_buckets.begin(), x_buckets.end())));
    transaction.commit();
}

bool PartitionMove::seal(std::int64_t generation) {
    Transaction transaction(x_source);
    const Rows sealed = x_source.query(
        "UPDATE partitions SET moved = 1, frozen_until = NULL WHERE partition = $1 AND "
        "generation = $2 AND frozen_until > clock_timestamp()",
        Params(x_move.partition, generation));
    if (sealed.changes() != 1) return false;
    x_source.query("UPDATE moving_buckets SET away = 1, frozen_until = 'infinity'");
    transaction.commit();
    return true;
}

void PartitionMove::flip() {
    const Rows open = x_target.query("SELECT moved FROM partitions WHERE partition = $1",
                                     Params(x_move.partition));
    if (open.empty() || open.front().integer(0) != 0)
        throw MoveError("neither shard has partition " + std::to_string(x_move.partition) +
                        ": restore the target's database, or see docs/operations.md");
    Transaction transaction(x_directory);
    lock(x_directory, Lock::layout);
    x_directory.query("UPDATE partitions SET shard = $2::bigint::smallint WHERE partition = $1",
                      Params(x_move.partition, x_move.target));
    x_directory.query("UPDATE moves SET flipped = 1 WHERE partition = $1",
                      Params(x_move.partition));
    x_directory.query("UPDATE layout_epoch SET epoch = epoch + 1");
    transaction.commit();
}

// --- the end

void PartitionMove::wait_for_readers() {
    const auto deadline = Clock::now() + limits::kMoveReadersTimeout;
    for (;;) {
        const Rows late = x_directory.query(
            "SELECT node FROM layout_readers WHERE epoch < (SELECT epoch FROM layout_epoch) AND "
            "seen_at > clock_timestamp() - make_interval(secs => $1::bigint) ORDER BY node",
            Params(std::chrono::seconds(limits::kLayoutDead).count()));
        if (late.empty()) break;
        if (Clock::now() > deadline)
            throw MoveError("the partition has moved, but " + late.front().string(0) +
                            " does not take the new table: restart it, then run this again");
        x_progress("waiting for all processes", 0, 0);
        std::this_thread::sleep_for(limits::kLayoutLook);
    }
    // What was asked of the source before has its answer then.
    std::this_thread::sleep_for(limits::kLayoutLook);
}

void PartitionMove::forget() {
    for (std::size_t i = 0; i < kPartitionTables.size(); ++i)
        x_source.script(no_trigger_of(i), limits::kMoveCallTimeout);
    x_source.query("DELETE FROM changed_rows");
    remove_rows(x_source);
    x_source.query("DELETE FROM moving_buckets");
    x_directory.query("DELETE FROM moves WHERE partition = $1", Params(x_move.partition));
}

// In pages, the rooms last: they say whose the other rows are.
std::uint64_t PartitionMove::remove_rows(Connection& shard) {
    std::uint64_t removed = 0;
    for (std::size_t i = kPartitionTables.size(); i-- > 0;) {
        const PartitionTable& table = kPartitionTables[i];
        const std::string name = table.name;
        const std::string sql = "DELETE FROM " + name + " WHERE ctid = ANY (ARRAY (SELECT t.ctid "
                                "FROM " + name + " t JOIN rooms r ON r.id = t." + table.room +
                                " WHERE r.bucket IN (" + x_bucket_list + ") LIMIT " +
                                number_of(limits::kMovePageRows) + "))";
        for (;;) {
            const auto gone = static_cast<std::uint64_t>(shard.query(sql.c_str()).changes());
            removed += gone;
            if (gone > 0) x_progress("removing", removed, 0);
            if (gone < limits::kMovePageRows) break;
        }
    }
    return removed;
}

} // namespace parley::postgres
