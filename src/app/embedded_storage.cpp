// Everything in this process: one SQLite file, whose writer's thread sequences too.
#include "adapters/crypto/secret_file.hpp"
#include "adapters/disk/store.hpp"
#include "adapters/sqlite/store.hpp"
#include "app/storage.hpp"
#include "ingest/ingester.hpp"

#include <stdexcept>

namespace parley::app {
namespace {

std::unique_ptr<ingest::Ingester> open_ingester(ports::EventStore& store, const ports::Clock& clock,
                                                std::uint16_t node, Metrics& metrics,
                                                service::RateLimits& rates) {
    using service::Limit;
    Counter& slow_mode = metrics.counter("parley_slow_mode_refused_total",
                                         "Messages refused by the slow mode of their room");
    auto ingester = ingest::Ingester::open(store, clock, node,
                                           {.sends = rates.limit(Limit::room_sends),
                                            .joins = rates.limit(Limit::room_joins),
                                            .sends_refused = &rates.refusals(Limit::room_sends),
                                            .joins_refused = &rates.refusals(Limit::room_joins),
                                            .slow_mode_refused = &slow_mode});
    if (!ingester) throw std::runtime_error("the log cannot be read: " + ingester.error().detail);
    return std::move(*ingester);
}

class EmbeddedStorage final : public Storage {
public:
    explicit EmbeddedStorage(const StorageParts& parts)
        : x_parts(parts),
          x_store(parts.settings.data, parts.clock, parts.log, parts.metrics),
          x_ingester(open_ingester(x_store.events(), parts.clock, parts.settings.node_id,
                                   parts.metrics, parts.rates)),
          x_files(parts.settings.data / "media", secret(), parts.metrics) {}

    std::string node_name() const override {
        return "parley-" + std::to_string(x_parts.settings.node_id);
    }
    std::string secret() override {
        return crypto::load_or_make_secret(x_parts.settings.data / "secret", x_parts.entropy);
    }
    void start(ports::OutcomeSink& sink) override {
        x_store.start(
            [this](std::vector<ports::Submission> batch) {
                return x_ingester->run(std::move(batch));
            },
            sink);
    }
    OnCore on_core(Core&) override { return {x_store.rooms(), x_store.history()}; }
    void meet(std::vector<service::Rooms*>) override {}

    ports::RoomLog& log() override { return x_store.log(); }
    ports::UserStore& users() override { return x_store.users(); }
    ports::SessionStore& sessions() override { return x_store.sessions(); }
    ports::WordStore& words() override { return x_store.words(); }
    ports::HeldStore& held() override { return x_store.held(); }
    ports::ErasureStore& erasures() override { return x_store.erasures(); }
    ports::RetentionStore& retention() override { return x_store.retention(); }
    ports::MediaCatalog* media() override { return &x_store.media(); }
    ports::ReleasedMedia* released_media() override { return &x_store.released_media(); }
    ports::ObjectStore* objects() override { return &x_files; }
    disk::Store* files() override { return &x_files; }
    std::vector<std::string> what_is_missing() const override {
        if (x_store.writable()) return {};
        return {"the database cannot be written"};
    }
    void stop() override {
        x_files.stop();
        x_store.stop();
    }

private:
    const StorageParts x_parts;
    sqlite::Store x_store;
    std::unique_ptr<ingest::Ingester> x_ingester;
    disk::Store x_files;
};

} // namespace

std::unique_ptr<Storage> make_embedded_storage(const StorageParts& parts) {
    return std::make_unique<EmbeddedStorage>(parts);
}

} // namespace parley::app
