// Opens the database file for a program that is not the server: also while the server runs, which
// keeps the folder's lock. A file that is older than the program, or absent, is brought to the
// present shape only under the lock, so never beneath a server.
//
// Threading: the caller's thread. Errors: std::runtime_error with a text for the operator.
#pragma once

#include "adapters/sqlite/database.hpp"

#include <filesystem>
#include <memory>

namespace parley::sqlite {

std::filesystem::path database_file(const std::filesystem::path& data_directory);

enum class IfAbsent : std::uint8_t { refuse, make };
// A connection that may write: short transactions only, the server waits for them.
std::unique_ptr<Database> open_beside_server(const std::filesystem::path& data_directory,
                                             IfAbsent absent = IfAbsent::refuse);
// A read-only one, with the file's version checked.
std::unique_ptr<Database> open_to_read(const std::filesystem::path& data_directory);

// A file that root makes in a folder of somebody else's belongs to that one: the server's user must
// be able to open it.
void give_to_owner_of(const std::filesystem::path& directory, const std::filesystem::path& file);

} // namespace parley::sqlite
