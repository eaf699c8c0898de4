// Locks of the directory for what no row stands for: held to the end of the transaction.
//
// Threading: functions of a connection, in an open transaction.
#pragma once

#include "adapters/postgres/connection.hpp"

namespace parley::postgres {

// Numbers that nothing else in this database uses.
enum class Lock : std::int64_t {
    admins = 0x5061'726c'0101, // who may be the last admin
    room_words = 0x5061'726c'0102,
    layout = 0x5061'726c'0103
};

inline void lock(Connection& database, Lock which) {
    database.query("SELECT pg_advisory_xact_lock($1)", Params(which));
}

} // namespace parley::postgres
