// A backup is a folder: the files of the data folder and manifest.json, which names each with its
// size and SHA-256 and says what the store holds. It gets its name when it is complete.
#include "adapters/sqlite/backup.hpp"

#include "adapters/sqlite/directory_lock.hpp"
#include "adapters/sqlite/offline.hpp"
#include "adapters/system/system_clock.hpp"
#include "app/commands/backup_media.hpp"
#include "app/commands/command.hpp"
#include "app/commands/files.hpp"
#include "app/version.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kFormat = "parley-backup";
constexpr int kFormatVersion = 1;
constexpr std::size_t kManifestBytesMax = 512 << 20; // 200 bytes for each content
// Where a restore puts files before they are in place.
constexpr const char* kRestoring = ".restoring";

// Gone with everything in it, unless it was kept.
class StagingFolder {
public:
    explicit StagingFolder(fs::path path) : x_path(std::move(path)) { make_private_folder(x_path); }
    ~StagingFolder() {
        std::error_code ignored;
        if (!x_kept) fs::remove_all(x_path, ignored);
    }
    StagingFolder(const StagingFolder&) = delete;
    StagingFolder& operator=(const StagingFolder&) = delete;
    const fs::path& path() const { return x_path; }
    void keep() { x_kept = true; }

private:
    const fs::path x_path;
    bool x_kept = false;
};

// The database is copied by SQLite, uploads by MediaBackup; locks and what is unfinished are
// nobody's data.
bool is_copied_as_file(const fs::path& relative) {
    const std::string name = relative.string();
    const std::string file = relative.filename().string();
    return !is_of_media(relative) && !name.starts_with("parley.db") && name != "parley.lock" &&
           name != kManifest && name != kMediaKeys && !name.starts_with(kRestoring) &&
           !file.ends_with(".new") && !file.starts_with(".import");
}

json::object facts_of(const std::string& name, const FileFacts& facts) {
    return {{"name", name}, {"bytes", facts.bytes}, {"sha256", facts.sha256}};
}

json::array copy_files(const fs::path& data, const fs::path& to) {
    json::array files;
    std::vector<fs::path> names;
    for (fs::recursive_directory_iterator at(data), end; at != end; ++at) {
        const fs::directory_entry& entry = *at;
        const fs::path relative = fs::relative(entry.path(), data);
        if (is_of_media(relative)) at.disable_recursion_pending();
        if (!is_copied_as_file(relative)) continue;
        if (entry.is_directory() && !entry.is_symlink()) fs::create_directories(to / relative);
        if (entry.is_regular_file() && !entry.is_symlink()) names.push_back(relative);
    }
    std::sort(names.begin(), names.end());
    for (const fs::path& name : names) {
        fs::create_directories((to / name).parent_path());
        files.push_back(facts_of(name.string(), copy_synced(data / name, to / name)));
    }
    return files;
}

json::object counts_of(const sqlite::CopyFacts& facts) {
    json::object counts;
    for (const auto& [table, rows] : facts.rows) counts[table] = rows;
    return counts;
}

fs::path absolute_of(const std::string& name) {
    fs::path path = fs::absolute(name).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
}

// The database into parley.db, and the files that it names, of which the manifest's entries are
// answered.
json::array copy_store(const fs::path& data, const fs::path& to, Console& console) {
    const fs::path copy = to / "parley.db";
    MediaBackup media(data, to);
    media.copy(console);
    std::vector<sqlite::NamedMedia> named;
    // One that came after the first look and went before the second is not in a second copy.
    for (int attempt = 0; attempt < 2; ++attempt) {
        fs::remove(copy);
        sqlite::copy_database(data, copy, [&](std::uint64_t done, std::uint64_t total) {
            console.progress("copied pages", done, total);
        });
        console.end_progress();
        media.copy(console);
        named = sqlite::named_media(copy);
        if (media.missing(named).empty()) break;
    }
    if (const auto missing = media.missing(named); !missing.empty())
        console.note(std::to_string(missing.size()) + " files that the database names are not in " +
                     (data / "media").string() + ": " + missing.front() +
                     (missing.size() > 1 ? ", ..." : ""));
    return media.finish(named);
}

void refuse_inside(const fs::path& folder, const fs::path& data) {
    const fs::path inside = folder.lexically_relative(fs::absolute(data).lexically_normal());
    if (!inside.empty() && *inside.begin() != "..")
        throw UsageError(folder.string() + " lies in the data folder: name another place");
}

} // namespace

int run_backup(const Invocation& given, Console& console) {
    const fs::path data = given.settings.data, folder = absolute_of(given["FOLDER"]);
    refuse_inside(folder, data);
    if (fs::exists(fs::symlink_status(folder)))
        throw std::runtime_error(folder.string() + " exists: a backup makes a folder of its own");
    fs::create_directories(folder.parent_path());
    StagingFolder staging(folder.string() + ".partial-" + std::to_string(::getpid()));
    const fs::path copy = staging.path() / "parley.db";
    const model::Time taken = system::SystemClock().now();
    json::array media = copy_store(data, staging.path(), console);
    json::array files{facts_of("parley.db", hash_file(copy))};
    for (auto& file : copy_files(data, staging.path())) files.push_back(std::move(file));
    for (auto& file : media) files.push_back(std::move(file));
    const sqlite::CopyFacts facts = sqlite::check_copy(copy);
    const json::object manifest{{"format", kFormat},
                                {"format_version", kFormatVersion},
                                {"parley", kVersion},
                                {"taken_at", model::to_rfc3339(taken)},
                                {"schema_version", facts.schema_version},
                                {"last_event_id", std::to_string(facts.last_event_id)},
                                {"rows", counts_of(facts)},
                                {"files", files}};
    write_file(staging.path() / kManifest, json::serialize(manifest) + "\n");
    sync_path(staging.path());
    rename_new(staging.path(), folder);
    staging.keep();
    sync_path(folder.parent_path());
    console.print("backup complete and checked: " + folder.string());
    console.print(std::to_string(files.size()) + " files, messages: " +
                  json::serialize(manifest.at("rows").as_object().at("messages")));
    json::object result = manifest;
    result["folder"] = folder.string();
    console.result(result);
    return kDone;
}

// --- restore -----------------------------------------------------------------------------------

namespace {

struct ManifestFile {
    std::string name;
    FileFacts facts;
};

struct Manifest {
    json::object document;
    std::vector<ManifestFile> files;
};

// A name below the folder, without a way out of it.
bool is_plain_name(const std::string& name) {
    const fs::path path(name);
    return !name.empty() && path.is_relative() && path == path.lexically_normal() &&
           *path.begin() != ".." && path.has_filename();
}

Manifest read_manifest(const fs::path& folder) {
    const fs::path file = folder / kManifest;
    if (!fs::exists(file))
        throw std::runtime_error(folder.string() + " is not a backup: it has no " + kManifest);
    Manifest manifest;
    try {
        manifest.document = json::parse(read_file(file, kManifestBytesMax)).as_object();
        if (manifest.document.at("format") != kFormat)
            throw std::runtime_error(file.string() + " is not of a backup");
        if (manifest.document.at("format_version") != kFormatVersion)
            throw std::runtime_error(file.string() + " has a format that this program does not "
                                                     "know: use the newer program");
        for (const json::value& each : manifest.document.at("files").as_array()) {
            const json::object& entry = each.as_object();
            ManifestFile listed{json::value_to<std::string>(entry.at("name")),
                                {entry.at("bytes").to_number<std::uint64_t>(),
                                 json::value_to<std::string>(entry.at("sha256"))}};
            if (!is_plain_name(listed.name) || listed.name == kManifest)
                throw std::runtime_error(file.string() + " names a file outside the folder");
            manifest.files.push_back(std::move(listed));
        }
    } catch (const boost::system::system_error&) {
        throw std::runtime_error(file.string() + " is damaged: it is not a manifest");
    } catch (const std::out_of_range&) {
        throw std::runtime_error(file.string() + " is damaged: something is missing in it");
    }
    if (manifest.files.empty() || manifest.files.front().name != "parley.db")
        throw std::runtime_error(file.string() + " is damaged: it has no database");
    return manifest;
}

// Only a lock, or what an interrupted restore left.
void refuse_unless_empty(const fs::path& data) {
    const bool interrupted =
        fs::exists(data / kRestoring) && !fs::exists(sqlite::database_file(data));
    for (const auto& entry : fs::directory_iterator(data)) {
        const std::string name = entry.path().filename();
        if (name != "parley.lock" && !interrupted)
            throw std::runtime_error("the data folder " + data.string() + " is not empty (" + name +
                                     "): restore into an empty one");
    }
    fs::remove_all(data / kRestoring);
}

void copy_checked(const Manifest& manifest, const fs::path& from, const fs::path& to,
                  Console& console) {
    std::uint64_t done = 0;
    for (const ManifestFile& file : manifest.files) {
        fs::create_directories((to / file.name).parent_path());
        const FileFacts copied = copy_synced(from / file.name, to / file.name);
        if (copied.sha256 != file.facts.sha256 || copied.bytes != file.facts.bytes)
            throw std::runtime_error((from / file.name).string() +
                                     " is not what the manifest says: it was changed or damaged");
        console.progress("restored files", ++done, manifest.files.size());
    }
    console.end_progress();
}

// With folders that files of the backup lie in. The database is the first name.
void move_into_place(const std::vector<std::string>& names, const fs::path& staging,
                     const fs::path& data) {
    // The database last: without it nothing was restored.
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        const fs::path target = data / *name;
        fs::create_directories(target.parent_path());
        for (fs::path folder = target.parent_path(); folder != data; folder = folder.parent_path())
            sqlite::give_to_owner_of(data, folder);
        sqlite::give_to_owner_of(data, staging / *name);
        if (*name == "parley.db") sync_path(data);
        fs::rename(staging / *name, target);
    }
    sync_path(data);
}

// What a restore puts in place.
std::vector<std::string> names_of(const Manifest& manifest, const fs::path& staging) {
    std::vector<std::string> names;
    for (const ManifestFile& file : manifest.files)
        if (file.name != kMediaKeys) names.push_back(file.name);
    for (std::string& key : restore_media_keys(staging)) names.push_back(std::move(key));
    return names;
}

} // namespace

int run_restore(const Invocation& given, Console& console) {
    const fs::path data = given.settings.data, folder = absolute_of(given["FOLDER"]);
    const Manifest manifest = read_manifest(folder);
    const bool made = !fs::exists(data);
    std::optional<sqlite::DirectoryLock> lock(std::in_place, data);
    try {
        refuse_unless_empty(data);
        StagingFolder staging(data / kRestoring);
        copy_checked(manifest, folder, staging.path(), console);
        const sqlite::CopyFacts facts = sqlite::check_copy(staging.path() / "parley.db");
        if (counts_of(facts) != manifest.document.at("rows") ||
            facts.schema_version != manifest.document.at("schema_version"))
            throw std::runtime_error("the database of " + folder.string() +
                                     " does not hold what the manifest says");
        move_into_place(names_of(manifest, staging.path()), staging.path(), data);
    } catch (...) {
        std::error_code ignored;
        if (made) fs::remove_all(data, ignored);
        throw;
    }
    console.print("restored " + std::to_string(manifest.files.size()) + " files into " +
                  data.string());
    json::object result{{"folder", folder.string()},
                        {"data", data.string()},
                        {"taken_at", manifest.document.at("taken_at")},
                        {"rows", manifest.document.at("rows")}};
    console.result(result);
    return kDone;
}

} // namespace parley::app
