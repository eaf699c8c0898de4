// Connection: one connection to a PostgreSQL database with its prepared statements. It and its
// files (params, rows) are the only ones that know libpq. Calls throw DatabaseError, which does not
// leave the adapter.
//
// It connects when it is first used, and again at the next use after a failure; after a failed
// attempt not for limits::kShardReconnect. Everything the world does wrong is unavailable: also a
// commit whose answer was lost, which may have happened.
//
// Session: read committed, synchronous_commit on, plans that go by an index (no sequential or
// bitmap scan, no hash or merge join where another plan is there): a plan is made once and kept,
// perhaps when the table was still empty.
//
// Threading: one thread at a time. Owner: a Pool, or a store with a thread of its own. Bounds: a
// call takes at most limits::kShardCallTimeout, also when the server answers nothing;
// limits::kShardQueuedStatements wait; as many statements are prepared as there are texts in the
// code. Shutdown: the destructor closes; an open transaction is lost.
#pragma once

#include "adapters/postgres/database_error.hpp"
#include "adapters/postgres/params.hpp"
#include "adapters/postgres/rows.hpp"
#include "base/cluster_limits.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct pg_conn;

namespace parley::postgres {

class Connection {
public:
    // `target`: libpq's "host=... dbname=..." or "postgresql://...". It may hold a password.
    // `patience`: how long a call may take.
    explicit Connection(std::string target,
                        std::chrono::milliseconds patience = limits::kShardCallTimeout);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Statements are prepared once and found again by their text; the types of the parameters must
    // be the same each time.
    Rows query(const char* sql, const Params& params = Params());
    // Runs with the next query(), flush() or commit(), in order and without a round trip of its
    // own; that call throws what this one had wrong. Only in a transaction.
    void queue(const char* sql, const Params& params = Params());
    void flush();
    // Several statements without parameters, in one transaction.
    void script(const std::string& sql, std::chrono::milliseconds patience);

    void begin() { open("BEGIN"); }
    // Reads only, all of one moment.
    void begin_snapshot() { open("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); }
    // unavailable also when nobody knows whether it happened.
    void commit();
    // Never throws: a connection that cannot is closed, which undoes as well.
    void rollback() noexcept;
    bool in_transaction() const { return x_open; }

private:
    using Deadline = std::chrono::steady_clock::time_point;
    struct Statement {
        std::string name;
        bool prepared = false;
    };
    struct Sent { // what the server has yet to answer
        Statement* prepares = nullptr;
    };
    struct ConnectionDeleter {
        void operator()(pg_conn* connection) const;
    };

    void open(const char* begin);
    void connect();
    void connect_anew();
    void finish_connecting(Deadline deadline);
    void start_session();
    void send(const char* sql, const Params& params);
    ResultHandle receive(std::chrono::milliseconds patience);
    ResultHandle next_result(Deadline deadline);
    // Waits until the socket has something to read, or also can be written to.
    bool wait(bool writing, Deadline deadline) const;
    bool looks_closed();
    [[noreturn]] void lose(const std::string& cause);
    DatabaseError error_of(const pg_result* result);

    const std::string x_target;
    const std::chrono::milliseconds x_patience;
    std::unique_ptr<pg_conn, ConnectionDeleter> x_handle;
    std::unordered_map<std::string, Statement> x_statements;
    std::vector<Sent> x_sent;
    std::size_t x_queued = 0;
    bool x_open = false; // a transaction, as far as the caller knows
    Deadline x_no_attempt_before{};
};

// A transaction that is undone unless it is committed.
class Transaction {
public:
    explicit Transaction(Connection& connection) : x_connection(connection) { connection.begin(); }
    ~Transaction() {
        if (x_connection.in_transaction()) x_connection.rollback();
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void commit() { x_connection.commit(); }

private:
    Connection& x_connection;
};

} // namespace parley::postgres
