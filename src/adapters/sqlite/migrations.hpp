// The shape of the database file, as numbered steps. `PRAGMA user_version` holds the number of the
// last step that ran; the application id tells a Parley file from any other SQLite file.
//
// A step that was released is never changed: a new shape is a new step. Each runs in a transaction
// of its own together with its number, so that a crash between two leaves a file that goes on from
// there. Threading: before the store starts.
#pragma once

#include "adapters/sqlite/database.hpp"

#include <span>

namespace parley::sqlite {

inline constexpr std::int64_t kApplicationId = 0x50726C79; // "Prly"

struct Migration {
    const char* sql;
};

std::span<const Migration> migrations();

// Brings the file to the newest shape. Throws DatabaseError: a file of a newer program, or one that
// is not Parley's, is refused unchanged.
void migrate(Database& database, std::span<const Migration> steps = migrations());

} // namespace parley::sqlite
