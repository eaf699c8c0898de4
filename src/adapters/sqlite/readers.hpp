// Readers: threads that read, each with a read-only connection of its own. One call is one read
// transaction, so its answer is one moment of the file; WAL lets it run beside the writer and see
// every commit that came before it.
//
// Threading: read() from any core. Owner: the store. Bounds: limits::kReaderThreads,
// limits::kReaderQueue; then overloaded. Shutdown: stop() lets queued reads finish and joins; later
// ones get shutting_down.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "base/limits.hpp"
#include "base/worker_pool.hpp"

#include <filesystem>
#include <memory>
#include <vector>

namespace parley::sqlite {

class Readers {
public:
    Readers(const std::filesystem::path& file, Metrics& metrics)
        : x_connections(connect(file)),
          x_reads(metrics.counter("parley_store_reads_total", "Reads of the database")),
          x_pool("reader", limits::kReaderThreads, limits::kReaderQueue, metrics) {}

    // `function(Database&)` gives a Result and may throw DatabaseError. For GCC 12 as Writer::run.
    template <class Function>
    auto read(Function function) {
        x_reads.add();
        return x_pool.run([this, function = std::move(function)](std::size_t worker) mutable {
            Database& database = *x_connections[worker];
            return guarded([&] {
                const Snapshot snapshot(database);
                return function(database);
            });
        });
    }
    void stop() { x_pool.stop(); }

private:
    class Snapshot {
    public:
        explicit Snapshot(Database& database) : x_database(database) {
            x_database.query("BEGIN").run();
        }
        ~Snapshot() {
            try {
                x_database.query("ROLLBACK").run();
            } catch (const DatabaseError&) {
                // SQLite has ended it after an error.
            }
        }
        Snapshot(const Snapshot&) = delete;
        Snapshot& operator=(const Snapshot&) = delete;

    private:
        Database& x_database;
    };

    static std::vector<std::unique_ptr<Database>> connect(const std::filesystem::path& file) {
        std::vector<std::unique_ptr<Database>> connections;
        for (std::size_t i = 0; i < limits::kReaderThreads; ++i)
            connections.push_back(std::make_unique<Database>(file, Database::Mode::reader));
        return connections;
    }

    std::vector<std::unique_ptr<Database>> x_connections;
    Counter& x_reads;
    WorkerPool x_pool; // after the connections: its threads end first
};

} // namespace parley::sqlite
