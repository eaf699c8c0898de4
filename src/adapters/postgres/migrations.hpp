// The shape of a database, as numbered steps. The table schema_version holds the name of the schema
// and the number of the last step that ran.
//
// A step that was released is never changed: a new shape is a new step. Each runs in a transaction
// of its own together with its number. Several programs may begin at once: one does it, the others
// wait (an advisory lock). The database must be UTF8 and sort by bytes (LC_COLLATE 'C').
// Threading: before the store starts.
#pragma once

#include "adapters/postgres/connection.hpp"

#include <span>

namespace parley::postgres {

struct Migration {
    const char* sql;
};

struct Schema {
    const char* name;
    std::span<const Migration> steps;
};

extern const Schema kShardSteps;     // rooms and what is said in them: shard_schema.cpp
extern const Schema kDirectorySteps; // users and what concerns all: directory_schema.cpp

// Brings the database to the newest shape. Throws DatabaseError: one of a newer program, or of
// another schema, is refused unchanged.
void migrate(Connection& connection, const Schema& schema);

// unavailable unless the database has the newest shape: for programs that only use it.
void check_schema(Connection& connection, const Schema& schema);

} // namespace parley::postgres
