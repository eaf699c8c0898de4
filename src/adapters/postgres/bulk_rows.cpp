#include "adapters/postgres/bulk_rows.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace parley::postgres {
namespace {

std::string names_of(const std::vector<BulkColumn>& columns) {
    std::string names;
    for (const BulkColumn& column : columns)
        names += (names.empty() ? "" : ", ") + column.name;
    return names;
}

BulkValue value_of(const Row& row, int at, const BulkColumn& column) {
    if (row.is_null(at)) return {};
    if (column.text) return row.string(at);
    return row.integer(at);
}

} // namespace

void read_table(Connection& database, const std::string& table,
                const std::vector<BulkColumn>& columns, const std::string& order,
                const std::function<void(const BulkRow&)>& sink) {
    const std::string cursor = "whole_" + table;
    const std::string declare = "DECLARE " + cursor + " CURSOR FOR SELECT " + names_of(columns) +
                                " FROM " + table + " ORDER BY " + order;
    const std::string fetch = "FETCH " + std::to_string(kBulkRows) + " FROM " + cursor;
    database.query(declare.c_str());
    BulkRow values(columns.size());
    for (;;) {
        const Rows page = database.query(fetch.c_str());
        if (page.empty()) break;
        for (const Row row : page) {
            for (std::size_t i = 0; i < columns.size(); ++i)
                values[i] = value_of(row, static_cast<int>(i), columns[i]);
            sink(values);
        }
    }
    database.query(("CLOSE " + cursor).c_str());
}

BulkInsert::BulkInsert(Connection& database, const std::string& table,
                       std::vector<BulkColumn> columns)
    : x_database(database), x_columns(std::move(columns)) {
    std::string arrays;
    for (std::size_t i = 0; i < x_columns.size(); ++i)
        arrays += (i > 0 ? ", $" : "$") + std::to_string(i + 1) +
                  (x_columns[i].text ? "::text[]" : "::bigint[]");
    x_sql = "INSERT INTO " + table + " (" + names_of(x_columns) + ") SELECT * FROM unnest(" +
            arrays + ")";
}

void BulkInsert::add(BulkRow row) {
    for (const BulkValue& value : row)
        if (const auto* text = std::get_if<std::string>(&value)) x_bytes += text->size();
    x_rows.push_back(std::move(row));
    if (x_rows.size() >= kBulkRows || x_bytes >= kBulkBytes) flush();
}

void BulkInsert::flush() {
    if (x_rows.empty()) return;
    Params params;
    for (std::size_t i = 0; i < x_columns.size(); ++i) {
        std::vector<std::optional<std::int64_t>> numbers;
        std::vector<std::optional<std::string_view>> texts;
        for (const BulkRow& row : x_rows) {
            const auto* number = std::get_if<std::int64_t>(&row[i]);
            const auto* text = std::get_if<std::string>(&row[i]);
            if (x_columns[i].text)
                texts.push_back(text ? std::optional<std::string_view>(*text) : std::nullopt);
            else
                numbers.push_back(number ? std::optional(*number) : std::nullopt);
        }
        if (x_columns[i].text)
            params.add(texts);
        else
            params.add(numbers);
    }
    x_database.query(x_sql.c_str(), params);
    x_rows.clear();
    x_bytes = 0;
}

} // namespace parley::postgres
