// Rows of the tables users and sessions, and the writes that are made in one transaction with
// nothing else: the store makes them on the writer's thread, the command line on a connection of
// its own.
//
// Threading: functions of a connection. The writes need an open transaction.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "ports/rows.hpp"
#include "ports/user_store.hpp"

#include <string_view>
#include <vector>

namespace parley::sqlite {

using ports::kUserColumns, ports::read_user;

Error unknown_user();
Result<model::User> user_of(Database& database, model::UserId user); // unknown_user
std::vector<model::User> users_with_prefix(Database& database, std::string_view prefix,
                                           model::UserId after, std::size_t limit);

// As ports::UserStore and ports::SessionStore say.
Result<model::User> write_standing(Database& database, model::UserId user,
                                   const ports::StandingChange& change, model::Time now);
Result<void> write_password(Database& database, model::UserId user, std::string_view password_hash,
                            model::SessionId but, model::Time now);
// Asks for an erasure, as ports::ErasureStore says; the running server does it.
Result<void> write_erasure_request(Database& database, model::UserId user, model::Time now);
// All but that one. Answers how many were ended.
std::int64_t end_sessions_of(Database& database, model::UserId user, model::Time now,
                             model::SessionId but = {});

} // namespace parley::sqlite
