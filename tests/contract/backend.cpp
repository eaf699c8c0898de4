#include "tests/contract/backend.hpp"

#include "adapters/memory/log.hpp"
#include "adapters/memory/store.hpp"
#include "adapters/sqlite/store.hpp"
#include "chat/content_filter.hpp"
#include "tests/contract/await.hpp"
#include "tests/contract/postgres_backend.hpp"

#include <cstdlib>
#include <utility>

namespace parley::contract {

TemporaryFolder::TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    x_path = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(x_path, ignored);
}

void CollectingSink::on_outcomes(std::vector<ports::Outcome> outcomes) {
    std::lock_guard lock(x_mutex);
    for (auto& outcome : outcomes) x_outcomes.push_back(std::move(outcome));
    x_more.notify_one();
}

std::vector<ports::Outcome> CollectingSink::wait_for(std::size_t count) {
    std::unique_lock lock(x_mutex);
    x_more.wait(lock, [&] { return x_outcomes.size() >= count; });
    return std::exchange(x_outcomes, {});
}

namespace {

class SqliteBackend final : public Backend {
public:
    explicit SqliteBackend(const ports::Clock& clock) : x_clock(clock) { open(); }
    ~SqliteBackend() override { stop(); }

    ports::EventStore& events() override { return x_store->events(); }
    void start(ports::BatchRunner runner, ports::OutcomeSink& sink) override {
        x_store->start(std::move(runner), sink);
    }
    void stop() override { x_store->stop(); }
    void reopen() override {
        x_store.reset();
        open();
    }
    ports::RoomLog& log() override { return x_store->log(); }
    ports::History& history() override { return x_store->history(); }
    ports::RoomDirectory& rooms() override { return x_store->rooms(); }
    ports::UserStore& users() override { return x_store->users(); }
    ports::SessionStore& sessions() override { return x_store->sessions(); }
    ports::HeldStore& held() override { return x_store->held(); }
    ports::ErasureStore& erasures() override { return x_store->erasures(); }
    ports::RetentionStore& retention() override { return x_store->retention(); }
    ports::MediaCatalog* media() override { return &x_store->media(); }
    ports::ReleasedMedia* released() override { return &x_store->released_media(); }

private:
    void open() {
        x_store = std::make_unique<sqlite::Store>(x_folder.path(), x_clock, x_logger, x_metrics);
    }
    const ports::Clock& x_clock;
    TemporaryFolder x_folder;
    SilentLogger x_logger;
    Metrics x_metrics;
    std::unique_ptr<sqlite::Store> x_store;
};

class MemoryBackend final : public Backend {
public:
    explicit MemoryBackend(const ports::Clock& clock) : x_store(clock) {}

    ports::EventStore& events() override { return x_store; }
    void start(ports::BatchRunner runner, ports::OutcomeSink& sink) override {
        x_log = std::make_unique<memory::Log>(std::move(runner), sink);
    }
    void stop() override {
        if (x_log) x_log->stop();
    }
    void reopen() override { x_log.reset(); }
    ports::RoomLog& log() override { return *x_log; }
    ports::History& history() override { return x_store; }
    ports::RoomDirectory& rooms() override { return x_store; }
    ports::UserStore& users() override { return x_store; }
    ports::SessionStore& sessions() override { return x_store; }
    ports::HeldStore& held() override { return x_store; }
    ports::ErasureStore& erasures() override { return x_store; }
    ports::RetentionStore& retention() override { return x_store; }

private:
    memory::Store x_store;
    std::unique_ptr<memory::Log> x_log;
};

template <class Kind>
std::unique_ptr<Backend> make(const ports::Clock& clock) {
    return std::make_unique<Kind>(clock);
}

} // namespace

std::vector<BackendKind> backend_kinds() {
    return {{"sqlite", make<SqliteBackend>}, {"memory", make<MemoryBackend>}};
}

std::vector<BackendKind> store_kinds() {
    auto kinds = backend_kinds();
    kinds.push_back({"postgres", make_postgres});
    return kinds;
}

std::vector<BackendKind> media_kinds() {
    return {{"sqlite", make<SqliteBackend>}, {"postgres", make_postgres}};
}

model::Filtered filtered(Result<model::Draft> draft) {
    static const chat::ContentFilter filter; // its tables take a while
    return std::get<model::Filtered>(filter.apply(std::move(draft).value()));
}

std::string World::next_nonce() {
    static std::atomic<std::size_t> count{0};
    return "nonce-" + std::to_string(++count);
}

void World::start() {
    x_ingester = ingest::Ingester::open(x_backend.events(), x_clock, 1).value();
    x_started = true;
    x_backend.start(
        [this](std::vector<ports::Submission> batch) { return x_ingester->run(std::move(batch)); },
        x_sink);
}

model::UserId World::user(const std::string& name) {
    return await(x_backend.users().create_user({.username = name,
                                                .username_key = name,
                                                .email = name + "@example.org",
                                                .email_key = name + "@example.org",
                                                .password_hash = "hash of " + name}))
        .value()
        .id;
}

std::vector<ports::Outcome> World::submit(std::vector<model::Filtered> drafts) {
    std::vector<ports::Submission> batch;
    for (auto& draft : drafts) batch.push_back({std::move(draft), {}});
    const std::size_t count = batch.size();
    if (x_started) {
        x_backend.log().append(std::move(batch));
        return x_sink.wait_for(count);
    }
    if (!x_ingester) x_ingester = ingest::Ingester::open(x_backend.events(), x_clock, 1).value();
    return x_ingester->run(std::move(batch));
}

ports::Outcome World::submit(Result<model::Draft> draft) {
    std::vector<model::Filtered> drafts;
    drafts.push_back(filtered(std::move(draft)));
    return std::move(submit(std::move(drafts)).front());
}

model::Event World::event(Result<model::Draft> draft) {
    x_clock.advance(1);
    const auto outcome = submit(std::move(draft));
    if (outcome.error) throw std::runtime_error(std::string(name_of(outcome.error->code)));
    return outcome.durable.value().event();
}

model::RoomId World::room(model::UserId owner, std::string name, std::vector<model::UserId> others,
                          model::Visibility visibility, std::string topic) {
    return event(chat::Composer::create(owner, {.name = std::move(name),
                                                .topic = std::move(topic),
                                                .kind = model::RoomKind::group,
                                                .visibility = visibility,
                                                .member_ids = std::move(others)}))
        .room_id;
}

model::RoomId World::dm(model::UserId a, model::UserId b) {
    return event(chat::Composer::create(a, {.name = {},
                                            .topic = {},
                                            .kind = model::RoomKind::dm,
                                            .visibility = model::Visibility::restricted,
                                            .member_ids = {b}}))
        .room_id;
}

model::MessageId World::post(model::RoomId room, model::UserId user, std::string_view text,
                             std::string_view nonce) {
    const std::string own = nonce.empty() ? next_nonce() : std::string(nonce);
    return event(
               chat::Composer::post(
                   room, user,
                   {.nonce = own, .type = "TEXT", .content = text, .media_id = {}, .reply_to = {}}))
        .id;
}

void World::post_many(model::RoomId room, model::UserId user, std::size_t count) {
    std::vector<model::Filtered> drafts;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string nonce = next_nonce();
        drafts.push_back(filtered(chat::Composer::post(room, user,
                                                       {.nonce = nonce,
                                                        .type = "TEXT",
                                                        .content = "one of many",
                                                        .media_id = {},
                                                        .reply_to = {}})));
    }
    for (const auto& outcome : submit(std::move(drafts)))
        if (outcome.error) throw std::runtime_error(std::string(name_of(outcome.error->code)));
}

} // namespace parley::contract
