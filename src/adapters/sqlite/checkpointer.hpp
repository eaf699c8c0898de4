// Checkpointer: copies the write-ahead log into the database file, so that the log begins anew.
//
// A checkpoint of a long log takes tens of milliseconds, in which the writer would commit nothing.
// So the bulk is copied by a thread of its own with a connection of its own, beside the writer, and
// the writer itself copies only what was added meanwhile: when that reaches the end, the next
// commit begins the log anew. Readers that hold an older state only delay it; when the log is four
// times its bound, the writer waits for them.
//
// Threading: the writer's thread; start() and stop() before and after it. Owner: the store.
// Bounds: kIdlePages, kBusyPages (a page is 4 KiB). Shutdown: stop() joins; what is left in the
// log is copied by the store's last checkpoint, or found by the next start.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "base/log.hpp"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

namespace parley::sqlite {

class Checkpointer {
public:
    // When nothing waits, the log is copied from this length on; under load from the other.
    static constexpr int kIdlePages = 256;
    static constexpr int kBusyPages = 8 * 1024;

    Checkpointer(const std::filesystem::path& file, Database& writer, Logger& logger);
    ~Checkpointer() { stop(); }

    void start();
    void stop();

    // After each commit.
    void after_commit();
    // When the writer has had nothing to do for a while.
    void when_idle();
    bool wants_idle() const { return x_empty_log || x_writer.log_pages() >= kIdlePages; }
    // The log's file is to hold nothing any more: as soon as the writer rests and no reader looks
    // at an older state.
    void empty_log() { x_empty_log = true; }

private:
    void work();
    void request();
    void finish(Database::CheckpointKind kind);
    void truncate();
    void note(const DatabaseError& error);

    const std::filesystem::path x_file;
    Database& x_writer;
    Logger& x_logger;
    enum class Phase : std::uint8_t { resting, copying, copied };
    std::atomic<Phase> x_phase{Phase::resting};
    bool x_empty_log = false; // the writer's thread
    int x_due = kBusyPages;   // the writer's thread: begin at this length
    std::atomic<bool> x_failing{false};

    std::mutex x_mutex;
    std::condition_variable x_wake;
    bool x_stopping = false; // guarded by x_mutex
    std::thread x_thread;
};

} // namespace parley::sqlite
