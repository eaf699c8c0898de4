// Accounts: accounts for the command line, beside the servers that run: in the file of a data
// folder, or, where the settings name a cluster's directory, in that. Whatever shuts a user out
// also ends the sessions in it, and the servers learn of those within a second or two.
//
// Threading: main thread. Errors besides those named: std::runtime_error for the operator.
#pragma once

#include "app/settings.hpp"
#include "model/user.hpp"
#include "ports/erasure_store.hpp"
#include "ports/user_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace parley::app {

struct AccountRow {
    model::User user;
    std::optional<model::Time> last_seen_at;
    std::int64_t rooms = 0, sessions = 0; // sessions that are neither ended nor expired
};

class Accounts {
public:
    virtual ~Accounts() = default;

    virtual void for_each(const std::function<void(const AccountRow&)>& function) = 0;
    // By id, or by the folded username or e-mail address; a name comes before an id.
    virtual std::optional<model::User> find(const std::string& id_or_key) = 0;
    // email_taken, username_taken.
    virtual Result<model::User> add(const ports::NewUser& user) = 0;
    // unknown_user, last_admin. Who is disabled loses all sessions, as with a new password.
    virtual Result<model::User> change_standing(model::UserId user,
                                                const ports::StandingChange& change) = 0;
    virtual Result<void> set_password(model::UserId user, std::string hash) = 0;
    // unknown_user, last_admin. A server does it, at once or at its next start; again is no error.
    virtual Result<void> request_erasure(model::UserId user) = 0;
    virtual std::optional<ports::Erasure> erasure(model::UserId user) = 0;
    // Whether a server runs that would do it.
    virtual bool is_served() = 0;
};

enum class AccountsFor : std::uint8_t { reading, changing, making };
std::unique_ptr<Accounts> open_accounts(const Settings& settings, AccountsFor what);
std::unique_ptr<Accounts> open_cluster_accounts(const Settings& settings);

} // namespace parley::app
