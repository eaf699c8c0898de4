// Copies of the database file: made beside a running server, and looked at before they are trusted.
//
// Threading: the caller's thread. Errors: std::runtime_error with a text for the operator.
#pragma once

#include "adapters/sqlite/database.hpp"

#include <string>
#include <utility>
#include <vector>

namespace parley::sqlite {

// What a copy can be recognised by.
struct CopyFacts {
    std::int64_t schema_version = 0;
    std::int64_t last_event_id = 0;
    std::vector<std::pair<std::string, std::int64_t>> rows; // of each table, by name
};

// `to` must not exist. Everything that was acknowledged before the call is in it.
void copy_database(const std::filesystem::path& data_directory, const std::filesystem::path& to,
                   const Database::Progress& progress);
// Reads each page of a file that nobody else uses: SQLite's own check and the counts.
CopyFacts check_copy(const std::filesystem::path& file);

} // namespace parley::sqlite
