#include "app/commands/accounts.hpp"

#include "adapters/sqlite/user_admin.hpp"
#include "adapters/system/system_clock.hpp"
#include "app/commands/command.hpp"
#include "app/commands/doctor.hpp"

namespace parley::app {
namespace {

// The file of a data folder.
class FileAccounts final : public Accounts {
public:
    FileAccounts(const Settings& settings, sqlite::UserAdmin::Access access)
        : x_data(settings.data), x_admin(settings.data, access) {}

    void for_each(const std::function<void(const AccountRow&)>& function) override {
        x_admin.for_each(x_clock.now(), [&](const sqlite::UserRow& row) {
            function({row.user, row.last_seen_at, row.rooms, row.sessions});
        });
    }
    std::optional<model::User> find(const std::string& id_or_key) override {
        return x_admin.find(id_or_key);
    }
    Result<model::User> add(const ports::NewUser& user) override {
        return x_admin.add(user, x_clock.now());
    }
    Result<model::User> change_standing(model::UserId user,
                                        const ports::StandingChange& change) override {
        return x_admin.change_standing(user, change, x_clock.now());
    }
    Result<void> set_password(model::UserId user, std::string hash) override {
        return x_admin.set_password(user, hash, x_clock.now());
    }
    Result<void> request_erasure(model::UserId user) override {
        return x_admin.request_erasure(user, x_clock.now());
    }
    std::optional<ports::Erasure> erasure(model::UserId user) override {
        return x_admin.erasure(user);
    }
    bool is_served() override { return server_of(x_data).has_value(); }

private:
    const std::filesystem::path x_data;
    system::SystemClock x_clock;
    sqlite::UserAdmin x_admin;
};

} // namespace

std::unique_ptr<Accounts> open_accounts(const Settings& settings, AccountsFor what) {
    using Access = sqlite::UserAdmin::Access;
    if (!settings.cluster.directory_db.empty()) return open_cluster_accounts(settings);
    if (what == AccountsFor::making && settings.node_id == sqlite::kToolNode)
        throw UsageError("the server's node-id is 1023, which these commands use: give it another");
    return std::make_unique<FileAccounts>(settings, what == AccountsFor::reading ? Access::read
                                                    : what == AccountsFor::changing
                                                        ? Access::write
                                                        : Access::make);
}

} // namespace parley::app
