#include "adapters/sqlite/backup.hpp"

#include "adapters/sqlite/migrations.hpp"
#include "adapters/sqlite/offline.hpp"
#include "model/media.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace parley::sqlite {

void copy_database(const std::filesystem::path& data_directory, const std::filesystem::path& to,
                   const Database::Progress& progress) {
    const int descriptor = ::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        throw std::runtime_error("cannot make " + to.string() + ": " + std::strerror(errno));
    ::close(descriptor);
    const auto database = open_to_read(data_directory);
    try {
        database->copy_to(to, progress);
    } catch (const DatabaseError& error) {
        throw std::runtime_error("the database could not be copied to " + to.string() + ": " +
                                 error.what());
    }
}

CopyFacts check_copy(const std::filesystem::path& file) {
    try {
        Database database(file, Database::Mode::reader);
        CopyFacts facts;
        if (database.pragma("PRAGMA application_id") != kApplicationId)
            throw std::runtime_error(file.string() + " was not made by Parley");
        {
            auto check = database.query("PRAGMA integrity_check(1)");
            if (!check.row() || check.text(0) != "ok")
                throw std::runtime_error(file.string() + " is damaged: " + check.string(0));
        }
        facts.schema_version = database.pragma("PRAGMA user_version");
        facts.last_event_id = database.pragma("SELECT value FROM meta WHERE key = 'last_event_id'");
        auto tables = database.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                                     "name NOT LIKE 'sqlite_%' ORDER BY name");
        while (tables.row()) {
            const std::string count = "SELECT count(*) FROM \"" + tables.string(0) + "\"";
            facts.rows.emplace_back(tables.string(0), database.pragma(count.c_str()));
        }
        return facts;
    } catch (const DatabaseError& error) {
        throw std::runtime_error(file.string() + " cannot be used: " + error.what());
    }
}

std::vector<NamedMedia> named_media(const std::filesystem::path& file) {
    try {
        Database database(file, Database::Mode::reader);
        std::vector<NamedMedia> named;
        auto rows = database.query("SELECT key, state, facts FROM media WHERE state <> 3");
        while (rows.row()) {
            const model::MediaFactsRef facts = model::media_facts_of(rows.text(2));
            named.push_back(
                {rows.string(0), rows.integer(1) == 2, facts && facts->stripped.value_or(false)});
        }
        return named;
    } catch (const DatabaseError& error) {
        throw std::runtime_error(file.string() + " cannot be used: " + error.what());
    }
}

} // namespace parley::sqlite
