// Backend: one adapter under test, behind the ports. World: rooms, users and messages made in it
// the way the product makes them (composer, filter, sequencer, ingester), in few words.
#pragma once

#include "base/metrics.hpp"
#include "chat/composer.hpp"
#include "ingest/ingester.hpp"
#include "ports/committer.hpp"
#include "ports/erasure_store.hpp"
#include "ports/held_store.hpp"
#include "ports/history.hpp"
#include "ports/media_catalog.hpp"
#include "ports/retention_store.hpp"
#include "ports/room_directory.hpp"
#include "ports/user_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace parley::contract {

class ManualClock final : public ports::Clock {
public:
    model::Time now() const override { return {x_ms.load()}; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(x_ms.load()));
    }
    void advance(std::int64_t ms) { x_ms += ms; }

private:
    std::atomic<std::int64_t> x_ms{1'767'323'045'678};
};

// A folder that is gone when the test is.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return x_path; }

private:
    std::filesystem::path x_path;
};

// Collects outcomes; wait_for() blocks until so many have come since the last call.
class CollectingSink final : public ports::OutcomeSink {
public:
    void on_outcomes(std::vector<ports::Outcome> outcomes) override;
    std::vector<ports::Outcome> wait_for(std::size_t count);

private:
    std::mutex x_mutex;
    std::condition_variable x_more;
    std::vector<ports::Outcome> x_outcomes;
};

class Backend {
public:
    virtual ~Backend() = default;
    // Only before start(), or inside the runner.
    virtual ports::EventStore& events() = 0;
    virtual void start(ports::BatchRunner runner, ports::OutcomeSink& sink) = 0;
    virtual void stop() = 0;
    // Ends it and opens it again on what it has kept, not started.
    virtual void reopen() = 0;
    virtual ports::RoomLog& log() = 0;
    virtual ports::History& history() = 0;
    virtual ports::RoomDirectory& rooms() = 0;
    virtual ports::UserStore& users() = 0;
    virtual ports::SessionStore& sessions() = 0;
    virtual ports::HeldStore& held() = 0;
    virtual ports::ErasureStore& erasures() = 0;
    virtual ports::RetentionStore& retention() = 0;
    // Null: it keeps no files.
    virtual ports::MediaCatalog* media() { return nullptr; }
    virtual ports::ReleasedMedia* released() { return nullptr; }
};

struct BackendKind {
    const char* name;
    std::unique_ptr<Backend> (*make)(const ports::Clock& clock);
};
// Those that every suite runs on.
std::vector<BackendKind> backend_kinds();
// With those that are stores of a log that is elsewhere: what only a log promises is not theirs.
std::vector<BackendKind> store_kinds();
// Those that keep files.
std::vector<BackendKind> media_kinds();

model::Filtered filtered(Result<model::Draft> draft);

class World {
public:
    World(Backend& backend, ManualClock& clock) : x_backend(backend), x_clock(clock) {}
    ~World() { x_backend.stop(); }
    // From now on drafts go through the log's own thread; before, they are ingested right here.
    void start();

    model::UserId user(const std::string& name); // after start()
    std::vector<ports::Outcome> submit(std::vector<model::Filtered> drafts);
    ports::Outcome submit(Result<model::Draft> draft);
    // Fails the test when the draft is refused.
    model::Event event(Result<model::Draft> draft);

    model::RoomId room(model::UserId owner, std::string name,
                       std::vector<model::UserId> others = {},
                       model::Visibility visibility = model::Visibility::open,
                       std::string topic = {});
    model::RoomId dm(model::UserId a, model::UserId b);
    model::MessageId post(model::RoomId room, model::UserId user, std::string_view text,
                          std::string_view nonce = {});
    void post_many(model::RoomId room, model::UserId user, std::size_t count);

private:
    // Not used before by any world of this process: a backend may outlive its world.
    static std::string next_nonce();

    Backend& x_backend;
    ManualClock& x_clock;
    CollectingSink x_sink;
    std::unique_ptr<ingest::Ingester> x_ingester;
    bool x_started = false;
};

// A suite: a backend of the parameter's kind, started, with a world in it.
class SuiteOnEachBackend : public testing::TestWithParam<BackendKind> {
protected:
    void SetUp() override {
        backend = GetParam().make(clock);
        world = std::make_unique<World>(*backend, clock);
        world->start();
    }
    void TearDown() override {
        world.reset();
        backend.reset();
    }

    ManualClock clock;
    std::unique_ptr<Backend> backend;
    std::unique_ptr<World> world;
};

#define PARLEY_ON_EACH_BACKEND(Suite)                                                              \
    INSTANTIATE_TEST_SUITE_P(, Suite, testing::ValuesIn(backend_kinds()),                          \
                             [](const auto& info) { return std::string(info.param.name); })

#define PARLEY_ON_EACH_STORE(Suite)                                                                \
    INSTANTIATE_TEST_SUITE_P(, Suite, testing::ValuesIn(store_kinds()),                            \
                             [](const auto& info) { return std::string(info.param.name); })

#define PARLEY_ON_EACH_CATALOG(Suite)                                                              \
    INSTANTIATE_TEST_SUITE_P(, Suite, testing::ValuesIn(media_kinds()),                            \
                             [](const auto& info) { return std::string(info.param.name); })

} // namespace parley::contract
