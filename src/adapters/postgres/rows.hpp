// Rows: the answer of a statement; Row: one of its rows. Columns are counted from 0 and come in
// PostgreSQL's binary format. bigint, integer, smallint and boolean are integers; a sum or another
// numeric must be cast in the statement.
//
// Threading: one thread at a time. Owner: who asked; a Row and its texts live as long as its Rows.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace parley::postgres {

struct ResultDeleter {
    void operator()(pg_result* result) const;
};
using ResultHandle = std::unique_ptr<pg_result, ResultDeleter>;

class Row {
public:
    Row(const pg_result* result, int row) : x_result(result), x_row(row) {}

    bool is_null(int column) const;
    std::int64_t integer(int column) const;
    std::string_view bytes(int column) const; // of text and bytea
    std::string_view text(int column) const { return bytes(column); }
    std::string string(int column) const { return std::string(bytes(column)); }
    // Of a bigint[] or smallint[] without NULLs; a NULL is an empty one.
    std::vector<std::int64_t> integers(int column) const;
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
    const pg_result* x_result;
    int x_row;
};

class Rows {
public:
    explicit Rows(ResultHandle result) : x_result(std::move(result)) {}

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    Row operator[](std::size_t row) const { return {x_result.get(), static_cast<int>(row)}; }
    Row front() const { return (*this)[0]; }
    // Rows inserted, updated or deleted (of a WITH: by its main statement).
    std::int64_t changes() const;
    // The server's word for what was done: "COMMIT".
    std::string_view tag() const;

    class Iterator {
    public:
        Iterator(const pg_result* result, int row) : x_result(result), x_row(row) {}
        Row operator*() const { return {x_result, x_row}; }
        Iterator& operator++() {
            ++x_row;
            return *this;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

    private:
        const pg_result* x_result;
        int x_row;
    };
    Iterator begin() const { return {x_result.get(), 0}; }
    Iterator end() const { return {x_result.get(), static_cast<int>(size())}; }

private:
    ResultHandle x_result;
};

} // namespace parley::postgres
