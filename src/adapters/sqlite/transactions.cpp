#include "adapters/sqlite/transactions.hpp"

namespace parley::sqlite {

Transactions::Transactions(Database& database, const ports::Clock& clock, Logger& logger,
                           Metrics& metrics)
    : x_database(database),
      x_clock(clock),
      x_logger(logger),
      x_batch(metrics.histogram("parley_commit_batch", "Events or commands in one transaction",
                                size_bounds())),
      x_seconds(metrics.histogram("parley_commit_seconds", "Time of one durable commit",
                                  latency_bounds())),
      x_failures(metrics.counter("parley_commit_failures_total",
                                 "Transactions that the disk or the database refused")) {}

void Transactions::begin() { x_database.query("BEGIN IMMEDIATE").run(); }

void Transactions::commit(std::size_t changes) {
    const auto started = x_clock.steady();
    try {
        x_database.query("COMMIT").run();
    } catch (const DatabaseError&) {
        rollback();
        throw;
    }
    x_batch.observe(static_cast<double>(changes));
    x_seconds.observe(std::chrono::duration<double>(x_clock.steady() - started).count());
    if (x_failing) x_logger.info("The database takes writes again");
    x_failing = false;
    x_failed_at_ms.store(kNever, std::memory_order_relaxed);
}

void Transactions::rollback() noexcept {
    if (!x_database.in_transaction()) return; // SQLite has rolled back by itself
    try {
        x_database.query("ROLLBACK").run();
    } catch (const DatabaseError&) {
        // The transaction is gone also when the rollback reports an error.
    }
}

void Transactions::note_failure(const Error& error) {
    x_failures.add();
    if (!x_failing) x_logger.error("The database refuses writes", {{"cause", error.detail}});
    x_failing = true;
    x_failed_at_ms.store(steady_ms(), std::memory_order_relaxed);
}

// A failure is forgotten after a while: somebody has to try a write for it to go through again.
bool Transactions::writable() const {
    constexpr std::int64_t kRemembered = 10'000;
    const std::int64_t failed_at = x_failed_at_ms.load(std::memory_order_relaxed);
    return failed_at == kNever || steady_ms() - failed_at > kRemembered;
}

std::int64_t Transactions::steady_ms() const {
    const auto since = x_clock.steady().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

} // namespace parley::sqlite
