// Whole tables, read and written in pages: what export and import of a cluster go through.
//
// Threading: functions and objects of a connection. Owner: the caller; a BulkInsert must be
// flushed. Errors: DatabaseError. Bounds: kBulkRows rows, or kBulkBytes of texts, in memory.
#pragma once

#include "adapters/postgres/connection.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace parley::postgres {

inline constexpr std::size_t kBulkRows = 2'000, kBulkBytes = 8 * 1024 * 1024;

using BulkValue = std::variant<std::monostate, std::int64_t, std::string>;
using BulkRow = std::vector<BulkValue>;

struct BulkColumn {
    std::string name;
    bool text = false; // else a number
};

// In the order of the columns `order`. In an open transaction.
void read_table(Connection& database, const std::string& table,
                const std::vector<BulkColumn>& columns, const std::string& order,
                const std::function<void(const BulkRow&)>& sink);

class BulkInsert {
public:
    BulkInsert(Connection& database, const std::string& table, std::vector<BulkColumn> columns);
    void add(BulkRow row);
    void flush();

private:
    Connection& x_database;
    const std::vector<BulkColumn> x_columns;
    std::string x_sql;
    std::vector<BulkRow> x_rows;
    std::size_t x_bytes = 0;
};

} // namespace parley::postgres
