#include "adapters/sqlite/migrations.hpp"
#include "adapters/sqlite/transfer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace parley::sqlite {
namespace {

// A new table or column must be carried, or be named as left behind: an export that silently loses
// it would be found out only when it is needed.
TEST(Transfer, EveryTableAndColumnOfTheSchemaIsCarriedOrLeftBehindOnPurpose) {
    Database database(":memory:", Database::Mode::writer);
    migrate(database);
    std::set<std::string> known(left_behind().begin(), left_behind().end());
    for (const CarriedTable& table : carried_tables())
        for (const Column& column : table.columns)
            known.insert(std::string(table.table) + "." + column.name);

    std::set<std::string> present;
    auto query =
        database.query("SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c "
                       "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'");
    while (query.row()) {
        if (known.contains(query.string(0))) {
            present.insert(query.string(0));
            continue;
        }
        const std::string name = query.string(0) + "." + query.string(1);
        present.insert(name);
        EXPECT_TRUE(known.contains(name))
            << name << " is new: add it to transfer_format.cpp, carried or left behind";
    }
    for (const CarriedTable& table : carried_tables())
        for (const Column& column : table.columns)
            EXPECT_TRUE(present.contains(std::string(table.table) + "." + column.name))
                << table.table << "." << column.name << " is carried, but not in the schema";
}

// Of `meta` only the last id is taken over; `alive_at` is when this very server was last awake.
TEST(Transfer, TheTableMetaHoldsNothingElseThatWouldBeMissed) {
    Database database(":memory:", Database::Mode::writer);
    migrate(database);
    EXPECT_EQ(database.pragma("SELECT count(*) FROM meta WHERE key NOT IN ('last_event_id', "
                              "'alive_at')"),
              0);
}

// Rows can be told apart and come in one order: the order names a whole key of the table.
TEST(Transfer, TheOrderOfLinesIsThatOfAKey) {
    Database database(":memory:", Database::Mode::writer);
    migrate(database);
    for (const CarriedTable& table : carried_tables()) {
        std::string key;
        auto query =
            database.query("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk");
        query.bind(table.table);
        while (query.row()) key += (key.empty() ? "" : ", ") + query.string(0);
        EXPECT_EQ(key, table.order) << table.table;
    }
}

} // namespace
} // namespace parley::sqlite
