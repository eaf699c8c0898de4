// PartitionMove: takes a partition of the log, with the rows of all its rooms, from one shard to
// another while everybody works. docs/adr/0010-a-partition-moves-between-shards.md says why so.
//
//   1. copying: in the source, triggers note the key of each row that changes; all rows of one
//      moment are copied, and compared by count and hash. Then what has changed since, in rounds.
//   2. frozen, for limits::kMoveFreeze at most: the partition's generation is raised, so its worker
//      writes no more, and the triggers refuse what others would write. The last round is copied
//      and compared, then the position.
//   3. the target is opened, the source sealed (in one transaction, if it is still frozen), and the
//      directory's table changed with the next epoch. Workers and readers follow.
//   4. when every process goes by that epoch, the source forgets the rows.
//
// Killed anywhere: before the seal the source goes on by itself when the freeze has run out, and
// run() begins anew; after it run() goes on from there. Nothing is removed anywhere but rows of
// buckets that the directory says are elsewhere.
//
// Threading: one thread; calls block. Owner: the command. Errors: DatabaseError, MoveError (for the
// operator). Bounds: base/move_limits.hpp.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/layout.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace parley::postgres {

class MoveError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Move {
    std::uint32_t partition = 0;
    std::uint16_t source = 0, target = 0;
    bool flipped = false; // begun before: the target has it already
};

struct MoveReport {
    std::uint64_t rows = 0, changed = 0; // copied at once, and again
    std::size_t freezes = 0;
    std::chrono::milliseconds took{0}, frozen{0};
};

// Moves that were begun and have not ended, by partition.
std::vector<Move> open_moves(Connection& directory);
// As few moves as there can be, after which no shard has two partitions more than another one.
std::vector<Move> balance(const Layout& layout, std::size_t shards);
// Processes that live and do not know so many shards.
std::vector<std::string> processes_without(Connection& directory, std::size_t shards);

class PartitionMove {
public:
    using Progress = std::function<void(const char* step, std::uint64_t done, std::uint64_t total)>;
    // Targets are libpq's.
    PartitionMove(Connection& directory, const std::string& source, const std::string& target,
                  Move move, Progress progress);
    MoveReport run();

private:
    using Clock = std::chrono::steady_clock;
    struct Key {
        std::int64_t k1 = 0, k2 = 0, k3 = 0;
        std::string k4;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Round {
        std::size_t keys = 0; // of the partition
        bool all = false;     // that had changed at the moment of the round
    };
    struct Sum {
        std::int64_t rows = 0;
        std::string hash;
        friend bool operator==(const Sum&, const Sum&) = default;
    };

    void check_tables();
    void begin();
    bool sealed();
    void clear_target();
    void watch_source();
    void copy();
    void copy_table(std::size_t table);
    Round copy_changed();
    void copy_keys(std::size_t table, const std::set<Key>& keys);
    Sum sum_of(Connection& shard, std::size_t table);
    bool freeze_and_hand_over();
    std::int64_t freeze();
    void thaw();
    void open_target(std::int64_t generation);
    void close_target();
    bool seal(std::int64_t generation);
    void flip();
    void wait_for_readers();
    void forget();
    std::uint64_t remove_rows(Connection& shard);

    Connection& x_directory;
    Connection x_source, x_target;
    const Move x_move;
    const Progress x_progress;
    std::vector<std::uint32_t> x_buckets;
    std::string x_bucket_list; // "1, 9, 17"
    MoveReport x_report;
};

} // namespace parley::postgres
