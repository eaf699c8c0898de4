#include "adapters/sqlite/checkpointer.hpp"

#include <memory>
#include <pthread.h>

namespace parley::sqlite {

Checkpointer::Checkpointer(const std::filesystem::path& file, Database& writer, Logger& logger)
    : x_file(file), x_writer(writer), x_logger(logger) {}

void Checkpointer::start() {
    x_thread = std::thread([this] { work(); });
    ::pthread_setname_np(x_thread.native_handle(), "checkpoint");
}

void Checkpointer::stop() {
    {
        std::lock_guard lock(x_mutex);
        x_stopping = true;
    }
    x_wake.notify_one();
    if (x_thread.joinable()) x_thread.join();
}

void Checkpointer::after_commit() {
    const int pages = x_writer.log_pages();
    if (x_phase == Phase::copied) {
        finish(pages >= 4 * kBusyPages ? Database::CheckpointKind::restart
                                       : Database::CheckpointKind::passive);
        // Where a reader kept the log from beginning anew, not at once again.
        x_due = pages + kBusyPages;
    } else if (pages < kBusyPages) {
        x_due = kBusyPages;
    } else if (pages >= x_due) {
        request();
    }
}

void Checkpointer::when_idle() {
    finish(Database::CheckpointKind::passive);
    if (x_empty_log) truncate();
}

// Without waiting for readers: it is tried again at the next pause.
void Checkpointer::truncate() {
    try {
        x_writer.execute("PRAGMA busy_timeout = 0");
        const auto done = x_writer.checkpoint(Database::CheckpointKind::truncate);
        x_empty_log = done.log_pages != 0 || done.copied_pages != 0;
        x_writer.execute("PRAGMA busy_timeout = 5000");
    } catch (const DatabaseError& error) {
        note(error);
    }
}

void Checkpointer::request() {
    Phase resting = Phase::resting;
    if (!x_phase.compare_exchange_strong(resting, Phase::copying)) return;
    {
        std::lock_guard lock(x_mutex);
    } // the thread is either waiting or sees the phase
    x_wake.notify_one();
}

void Checkpointer::finish(Database::CheckpointKind kind) {
    Phase copied = Phase::copied;
    x_phase.compare_exchange_strong(copied, Phase::resting);
    try {
        x_writer.checkpoint(kind);
        x_failing = false;
    } catch (const DatabaseError& error) {
        note(error);
    }
}

// A checkpoint that fails loses nothing: the log has it all, and grows until there is room.
void Checkpointer::note(const DatabaseError& error) {
    if (!x_failing.exchange(true))
        x_logger.warning("The write-ahead log could not be copied", {{"cause", error.what()}});
}

void Checkpointer::work() {
    std::unique_ptr<Database> database;
    std::unique_lock lock(x_mutex);
    for (;;) {
        x_wake.wait(lock, [this] { return x_stopping || x_phase == Phase::copying; });
        if (x_stopping) return;
        lock.unlock();
        try {
            if (!database) database = std::make_unique<Database>(x_file, Database::Mode::writer);
            database->checkpoint(Database::CheckpointKind::passive);
        } catch (const DatabaseError& error) {
            note(error);
        }
        x_phase = Phase::copied;
        lock.lock();
    }
}

} // namespace parley::sqlite
