// Database: one SQLite connection with its prepared statements; Query: one run of a statement.
// The only two types that know sqlite3.h. They throw DatabaseError, which does not leave the
// adapter: guarded() turns it into a Result at the ports.
//
// Threading: a Database and its queries belong to one thread at a time. Owner: the store, one
// connection for the writer and one for each reader thread. Shutdown: the destructor finalises the
// statements and closes; an open transaction is lost. Bound: as many statements as there are texts
// in the code.
#pragma once

#include "base/assert.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace parley::sqlite {

// What SQLite could not do. The message names the cause for a person and holds no user content.
class DatabaseError : public std::runtime_error {
public:
    DatabaseError(Errc code, const std::string& cause) : std::runtime_error(cause), x_code(code) {}
    Error error() const { return {x_code, what()}; }

private:
    Errc x_code;
};

// Runs `function` and answers what it gives, or the DatabaseError that it threw.
template <class Function>
auto guarded(Function&& function) -> std::invoke_result_t<Function&> {
    try {
        return function();
    } catch (const DatabaseError& error) {
        return error.error();
    }
}

class Query;

class Database {
public:
    enum class Mode : std::uint8_t { writer, reader };

    // A writer creates the file; a reader needs it. Throws DatabaseError.
    Database(const std::filesystem::path& file, Mode mode);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // `sql` is a literal: the statement is prepared once and found again by the address of its
    // text. It runs from bind() to the destruction of the Query; a statement has one Query at a
    // time.
    Query query(const char* sql);
    // For statements without parameters and rows that are not run often; several are allowed.
    void execute(const char* sql);
    std::int64_t pragma(const char* sql);

    bool in_transaction() const;
    std::int64_t changes() const;

    // Copies the write-ahead log into the file, and says how many pages are in the log and how many
    // of them are copied. passive: what can be copied now, without waiting for or holding up
    // anybody; restart: waits a little for readers of older states, so that the log begins anew;
    // truncate: and empties its file.
    struct Checkpoint {
        int log_pages = 0;
        int copied_pages = 0;
    };
    enum class CheckpointKind : std::uint8_t { passive, restart, truncate };
    Checkpoint checkpoint(CheckpointKind kind);
    // Copies the whole database, as it is at one moment, into a new file that needs no log beside
    // it. The writer goes on meanwhile, into a log that cannot begin anew until the end.
    using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
    void copy_to(const std::filesystem::path& file, const Progress& progress);

    // Pages in the write-ahead log after this connection's last commit, or not yet copied after its
    // last checkpoint.
    int log_pages() const { return x_log_pages; }

private:
    void configure(Mode mode);
    [[noreturn]] void fail(int code) const;
    friend class Query;

    sqlite3* x_handle = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> x_statements;
    int x_log_pages = 0;
};

// Binds in the order of the parameters, without copying: text must live as long as the Query.
class Query {
public:
    Query(Database& database, sqlite3_stmt* statement);
    ~Query();
    Query(Query&& other) noexcept;
    Query& operator=(Query&&) = delete;

    template <class... Values>
    Query& bind(const Values&... values) {
        int index = 0;
        (bind_one(++index, values), ...);
        return *this;
    }

    // For values whose kind is known only now: an alternative of a variant; monostate is NULL.
    template <class Variant>
    void bind_at(int index, const Variant& value) {
        std::visit(
            [&]<class Value>(const Value& each) {
                if constexpr (std::is_same_v<Value, std::monostate>)
                    bind_null(index);
                else
                    bind_one(index, each);
            },
            value);
    }

    bool row();   // steps: whether there is one more row
    void run();   // steps to the end; rows are an error
    void again(); // for another bind() and run() with the same Query

    // Columns of the present row, from 0.
    bool is_null(int column) const;
    std::int64_t integer(int column) const;
    std::string_view text(int column) const; // until the next row
    std::string string(int column) const { return std::string(text(column)); }
    template <class Id>
    Id id(int column) const {
        return Id{integer(column)};
    }
    template <class Id>
    std::optional<Id> optional_id(int column) const {
        return is_null(column) ? std::nullopt : std::optional(Id{integer(column)});
    }
    model::Time time(int column) const { return {integer(column)}; }
    std::optional<model::Time> optional_time(int column) const {
        return is_null(column) ? std::nullopt : std::optional(time(column));
    }
    template <class Enum>
    Enum enumerator(int column) const {
        return static_cast<Enum>(integer(column));
    }

private:
    void bind_integer(int index, std::int64_t value);
    void bind_text(int index, std::string_view value);
    void bind_blob(int index, std::string_view value);
    void bind_null(int index);

    template <class Value>
    void bind_one(int index, const Value& value) {
        if constexpr (std::is_enum_v<Value> || std::is_integral_v<Value>)
            bind_integer(index, static_cast<std::int64_t>(value));
        else if constexpr (std::is_convertible_v<const Value&, std::string_view>)
            bind_text(index, value);
        else if constexpr (requires { value.bytes; })
            bind_blob(index, value.bytes);
        else if constexpr (requires { value.has_value(); })
            value ? bind_one(index, *value) : bind_null(index);
        else if constexpr (requires { value.ms; })
            bind_integer(index, value.ms);
        else
            bind_integer(index, value.value);
    }

    Database& x_database;
    sqlite3_stmt* x_statement;
};

// Bytes that are not text: hashes.
struct Blob {
    std::string_view bytes;
};

} // namespace parley::sqlite
