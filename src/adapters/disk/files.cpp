#include "adapters/disk/files.hpp"

#include "base/assert.hpp"
#include "base/hex.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace parley::disk {
namespace {

namespace fs = std::filesystem;

// Keys are made by this server; a wrong one would be a bug that reads other files.
bool is_key(std::string_view key) {
    return !key.empty() && key.front() != '/' && key.size() < 200 &&
           std::all_of(
               key.begin(), key.end(),
               [](char c) {
                   return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '/';
               });
}

void sync_folder(const fs::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

Result<void> make_folder_of(const fs::path& file) {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) return from_errno(error.value());
    return {};
}

} // namespace

Files::Files(fs::path folder) : x_folder(std::move(folder)) {
    std::error_code error;
    for (const char* name : {"incoming", "objects", "keys"}) {
        fs::create_directories(x_folder / name, error);
        if (error)
            throw std::runtime_error("cannot use " + (x_folder / name).string() + ": " +
                                     error.message());
    }
    fs::permissions(x_folder, fs::perms::owner_all, error);
}

fs::path Files::incoming_path(const std::string& key) const {
    std::string name = key;
    std::replace(name.begin(), name.end(), '/', '_');
    return x_folder / "incoming" / name;
}
fs::path Files::key_path(const std::string& key) const {
    PARLEY_ASSERT(is_key(key));
    return x_folder / "keys" / key;
}
fs::path Files::object_path(const std::string& sha256) const {
    const std::string name = to_hex(sha256);
    return x_folder / "objects" / name.substr(0, 2) / name;
}

std::uint64_t Files::free_bytes() const {
    struct statvfs facts{};
    if (::statvfs(x_folder.c_str(), &facts) != 0) return UINT64_MAX; // the write will say
    return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

void Files::release(const std::string& key) {
    const std::lock_guard lock(x_mutex);
    x_written.erase(key);
}

// --- uploads

Result<std::shared_ptr<Incoming>> Files::begin(const std::string& key, Begin how) {
    {
        const std::lock_guard lock(x_mutex);
        if (!x_written.insert(key).second)
            return Error(Errc::overloaded, "somebody else uploads this file now");
    }
    std::function<void()> released = [this, key] { release(key); };
    const auto refused = [&](Error error) {
        released();
        return error;
    };
    if (info(key)) return refused({Errc::media_mismatch, "this file was uploaded before"});
    const fs::path path = incoming_path(key);
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | (how == Begin::fresh ? O_EXCL : 0);
    const int descriptor = ::open(path.c_str(), flags, 0600);
    if (descriptor < 0 && errno == EEXIST)
        return refused({Errc::media_mismatch, "this upload has begun before"});
    if (descriptor < 0) return refused(from_errno(errno));
    struct stat facts{};
    if (::fstat(descriptor, &facts) != 0) {
        const int code = errno;
        ::close(descriptor);
        return refused(from_errno(code));
    }
    return std::make_shared<Incoming>(
        path.string(), descriptor, static_cast<std::uint64_t>(facts.st_size), std::move(released));
}

Result<std::uint64_t> Files::incoming_size(const std::string& key) const {
    struct stat facts{};
    if (::stat(incoming_path(key).c_str(), &facts) != 0) return from_errno(errno);
    return static_cast<std::uint64_t>(facts.st_size);
}

void Files::discard(const std::string& key) { ::unlink(incoming_path(key).c_str()); }

Result<void> Files::finish(const std::string& key, Incoming& incoming, const std::string& sha256,
                           const std::string& content_type) {
    PARLEY_TRY(const std::string found, incoming.sha256());
    if (!sha256.empty() && found != sha256) {
        discard(key);
        return Error(Errc::media_mismatch, "the bytes are not those of the announced SHA-256");
    }
    PARLEY_CHECK(incoming.sync());
    const std::lock_guard lock(x_placing);
    PARLEY_CHECK(place(key, found));
    return write_info(key, found, content_type);
}

// Gives the content its names.
Result<void> Files::place(const std::string& key, const std::string& sha256) {
    const fs::path from = incoming_path(key), to = key_path(key), object = object_path(sha256);
    PARLEY_CHECK(make_folder_of(to));
    PARLEY_CHECK(make_folder_of(object));
    ::unlink(to.c_str()); // of a placing that a crash has ended
    if (::link(object.c_str(), to.c_str()) == 0) {
        ::unlink(from.c_str());
    } else {
        if (::rename(from.c_str(), to.c_str()) != 0) return from_errno(errno);
        // Where it fails (too many links), the content is there once more.
        static_cast<void>(::link(to.c_str(), object.c_str()));
    }
    sync_folder(to.parent_path());
    return {};
}

Result<void> Files::write_info(const std::string& key, const std::string& sha256,
                               const std::string& content_type) {
    const fs::path to = key_path(key).string() + ".info", fresh = to.string() + ".new";
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return from_errno(errno);
    Result<void> written = write_all(descriptor, to_hex(sha256) + "\n" + content_type + "\n", 0);
    if (written && ::fsync(descriptor) != 0) written = from_errno(errno);
    ::close(descriptor);
    if (written && ::rename(fresh.c_str(), to.c_str()) != 0) written = from_errno(errno);
    if (!written) return written;
    sync_folder(to.parent_path());
    sync_folder(x_folder / "keys");
    return {};
}

// --- objects

Result<StoredInfo> Files::info(const std::string& key) const {
    std::ifstream in(key_path(key).string() + ".info");
    StoredInfo info;
    std::string hex;
    if (!in || !std::getline(in, hex) || !std::getline(in, info.content_type))
        return from_errno(ENOENT);
    info.sha256 = from_hex(hex).value_or(std::string());
    struct stat facts{};
    if (::stat(key_path(key).c_str(), &facts) != 0) return from_errno(errno);
    info.size = static_cast<std::uint64_t>(facts.st_size);
    info.modified = facts.st_mtim.tv_sec;
    return info;
}

Result<int> Files::open(const std::string& key) const {
    const int descriptor = ::open(key_path(key).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return from_errno(errno);
    return descriptor;
}

Result<void> Files::link(const std::string& key, const fs::path& to) const {
    std::error_code error;
    const fs::path file = fs::absolute(key_path(key), error);
    if (!error && !fs::exists(file, error) && !error) return from_errno(ENOENT);
    if (!error) fs::create_symlink(file, to, error);
    if (error) return from_errno(error.value());
    return {};
}

// The last name first that another key may share: what a crash leaves, the next call finds.
Result<void> Files::remove(const std::string& key) {
    const std::lock_guard lock(x_placing);
    const fs::path file = key_path(key), info_file = file.string() + ".info";
    if (const auto stored = info(key)) {
        const fs::path object = object_path(stored->sha256);
        struct stat facts{};
        if (::stat(object.c_str(), &facts) == 0 && facts.st_nlink <= 2) ::unlink(object.c_str());
    }
    for (const fs::path& each :
         {file, info_file, fs::path(info_file.string() + ".new"), incoming_path(key)})
        if (::unlink(each.c_str()) != 0 && errno != ENOENT) return from_errno(errno);
    return {};
}

} // namespace parley::disk
