// The shape of exported lines: which tables and columns are carried, under which names, and for
// which scope. Exporter and importer both read this one list, so what one writes the other knows;
// transfer_test.cpp fails when the schema has a table or a column that is not named here.
//
// Threading: constant data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace parley::sqlite {

// One value of a line. Ids and hashes are decimal strings (a JavaScript number would lose digits),
// times RFC 3339, choices words; a NULL is not written.
using Field = std::variant<std::monostate, std::int64_t, bool, std::string>;

struct Record {
    std::string kind;
    std::vector<std::pair<std::string, Field>> fields; // in the order of the list
};

enum class Scope : std::uint8_t { server, room, user };

enum class Form : std::uint8_t { id, number, time, text, truth, choice };

struct Choice {
    std::int64_t value;
    const char* word;
};

// with_server: what gives power over a server, and must not come with a room.
enum class Travels : std::uint8_t { always, with_server, with_credentials };

struct Column {
    const char* name;
    Form form;
    std::span<const Choice> choices = {};
    Travels travels = Travels::always;
    // What an import takes where the column does not travel.
    std::variant<std::monostate, std::int64_t, std::string_view> instead = {};
};

struct CarriedTable {
    const char* table;
    const char* kind;
    std::vector<Column> columns;
    const char* order;
    const char* of_room; // conditions with ?1; nullptr: not in this scope
    const char* of_user;
    bool of_server = true;

    const char* condition(Scope scope) const {
        return scope == Scope::server ? (of_server ? "1" : nullptr)
               : scope == Scope::room ? of_room
                                      : of_user;
    }
};

// In the order of lines.
const std::vector<CarriedTable>& carried_tables();
// Columns that stay behind on purpose, as "table.column", or "table" for all of it.
std::span<const std::string_view> left_behind();

} // namespace parley::sqlite
