// Accounts of a cluster: in its directory, by the same adapters that its nodes use.
#include "adapters/postgres/account_counts.hpp"
#include "adapters/system/spdlog_logger.hpp"
#include "adapters/system/system_clock.hpp"
#include "adapters/system/system_entropy.hpp"
#include "app/cluster_parts.hpp"
#include "app/commands/accounts.hpp"
#include "app/run_now.hpp"
#include "base/limits.hpp"

#include <unistd.h>

namespace parley::app {
namespace {

system::LogSettings quiet() {
    system::LogSettings settings;
    settings.level = LogLevel::error;
    return settings;
}

class ClusterAccounts final : public Accounts {
public:
    explicit ClusterAccounts(const Settings& settings)
        : x_log(quiet()),
          x_directory({.target = settings.cluster.directory_db,
                       .node = "tool-" + std::to_string(::getpid()),
                       .partitions = settings.cluster.partitions,
                       .shards = static_cast<std::uint16_t>(shard_targets(settings).size())},
                      x_clock, x_entropy, x_log, x_metrics),
          x_shards(settings, x_directory.layout(), x_metrics),
          x_pool("tool", settings.cluster.directory_db, x_metrics, 1) {
        x_directory.use_shards(x_shards.pools(), x_shards.shard_of_room());
        x_directory.start([] {});
    }
    ~ClusterAccounts() override {
        x_pool.stop();
        x_shards.stop();
        x_directory.stop();
    }

    void for_each(const std::function<void(const AccountRow&)>& function) override {
        model::UserId after;
        for (;;) {
            const auto page = run(x_directory.users().search_users("", after, limits::kPageMax));
            if (page.empty()) return;
            std::vector<model::UserId> ids;
            for (const model::User& user : page) ids.push_back(user.id);
            const auto counts =
                run(postgres::account_counts(x_pool, x_shards.map(), ids, x_clock.now()));
            const auto names = run(x_directory.user_names().names_of(ids));
            for (std::size_t i = 0; i < page.size(); ++i)
                function({page[i], names[i].last_seen_at, counts[i].rooms, counts[i].sessions});
            after = page.back().id;
        }
    }
    std::optional<model::User> find(const std::string& id_or_key) override {
        for (const bool by_email : {false, true})
            if (auto login = answer(x_directory.users().find_login(id_or_key, by_email)))
                return login->user;
        const auto id = model::UserId::parse(id_or_key);
        if (!id) return std::nullopt;
        if (auto user = answer(x_directory.users().find_user(*id))) return *user;
        return std::nullopt;
    }
    Result<model::User> add(const ports::NewUser& user) override {
        return answer(x_directory.users().create_user(user));
    }
    Result<model::User> change_standing(model::UserId user,
                                        const ports::StandingChange& change) override {
        return answer(x_directory.users().change_standing(user, change, x_clock.now()));
    }
    Result<void> set_password(model::UserId user, std::string hash) override {
        return answer(x_directory.users().set_password(user, std::move(hash), {}, x_clock.now()));
    }
    Result<void> request_erasure(model::UserId user) override {
        const auto asked = answer(x_directory.erasures().request_erasure(user, x_clock.now()));
        if (!asked) return asked.error();
        return {};
    }
    std::optional<ports::Erasure> erasure(model::UserId user) override {
        auto found = answer(x_directory.erasures().find_erasure(user));
        if (!found) return std::nullopt;
        return std::move(*found);
    }
    // Whether one of its nodes is there is not known here.
    bool is_served() override { return true; }

private:
    // The answer, where an unavailable database is the operator's and all else the caller's.
    template <class T>
    Result<T> answer(Task<Result<T>> task) {
        Result<T> result = run_now(x_io, std::move(task));
        if (!result &&
            (result.error().code == Errc::unavailable || result.error().code == Errc::internal))
            throw std::runtime_error(result.error().detail);
        return result;
    }
    template <class T>
    T run(Task<Result<T>> task) {
        Result<T> result = answer(std::move(task));
        if (!result) throw std::runtime_error(result.error().detail);
        return std::move(*result);
    }

    boost::asio::io_context x_io;
    system::SystemClock x_clock;
    system::SystemEntropy x_entropy;
    system::SpdlogLogger x_log;
    Metrics x_metrics;
    postgres::Directory x_directory;
    Shards x_shards;
    postgres::Pool x_pool;
};

} // namespace

std::unique_ptr<Accounts> open_cluster_accounts(const Settings& settings) {
    return std::make_unique<ClusterAccounts>(settings);
}

} // namespace parley::app
