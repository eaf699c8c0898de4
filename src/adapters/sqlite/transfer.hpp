// Exporter and Importer: the store as records, one for each row (transfer_format.hpp).
//
// An export is one moment of the file, also beside the running server, read row by row: memory is
// that of one row. An import is all or nothing: into a folder without a database it fills a file
// under another name, which becomes the database when it is whole and keeps the store's rules; a
// room into a database that is there is one transaction.
//
// Threading: the caller's thread. Errors: std::runtime_error with a text for the operator.
#pragma once

#include "adapters/sqlite/directory_lock.hpp"
#include "adapters/sqlite/inspection.hpp"
#include "adapters/sqlite/transfer_format.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace parley::sqlite {

struct ExportSettings {
    Scope scope = Scope::server;
    std::int64_t subject = 0; // room or user
    bool credentials = true;  // of a server's file
};

class Exporter {
public:
    explicit Exporter(const std::filesystem::path& data_directory);

    std::int64_t last_event_id();
    // unknown_room, unknown_user.
    Result<void> check(const ExportSettings& settings);
    void run(const ExportSettings& settings, const std::function<void(const Record&)>& sink);

private:
    std::unique_ptr<Database> x_database;
};

class Importer {
public:
    // Takes the folder's lock.
    Importer(const std::filesystem::path& data_directory, Scope scope);
    // What is not finished is undone.
    ~Importer();

    void add(const Record& record);
    // Checks the store's rules and makes it last. 0: take the greatest id that came.
    void finish(std::int64_t last_event_id, const Database::Progress& progress);

private:
    struct Target;
    void insert(const CarriedTable& table, const Record& record);
    // A room's people may be there already.
    bool is_known_user(const Record& record);

    const std::filesystem::path x_directory;
    const Scope x_scope;
    const DirectoryLock x_lock;
    std::filesystem::path x_staged; // empty: the database that is there
    std::unique_ptr<Database> x_database;
    std::int64_t x_greatest = 0;
    bool x_finished = false;
};

} // namespace parley::sqlite
