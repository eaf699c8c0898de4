// Rows of the tables users and sessions, and the writes that are made in one transaction with
// others.
//
// Threading: functions of a connection. The writes need an open transaction.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "ports/rows.hpp"
#include "ports/user_store.hpp"

namespace parley::postgres {

using ports::kUserColumns, ports::read_user;

Error unknown_user();
Result<model::User> user_of(Connection& database, model::UserId user); // unknown_user

// As ports::UserStore says. Takes Lock::admins.
Result<model::User> write_standing(Connection& database, model::UserId user,
                                   const ports::StandingChange& change, model::Time now);
// All but that one. Answers how many were ended.
std::int64_t end_sessions_of(Connection& database, model::UserId user, model::Time now,
                             model::SessionId but = {});

} // namespace parley::postgres
