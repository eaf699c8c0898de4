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

// A file that was uploaded, or may be.
struct NamedMedia {
    std::string key;
    bool stored = false;   // it was looked at, and is there
    bool stripped = false; // readers get the copy without metadata
};

// `to` must not exist. Everything that was acknowledged before the call is in it.
void copy_database(const std::filesystem::path& data_directory, const std::filesystem::path& to,
                   const Database::Progress& progress);
// Reads each page of a file that nobody else uses: SQLite's own check and the counts.
CopyFacts check_copy(const std::filesystem::path& file);
// The files that a copy, of the program's own version, has and has not removed.
std::vector<NamedMedia> named_media(const std::filesystem::path& file);

} // namespace parley::sqlite
