// Transactions of the writer's connection: begin, commit, rollback, with their metrics and the log
// lines of an outage (one when commits begin to fail, one when they work again).
//
// Threading: the writer's thread, but writable(). Owner: the store.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"

#include <atomic>
#include <cstdint>
#include <limits>

namespace parley::sqlite {

class Transactions {
public:
    Transactions(Database& database, const ports::Clock& clock, Logger& logger, Metrics& metrics);

    void begin(); // throws DatabaseError
    // Durable when it returns. Throws DatabaseError: then nothing of it is stored and none is open.
    void commit(std::size_t changes);
    void rollback() noexcept;
    // For an error on the way to the commit: the transaction will not come to one.
    void note_failure(const Error& error);
    // False for a while after a failure, unless a commit has gone through since. Any thread.
    bool writable() const;

private:
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
    std::int64_t steady_ms() const;

    Database& x_database;
    const ports::Clock& x_clock;
    Logger& x_logger;
    Histogram& x_batch;
    Histogram& x_seconds;
    Counter& x_failures;
    bool x_failing = false;
    std::atomic<std::int64_t> x_failed_at_ms{kNever}; // of the steady clock
};

} // namespace parley::sqlite
