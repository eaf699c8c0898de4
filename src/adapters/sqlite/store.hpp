// Store: everything that the embedded product keeps, in one SQLite file `parley.db` in one folder
// that belongs to one process at a time.
//
// Threads: the writer (all writes), a checkpointer beside it, limits::kReaderThreads readers.
// Threading: the ports say which calls may come from any core; the rest belongs to the owner's
// thread. events() is for the writer's thread, and before start() for the owner's.
// Owner: app/wiring. Shutdown: stop() commits and answers what was accepted, refuses the rest with
// shutting_down, ends the threads and copies the write-ahead log into the file. The clock, the log,
// the metrics and the sink must live longer.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/committer.hpp"
#include "ports/erasure_store.hpp"
#include "ports/event_store.hpp"
#include "ports/held_store.hpp"
#include "ports/history.hpp"
#include "ports/media_catalog.hpp"
#include "ports/retention_store.hpp"
#include "ports/room_directory.hpp"
#include "ports/room_log.hpp"
#include "ports/user_store.hpp"
#include "ports/word_store.hpp"

#include <filesystem>
#include <memory>

namespace parley::sqlite {

class Store {
public:
    // Makes the folder (mode 700) and the file where there is none, and brings an older file to the
    // present shape. Throws std::runtime_error with a text for the operator: another process has
    // the folder, the file is of a newer program or not ours, the disk says no.
    Store(const std::filesystem::path& data_directory, const ports::Clock& clock, Logger& logger,
          Metrics& metrics);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    ports::EventStore& events();
    // Once, and before any append() to log(). `runner` is called on the writer's thread and let go
    // by stop(). Commands of the directory may come earlier: they wait.
    void start(ports::BatchRunner runner, ports::OutcomeSink& sink);
    void stop();
    // False for a while after a write that the disk refused. Any thread.
    bool writable() const;

    ports::RoomLog& log();
    ports::History& history();
    ports::RoomDirectory& rooms();
    ports::UserStore& users();
    ports::SessionStore& sessions();
    ports::WordStore& words();
    ports::HeldStore& held();
    ports::ErasureStore& erasures();
    ports::RetentionStore& retention();
    ports::MediaCatalog& media();
    ports::ReleasedMedia& released_media();

private:
    struct Parts;
    std::unique_ptr<Parts> x_parts;
};

} // namespace parley::sqlite
