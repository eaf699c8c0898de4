#include "app/commands/backup_media.hpp"

#include "base/hex.hpp"
#include "model/media.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace parley::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeysBytesMax = 512 << 20;
constexpr std::size_t kShaDigits = 64;
constexpr std::string_view kInfo = ".info";

fs::path object_of(const std::string& sha256) {
    return fs::path("media/objects") / sha256.substr(0, 2) / sha256;
}
fs::path key_of(const std::string& key) { return fs::path("media/keys") / key; }

bool is_sha256(const std::string& text) {
    return text.size() == kShaDigits && from_hex(text).has_value();
}

// As the store makes them: AB/REST, and what was made of one has a suffix.
bool is_key(const std::string& key) {
    return key.size() > 3 && key[2] == '/' && key.find('/', 3) == std::string::npos &&
           std::all_of(key.begin(), key.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '/';
           });
}

std::string upload_of(const std::string& key) { return key.substr(0, key.find('-')); }

// The keys that are complete. What vanishes meanwhile is left out.
std::vector<std::string> list_keys(const fs::path& folder) {
    std::vector<std::string> keys;
    std::error_code error;
    for (fs::directory_iterator part(folder, error), end; part != end; part.increment(error)) {
        std::error_code ignored;
        for (fs::directory_iterator file(part->path(), ignored); file != end;
             file.increment(ignored)) {
            std::string name = file->path().filename();
            if (!name.ends_with(kInfo)) continue;
            name.resize(name.size() - kInfo.size());
            keys.push_back((part->path().filename() / name).string());
        }
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

} // namespace

bool is_of_media(const fs::path& relative) {
    const fs::path first = *relative.begin();
    return first == "media" || first == "looking";
}

MediaBackup::MediaBackup(fs::path data, fs::path to)
    : x_data(std::move(data)), x_to(std::move(to)) {}

void MediaBackup::copy(Console& console) {
    const std::vector<std::string> keys = list_keys(x_data / "media/keys");
    std::uint64_t done = 0;
    for (const std::string& key : keys) {
        if (!x_keys.contains(key) && is_key(key)) copy_key(key, console);
        console.progress("copied files", ++done, keys.size());
    }
    console.end_progress();
}

void MediaBackup::copy_key(const std::string& key, Console& console) {
    const fs::path source = x_data / key_of(key);
    std::ifstream info(source.string() + std::string(kInfo));
    Key named;
    if (!std::getline(info, named.sha256) || !std::getline(info, named.content_type)) return;
    if (!is_sha256(named.sha256)) return;
    if (!x_objects.contains(named.sha256)) {
        const fs::path target = x_to / object_of(named.sha256);
        fs::create_directories(target.parent_path());
        FileFacts facts;
        try {
            facts = copy_synced(source, target);
        } catch (const std::runtime_error&) {
            fs::remove(target);
            if (fs::exists(source)) throw;
            return; // removed meanwhile
        }
        if (facts.sha256 != named.sha256)
            console.note(source.string() + " is damaged; it is in the backup as it is");
        x_objects[named.sha256] = std::move(facts);
    }
    x_keys[key] = std::move(named);
}

std::vector<std::string> MediaBackup::missing(const std::vector<sqlite::NamedMedia>& named) const {
    std::vector<std::string> missing;
    for (const sqlite::NamedMedia& each : named) {
        const std::string key = each.stripped ? model::stripped_key(each.key) : each.key;
        if (each.stored && !x_keys.contains(key)) missing.push_back(key);
    }
    return missing;
}

boost::json::array MediaBackup::finish(const std::vector<sqlite::NamedMedia>& named) {
    std::set<std::string> uploads, used;
    for (const sqlite::NamedMedia& each : named) uploads.insert(each.key);
    std::erase_if(x_keys,
                  [&](const auto& entry) { return !uploads.contains(upload_of(entry.first)); });
    std::string keys;
    for (const auto& [key, facts] : x_keys) {
        keys += key + " " + facts.sha256 + " " + facts.content_type + "\n";
        used.insert(facts.sha256);
    }
    boost::json::array files;
    const auto add = [&files](const fs::path& name, const FileFacts& facts) {
        files.push_back(boost::json::object{
            {"name", name.string()}, {"bytes", facts.bytes}, {"sha256", facts.sha256}});
    };
    for (const auto& [sha256, facts] : x_objects) {
        if (used.contains(sha256))
            add(object_of(sha256), facts);
        else
            fs::remove(x_to / object_of(sha256));
    }
    if (x_keys.empty()) return files;
    write_file(x_to / kMediaKeys, keys);
    add(kMediaKeys, hash_file(x_to / kMediaKeys));
    return files;
}

std::vector<std::string> restore_media_keys(const fs::path& staging) {
    std::vector<std::string> names;
    const fs::path list = staging / kMediaKeys;
    if (!fs::exists(list)) return names;
    std::istringstream lines(read_file(list, kKeysBytesMax));
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string key, sha256, type;
        if (!(words >> key >> sha256 >> type) || !is_key(key) || !is_sha256(sha256))
            throw std::runtime_error(list.string() + " is damaged: it has a line that is no key");
        const fs::path name = key_of(key), object = staging / object_of(sha256);
        fs::create_directories((staging / name).parent_path());
        std::error_code error;
        fs::create_hard_link(object, staging / name, error);
        if (error) fs::copy_file(object, staging / name); // too many names of one content
        write_file(staging / (name.string() + std::string(kInfo)), sha256 + "\n" + type + "\n");
        names.push_back(name.string());
        names.push_back(name.string() + std::string(kInfo));
    }
    return names;
}

} // namespace parley::app
