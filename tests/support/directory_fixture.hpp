// A directory on a real PostgreSQL, in a database of its own, with its own clock.
//
// Threading: the test's main thread.
#pragma once

#include "adapters/postgres/directory.hpp"
#include "tests/support/await.hpp"
#include "tests/support/postgres_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

namespace parley::test {

class DirectoryClock final : public ports::Clock {
public:
    model::Time now() const override { return {x_ms.load()}; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(x_ms.load()));
    }
    void advance(std::int64_t ms) { x_ms += ms; }

private:
    std::atomic<std::int64_t> x_ms{1'767'323'045'678};
};

// Never twice the same; nobody needs it to be a secret here.
class DirectoryEntropy final : public ports::Entropy {
public:
    void fill(std::span<std::byte> out) override {
        static std::atomic<unsigned> next{1};
        for (std::byte& b : out) b = static_cast<std::byte>(next++ * 7 % 251);
    }
};

class DirectoryFixture : public testing::Test {
protected:
    DirectoryFixture()
        : target(PostgresServer::instance().make_database("directory")),
          directory(open("node a")) {}

    // One more process on the same database.
    std::unique_ptr<postgres::Directory> open(const std::string& node) {
        postgres::DirectorySettings settings;
        settings.target = target;
        settings.node = node;
        return std::make_unique<postgres::Directory>(settings, clock, entropy, logger, metrics);
    }

    ports::UserStore& users() { return directory->users(); }
    ports::SessionStore& sessions() { return directory->sessions(); }

    static ports::NewUser new_user(const std::string& name, const std::string& email) {
        return {.username = name,
                .username_key = name,
                .email = email,
                .email_key = email,
                .password_hash = "hash of " + name};
    }
    model::UserId user(const std::string& name) {
        return await(users().create_user(new_user(name, name + "@example.org"))).value().id;
    }

    DirectoryClock clock;
    DirectoryEntropy entropy;
    SilentLogger logger;
    Metrics metrics;
    const std::string target;
    std::unique_ptr<postgres::Directory> directory;
};

} // namespace parley::test
