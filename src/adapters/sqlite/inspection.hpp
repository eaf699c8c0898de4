// Inspection: whether the store keeps its own rules. It reads one moment of the file, also beside
// the running server, and changes nothing.
//
// Threading: the caller's thread. Bounds: memory for one room at a time. Errors: DatabaseError when
// the file cannot be read at all.
#pragma once

#include "adapters/sqlite/database.hpp"

#include <string>
#include <vector>

namespace parley::sqlite {

struct Breach {
    std::string rule;   // short name, stable: it appears in --json
    std::string detail; // what was found where; ids, never content
};

struct InspectionSettings {
    bool pages = true; // SQLite's own check, which reads the whole file
    bool full = false; // also each index against its table
    Database::Progress progress = [](std::uint64_t, std::uint64_t) {};
};

// The names of all rules, in the order in which they are tried.
std::vector<std::string> store_rules();
// At most one breach of each rule, with how many there are. Within the caller's transaction, if
// there is one.
std::vector<Breach> inspect(Database& database, const InspectionSettings& settings);

} // namespace parley::sqlite
