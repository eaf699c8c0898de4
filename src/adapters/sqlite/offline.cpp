#include "adapters/sqlite/offline.hpp"

#include "adapters/sqlite/directory_lock.hpp"
#include "adapters/sqlite/migrations.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::sqlite {
namespace {

std::string no_database(const std::filesystem::path& file) {
    return "there is no " + file.string() + ": name the data folder with --data";
}

std::int64_t version_of(Database& database, const std::filesystem::path& file) {
    if (database.pragma("PRAGMA application_id") != kApplicationId)
        throw std::runtime_error(file.string() + " was not made by Parley");
    const auto version = database.pragma("PRAGMA user_version");
    const auto newest = static_cast<std::int64_t>(migrations().size());
    if (version > newest)
        throw std::runtime_error(file.string() + " has version " + std::to_string(version) +
                                 ", this program knows versions up to " + std::to_string(newest) +
                                 ": use the newer program");
    return version;
}

std::unique_ptr<Database> make_or_migrate(const std::filesystem::path& directory) {
    const DirectoryLock lock(directory);
    const auto file = database_file(directory);
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor >= 0) ::close(descriptor);
    give_to_owner_of(directory, file);
    auto database = std::make_unique<Database>(file, Database::Mode::writer);
    migrate(*database);
    return database;
}

} // namespace

std::filesystem::path database_file(const std::filesystem::path& data_directory) {
    return data_directory / "parley.db";
}

std::unique_ptr<Database> open_beside_server(const std::filesystem::path& directory,
                                             IfAbsent absent) {
    const auto file = database_file(directory);
    try {
        if (!std::filesystem::exists(file)) {
            if (absent == IfAbsent::refuse) throw std::runtime_error(no_database(file));
            return make_or_migrate(directory);
        }
        auto database = std::make_unique<Database>(file, Database::Mode::writer);
        if (version_of(*database, file) == static_cast<std::int64_t>(migrations().size()))
            return database;
        database.reset();
        return make_or_migrate(directory);
    } catch (const DatabaseError& error) {
        throw std::runtime_error("cannot use " + file.string() + ": " + error.what());
    }
}

std::unique_ptr<Database> open_to_read(const std::filesystem::path& directory) {
    const auto file = database_file(directory);
    if (!std::filesystem::exists(file)) throw std::runtime_error(no_database(file));
    try {
        auto database = std::make_unique<Database>(file, Database::Mode::reader);
        if (version_of(*database, file) < static_cast<std::int64_t>(migrations().size()))
            throw std::runtime_error(file.string() +
                                     " is of an older version: start the server once, it brings "
                                     "the file to the present shape");
        return database;
    } catch (const DatabaseError& error) {
        throw std::runtime_error("cannot use " + file.string() + ": " + error.what());
    }
}

void give_to_owner_of(const std::filesystem::path& directory, const std::filesystem::path& file) {
    struct stat owner{};
    if (::geteuid() != 0 || ::stat(directory.c_str(), &owner) != 0) return;
    if (::lchown(file.c_str(), owner.st_uid, owner.st_gid) != 0)
        throw std::runtime_error("cannot give " + file.string() + " to its folder's owner");
}

} // namespace parley::sqlite
