#include "adapters/sqlite/store.hpp"

#include "adapters/sqlite/accounts.hpp"
#include "adapters/sqlite/checkpointer.hpp"
#include "adapters/sqlite/directory_lock.hpp"
#include "adapters/sqlite/erasures.hpp"
#include "adapters/sqlite/event_store.hpp"
#include "adapters/sqlite/held_messages.hpp"
#include "adapters/sqlite/history.hpp"
#include "adapters/sqlite/media_catalog.hpp"
#include "adapters/sqlite/migrations.hpp"
#include "adapters/sqlite/retention.hpp"
#include "adapters/sqlite/room_words.hpp"
#include "adapters/sqlite/rooms.hpp"
#include "adapters/sqlite/writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::sqlite {
namespace {

// The file's name must survive a power cut as well as its bytes.
void sync_directory(const std::filesystem::path& directory) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

// Before SQLite makes it with the umask's mode; SQLite gives the log file the same mode.
void create_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor >= 0) ::close(descriptor);
}

// The connection of the writer, with the file in its newest shape.
std::unique_ptr<Database> open(const std::filesystem::path& directory) {
    const auto file = directory / "parley.db";
    try {
        const bool fresh = !std::filesystem::exists(file);
        create_file(file);
        auto database = std::make_unique<Database>(file, Database::Mode::writer);
        migrate(*database);
        if (fresh) sync_directory(directory);
        return database;
    } catch (const DatabaseError& error) {
        throw std::runtime_error("cannot use " + file.string() + ": " + error.what());
    }
}

} // namespace

struct Store::Parts {
    Parts(const std::filesystem::path& directory, const ports::Clock& clock, Logger& log_lines,
          Metrics& metrics)
        : lock(directory),
          logger(log_lines),
          database(open(directory)),
          transactions(*database, clock, logger, metrics),
          events(*database, transactions),
          checkpointer(directory / "parley.db", *database, logger),
          writer(*database, transactions, checkpointer, metrics),
          readers(directory / "parley.db", metrics),
          history(readers),
          rooms(readers, writer, *database),
          words(readers, writer, *database),
          accounts(readers, writer, *database, clock),
          held(readers, writer, *database, metrics),
          erasures(readers, writer, *database, checkpointer),
          retention(readers, writer, *database),
          media(readers, writer, *database) {}

    DirectoryLock lock;
    Logger& logger;
    std::unique_ptr<Database> database;
    Transactions transactions;
    EventStore events;
    Checkpointer checkpointer;
    Writer writer;
    Readers readers;
    History history;
    Rooms rooms;
    RoomWords words;
    Accounts accounts;
    HeldMessages held;
    Erasures erasures;
    Retention retention;
    MediaRecords media;
    bool stopped = false;
};

Store::Store(const std::filesystem::path& data_directory, const ports::Clock& clock, Logger& logger,
             Metrics& metrics)
    : x_parts(std::make_unique<Parts>(data_directory, clock, logger, metrics)) {}

Store::~Store() { stop(); }

void Store::start(ports::BatchRunner runner, ports::OutcomeSink& sink) {
    PARLEY_ASSERT(!x_parts->stopped);
    x_parts->checkpointer.start();
    x_parts->writer.start(std::move(runner), sink);
}

void Store::stop() {
    if (std::exchange(x_parts->stopped, true)) return;
    x_parts->writer.stop();
    x_parts->checkpointer.stop();
    x_parts->readers.stop();
    try {
        x_parts->database->checkpoint(Database::CheckpointKind::truncate);
    } catch (const DatabaseError& error) {
        // Nothing is lost: the next start reads the write-ahead log.
        x_parts->logger.warning("The write-ahead log could not be copied",
                                {{"cause", error.what()}});
    }
}

bool Store::writable() const { return x_parts->transactions.writable(); }

ports::EventStore& Store::events() { return x_parts->events; }
ports::RoomLog& Store::log() { return x_parts->writer; }
ports::History& Store::history() { return x_parts->history; }
ports::RoomDirectory& Store::rooms() { return x_parts->rooms; }
ports::WordStore& Store::words() { return x_parts->words; }
ports::UserStore& Store::users() { return x_parts->accounts; }
ports::SessionStore& Store::sessions() { return x_parts->accounts; }
ports::HeldStore& Store::held() { return x_parts->held; }
ports::ErasureStore& Store::erasures() { return x_parts->erasures; }
ports::RetentionStore& Store::retention() { return x_parts->retention; }
ports::MediaCatalog& Store::media() { return x_parts->media; }
ports::ReleasedMedia& Store::released_media() { return x_parts->media; }

} // namespace parley::sqlite
