// UserAdmin: accounts for the command line, straight on the database file, also while the server
// runs on it. Each change is one short transaction; whatever shuts a user out also ends the
// sessions in it, and the running server learns of those from the file.
//
// Ids have a node number of their own (kToolNode), so that they cannot meet those of a server.
// Threading: the caller's thread. Errors: std::runtime_error with a text for the operator.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "model/user.hpp"
#include "ports/erasure_store.hpp"
#include "ports/user_store.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace parley::sqlite {

inline constexpr std::uint16_t kToolNode = 1'023;

struct UserRow {
    model::User user;
    std::optional<model::Time> last_seen_at;
    std::int64_t rooms = 0, sessions = 0; // sessions that are neither ended nor expired
};

class UserAdmin {
public:
    enum class Access : std::uint8_t { read, write, make };
    UserAdmin(const std::filesystem::path& data_directory, Access access);

    void for_each(model::Time now, const std::function<void(const UserRow&)>& function);
    // By id, or by the folded username or e-mail address.
    std::optional<model::User> find(std::string_view id_or_key);

    // email_taken, username_taken.
    Result<model::User> add(const ports::NewUser& user, model::Time now);
    // unknown_user, last_admin. Who is disabled loses all sessions, as with a new password.
    Result<model::User> change_standing(model::UserId user, const ports::StandingChange& change,
                                        model::Time now);
    Result<void> set_password(model::UserId user, std::string_view hash, model::Time now);

    // unknown_user, last_admin. The server does it, at once or at its next start; again is no
    // error.
    Result<void> request_erasure(model::UserId user, model::Time now);
    std::optional<ports::Erasure> erasure(model::UserId user);

private:
    template <class Function>
    auto transaction(Function&& function);
    bool taken(const char* sql, std::string_view key);

    std::unique_ptr<Database> x_database;
};

} // namespace parley::sqlite
