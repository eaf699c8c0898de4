#include "adapters/postgres/connection.hpp"

#include "base/assert.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace parley::postgres {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// The server gives a statement up a little before we give the server up: then the connection stays.
constexpr auto kServerTimeoutMargin = 500ms;

std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

// By SQLSTATE, whose first two characters are the class. Integrity, data and syntax are bugs of
// this adapter; everything else is the world's: a schema that is not there, rights, a server that
// goes away.
Errc errc_of(std::string_view state) {
    const std::string_view kind = state.substr(0, 2);
    if (state == "42P01" || state == "42501" || state == "3F000") return Errc::unavailable;
    const bool ours = kind == "42" || kind == "23" || kind == "22" || kind == "21" ||
                      kind == "25" || kind == "0B" || kind == "34";
    return ours && state != "25006" && state != "25P02" && state != "25P03" ? Errc::internal
                                                                           : Errc::unavailable;
}

// After these the next call begins with a new connection: the server goes away, is not the primary
// any more, or has other statements or tables than those that were prepared.
bool ends_connection(std::string_view state) {
    if (state == "57014") return false; // a statement that took too long
    const std::string_view kind = state.substr(0, 2);
    return kind == "08" || kind == "57" || kind == "58" || kind == "XX" || state == "25006" ||
           state == "26000" || state == "0A000" || state.empty();
}

} // namespace

Connection::Connection(std::string target, std::chrono::milliseconds patience)
    : x_target(std::move(target)), x_patience(patience) {}
Connection::~Connection() = default;

void Connection::ConnectionDeleter::operator()(pg_conn* connection) const { PQfinish(connection); }

// --- connecting
// ----------------------------------------------------------------------------------

void Connection::connect() {
    const bool idle = x_sent.empty() && !x_open;
    if (idle && x_handle && looks_closed()) x_handle.reset();
    if (x_handle) return;
    // What came before in this transaction is undone: going on would store a half of it.
    if (x_open) throw DatabaseError(Errc::unavailable, "the database connection was lost");
    if (Clock::now() < x_no_attempt_before)
        throw DatabaseError(Errc::unavailable, "the database cannot be reached");
    try {
        connect_anew();
    } catch (const DatabaseError&) {
        x_no_attempt_before = Clock::now() + limits::kShardReconnect;
        throw;
    }
}

void Connection::connect_anew() {
    x_statements.clear();
    x_sent.clear();
    x_queued = 0;
    const std::string timeout = std::to_string(
        std::chrono::milliseconds(limits::kShardCallTimeout).count());
    // A later word wins over the same one in the target.
    const std::array words{"dbname", "fallback_application_name", "client_encoding",
                           "tcp_user_timeout", static_cast<const char*>(nullptr)};
    const std::array values{x_target.c_str(), "parley", "UTF8", timeout.c_str(),
                            static_cast<const char*>(nullptr)};
    const Deadline deadline = Clock::now() + limits::kShardCallTimeout;
    x_handle.reset(PQconnectStartParams(words.data(), values.data(), 1));
    if (!x_handle) throw DatabaseError(Errc::unavailable, "out of memory");
    finish_connecting(deadline);
    PQsetNoticeProcessor(x_handle.get(), [](void*, const char*) {}, nullptr);
    if (PQsetnonblocking(x_handle.get(), 1) != 0 || PQenterPipelineMode(x_handle.get()) != 1)
        lose("the database connection cannot be used");
    start_session();
}

void Connection::finish_connecting(Deadline deadline) {
    auto next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (PQstatus(x_handle.get()) == CONNECTION_BAD || next == PGRES_POLLING_FAILED)
            lose("the database cannot be reached: " +
                 first_line(PQerrorMessage(x_handle.get())));
        // The socket, and with several hosts its number, may be a new one after each step.
        pollfd socket{PQsocket(x_handle.get()),
                      static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        const int ready = left > 0ms ? ::poll(&socket, 1, static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) lose("the database does not answer");
        next = PQconnectPoll(x_handle.get());
    }
}

void Connection::start_session() {
    const std::string timeout =
        std::to_string(std::chrono::milliseconds(x_patience - kServerTimeoutMargin).count());
    send("SELECT set_config('statement_timeout', $1, false), "
         "set_config('idle_in_transaction_session_timeout', $2, false), "
         "set_config('synchronous_commit', 'on', false), set_config('jit', 'off', false), "
         "set_config('enable_seqscan', 'off', false), "
         "set_config('enable_bitmapscan', 'off', false), "
         "set_config('enable_hashjoin', 'off', false), "
         "set_config('enable_mergejoin', 'off', false)",
         Params(timeout, "60000"));
    receive(limits::kShardCallTimeout);
}

// Something to read while nothing was asked is the end, or the server's last words.
bool Connection::looks_closed() {
    pollfd socket{PQsocket(x_handle.get()), POLLIN, 0};
    if (::poll(&socket, 1, 0) == 0) return false;
    PQconsumeInput(x_handle.get());
    pollfd again{PQsocket(x_handle.get()), POLLIN, 0};
    return PQstatus(x_handle.get()) != CONNECTION_OK || ::poll(&again, 1, 0) != 0;
}

void Connection::lose(const std::string& cause) {
    x_handle.reset();
    x_sent.clear();
    x_queued = 0;
    throw DatabaseError(Errc::unavailable, cause);
}

// --- statements
// ----------------------------------------------------------------------------------

void Connection::send(const char* sql, const Params& params) {
    auto& statement = x_statements[sql];
    if (statement.name.empty()) statement.name = "p" + std::to_string(x_statements.size());
    const auto arrays = params.arrays();
    const int count = static_cast<int>(arrays.types.size());
    if (!statement.prepared) {
        if (PQsendPrepare(x_handle.get(), statement.name.c_str(), sql, count,
                          arrays.types.data()) != 1)
            lose("the database connection was lost");
        statement.prepared = true; // until the answer says otherwise
        x_sent.push_back({&statement});
    }
    if (PQsendQueryPrepared(x_handle.get(), statement.name.c_str(), count, arrays.values.data(),
                            arrays.lengths.data(), arrays.formats.data(), 1) != 1)
        lose("the database connection was lost");
    x_sent.push_back({});
}

// The answers to all that was sent: of the last one its rows, and the first error if there is one.
ResultHandle Connection::receive(std::chrono::milliseconds patience) {
    const Deadline deadline = Clock::now() + patience;
    if (PQpipelineSync(x_handle.get()) != 1) lose("the database connection was lost");
    ResultHandle last;
    std::optional<DatabaseError> failure;
    for (const Sent& sent : std::exchange(x_sent, {})) {
        last = next_result(deadline);
        if (!last) lose("the database connection is out of step");
        const auto status = PQresultStatus(last.get());
        const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        if (!good && sent.prepares) sent.prepares->prepared = false;
        if (!good && !failure) failure = error_of(last.get());
        while (next_result(deadline)) {}
    }
    x_queued = 0;
    // The server's last words may be all that comes.
    if (failure && ends_connection(failure->state())) {
        x_handle.reset();
        throw *failure;
    }
    const auto end = next_result(deadline);
    if (!end || PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC)
        lose("the database connection is out of step");
    if (failure) throw *failure;
    return last;
}

ResultHandle Connection::next_result(Deadline deadline) {
    pg_conn* const handle = x_handle.get();
    while (PQisBusy(handle) != 0) {
        const int unsent = PQflush(handle);
        if (unsent < 0 || !wait(unsent > 0, deadline)) break;
        if (PQconsumeInput(handle) != 1) break;
    }
    if (PQisBusy(handle) != 0) {
        const bool broken = PQstatus(handle) != CONNECTION_OK;
        lose(broken ? "the database connection was lost" : "the database does not answer");
    }
    return ResultHandle(PQgetResult(handle));
}

bool Connection::wait(bool writing, Deadline deadline) const {
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left <= 0ms) return false;
        pollfd socket{PQsocket(x_handle.get()),
                      static_cast<short>(POLLIN | (writing ? POLLOUT : 0)), 0};
        const int ready = ::poll(&socket, 1, static_cast<int>(left.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

DatabaseError Connection::error_of(const pg_result* result) {
    const char* const field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string state = field ? field : "";
    if (state.empty()) return {Errc::unavailable, "the database connection was lost"};
    const Errc code = errc_of(state);
    const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    // Messages about values quote them.
    const bool may_quote = state.starts_with("22") || state.starts_with("23");
    std::string cause = code == Errc::internal ? "the store failed" : "the database said no";
    if (primary && !may_quote) cause += ": " + first_line(primary);
    return {code, cause + " (SQLSTATE " + state + ")", state};
}

Rows Connection::query(const char* sql, const Params& params) {
    connect();
    send(sql, params);
    return Rows(receive(x_patience));
}

void Connection::queue(const char* sql, const Params& params) {
    PARLEY_ASSERT(x_open);
    connect();
    send(sql, params);
    if (++x_queued >= limits::kShardQueuedStatements) flush();
}

void Connection::flush() {
    connect();
    if (!x_sent.empty()) receive(x_patience);
}

void Connection::script(const std::string& sql, std::chrono::milliseconds patience) {
    connect();
    PARLEY_ASSERT(x_sent.empty());
    const Deadline deadline = Clock::now() + patience;
    // Several statements in one text are for the simple protocol.
    if (PQexitPipelineMode(x_handle.get()) != 1 || PQsendQuery(x_handle.get(), sql.c_str()) != 1)
        lose("the database connection was lost");
    std::optional<DatabaseError> failure;
    while (auto result = next_result(deadline)) {
        const auto status = PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && !failure)
            failure = error_of(result.get());
    }
    if (PQstatus(x_handle.get()) != CONNECTION_OK || PQenterPipelineMode(x_handle.get()) != 1)
        lose("the database connection was lost");
    if (failure) throw *failure;
}

// --- transactions
// --------------------------------------------------------------------------------

void Connection::open(const char* begin) {
    PARLEY_ASSERT(!x_open);
    connect();
    send(begin, Params()); // goes with the first statement
    x_open = true;
}

void Connection::commit() {
    PARLEY_ASSERT(x_open);
    try {
        connect();
        send("COMMIT", Params());
        const Rows done(receive(x_patience));
        x_open = false;
        // Of a transaction in which something failed before, COMMIT is a ROLLBACK.
        if (done.tag() != "COMMIT")
            throw DatabaseError(Errc::unavailable, "the transaction was undone");
    } catch (const DatabaseError&) {
        if (x_open) rollback();
        throw;
    }
}

void Connection::rollback() noexcept {
    if (!std::exchange(x_open, false) || !x_handle) return;
    try {
        // What was queued is in the way: the server takes it, or says that it is undone.
        if (!x_sent.empty()) {
            try {
                receive(x_patience);
            } catch (const DatabaseError&) {
                if (!x_handle) return;
            }
        }
        if (PQtransactionStatus(x_handle.get()) == PQTRANS_IDLE) return;
        send("ROLLBACK", Params());
        receive(x_patience);
    } catch (...) {
        x_handle.reset();
    }
}

} // namespace parley::postgres
