// The uploaded files of a backup. The server goes on meanwhile: files come and go. Each content is
// copied once, before and once more after the database is copied; so what the copy of the database
// names is there, and what it does not name is taken away again.
//
//   media/objects/SHA256   the contents, as in the data folder
//   media.keys             KEY SHA256 TYPE, a line each: the names that a restore makes anew
//
// Threading: main thread. Errors: std::runtime_error with the file's name.
#pragma once

#include "adapters/sqlite/backup.hpp"
#include "app/commands/console.hpp"
#include "app/commands/files.hpp"

#include <boost/json/array.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace parley::app {

class MediaBackup {
public:
    MediaBackup(std::filesystem::path data, std::filesystem::path to);

    // What is there now and was not copied before.
    void copy(Console& console);
    // What the database names and was not copied: removed since, or lost long ago.
    std::vector<std::string> missing(const std::vector<sqlite::NamedMedia>& named) const;
    // Keeps what the database names; its files for the manifest.
    boost::json::array finish(const std::vector<sqlite::NamedMedia>& named);

private:
    struct Key {
        std::string sha256, content_type;
    };
    void copy_key(const std::string& key, Console& console);

    const std::filesystem::path x_data, x_to;
    std::map<std::string, Key> x_keys;
    std::map<std::string, FileFacts> x_objects; // by the SHA-256 that they are called by
};

bool is_of_media(const std::filesystem::path& relative);
// The keys that `staging` (a copied backup) tells of, made from its objects; their names below it.
std::vector<std::string> restore_media_keys(const std::filesystem::path& staging);
inline constexpr const char* kMediaKeys = "media.keys";

} // namespace parley::app
