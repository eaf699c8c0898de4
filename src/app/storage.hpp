// Storage: what the application keeps things in, behind the ports: one SQLite file in this process
// (embedded_storage.cpp), or the parts of a cluster (cluster_storage.cpp).
//
// Threading: the owner's thread, but for what the ports say. Owner: app. Shutdown, in this order:
// close() on core 0 while the cores run, stop() after everything that uses the ports.
#pragma once

#include "app/settings.hpp"
#include "base/core.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/entropy.hpp"
#include "ports/erasure_store.hpp"
#include "ports/held_store.hpp"
#include "ports/history.hpp"
#include "ports/media_catalog.hpp"
#include "ports/object_store.hpp"
#include "ports/retention_store.hpp"
#include "ports/room_directory.hpp"
#include "ports/room_log.hpp"
#include "ports/span_sink.hpp"
#include "ports/user_store.hpp"
#include "ports/word_store.hpp"
#include "service/presence_share.hpp"
#include "service/rate_limits.hpp"
#include "service/room_feed.hpp"
#include "service/rooms.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace parley::disk {
class Store;
}

namespace parley::app {

struct StorageParts {
    const Settings& settings;
    const ports::Clock& clock;
    ports::Entropy& entropy;
    service::RateLimits& rates;
    Logger& log;
    Metrics& metrics;
    ports::SpanSink* spans = nullptr; // null: no spans are sent
};

class Storage {
public:
    using Work = std::function<Task<std::chrono::milliseconds>()>;

    virtual ~Storage() = default;
    // In classic frames.
    virtual std::string node_name() const = 0;
    // Signs tokens; the same for all processes. 32 bytes or more.
    virtual std::string secret() = 0;

    // Once, before anything is read.
    virtual void start(ports::OutcomeSink& sink) = 0;
    // Once for each core, in order.
    struct OnCore {
        ports::RoomDirectory& rooms;
        ports::History& history;
    };
    virtual OnCore on_core(Core& core) = 0;
    // Once, when all cores have their rooms. From now on drafts may come.
    virtual void meet(std::vector<service::Rooms*> rooms) = 0;

    virtual ports::RoomLog& log() = 0;
    virtual ports::UserStore& users() = 0;
    virtual ports::SessionStore& sessions() = 0;
    virtual ports::WordStore& words() = 0;
    virtual ports::HeldStore& held() = 0;
    virtual ports::ErasureStore& erasures() = 0;
    virtual ports::RetentionStore& retention() = 0;
    // Files; all null where none are served.
    virtual ports::MediaCatalog* media() { return nullptr; }
    virtual ports::ReleasedMedia* released_media() { return nullptr; }
    virtual ports::ObjectStore* objects() { return nullptr; }
    // The store of files of this process, whose URLs it answers itself; null: another server does.
    virtual disk::Store* files() { return nullptr; }
    virtual service::RoomFeed* feed() { return nullptr; }
    virtual service::PresenceShare* presence() { return nullptr; }

    // Sessions that were ended here, to the other processes; and what they say of theirs, on
    // core 0. The store says the same a moment later, so it is no harm if this is lost.
    virtual void tell_ended(model::SessionId) {}
    virtual void on_ended(std::function<void(model::SessionId)>) {}

    // What must be done again and again, on core 0.
    virtual std::vector<Work> chores() { return {}; }
    // Whether this process does what one process does for all: what concerns rooms (erasing,
    // retention), or files (sweeping).
    enum class Duty : std::uint8_t { rooms, files };
    virtual Task<bool> leads(Duty) { co_return true; }
    // What stands in the way of serving, in words for an operator.
    virtual std::vector<std::string> what_is_missing() const = 0;

    virtual Task<void> close() { co_return; }
    virtual void stop() = 0;
};

std::unique_ptr<Storage> make_embedded_storage(const StorageParts& parts);
std::unique_ptr<Storage> make_cluster_storage(const StorageParts& parts);

} // namespace parley::app
