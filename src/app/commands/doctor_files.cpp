#include "app/commands/doctor.hpp"
#include "base/limits.hpp"

#include <fstream>
#include <pwd.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

namespace parley::app {
namespace {

namespace fs = std::filesystem;
using Level = Finding::Level;

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kLogFileLarge = 512 * kMiB;
constexpr std::uint64_t kSpaceLow = 1024 * kMiB, kSpaceGone = 64 * kMiB;

std::string name_of(uid_t user) {
    const passwd* entry = ::getpwuid(user);
    return entry ? entry->pw_name : std::to_string(user);
}

std::string mib(std::uint64_t bytes) { return std::to_string(bytes / kMiB) + " MiB"; }

void look_at_file(const fs::path& file, uid_t owner, Findings& findings) {
    struct stat facts{};
    const std::string name = file.filename();
    if (::lstat(file.c_str(), &facts) != 0) {
        if (name == "secret")
            findings.push_back({"file " + name, Level::ok, "not there yet: the start makes it"});
        return;
    }
    if (!S_ISREG(facts.st_mode))
        findings.push_back({"file " + name, Level::problem, file.string() + " is not a plain file",
                            "move it away, and put the real file there (from a backup)"});
    else if ((facts.st_mode & 077) != 0)
        findings.push_back({"file " + name, Level::problem, file.string() + " is open to others",
                            "chmod 600 " + file.string()});
    else if (facts.st_uid != owner)
        findings.push_back({"file " + name, Level::problem,
                            file.string() + " belongs to " + name_of(facts.st_uid) +
                                ", its folder to " + name_of(owner),
                            "chown " + name_of(owner) + " " + file.string()});
    else if (name == "secret" && static_cast<std::size_t>(facts.st_size) < limits::kSecretBytes)
        findings.push_back({"file " + name, Level::problem, file.string() + " is too short",
                            "restore it from a backup, or remove it: a new one is made at the "
                            "start, and everybody signs in again"});
    else if (name == "parley.db-wal" && static_cast<std::uint64_t>(facts.st_size) > kLogFileLarge)
        findings.push_back(
            {"file " + name, Level::warning,
             file.string() + " has " + mib(static_cast<std::uint64_t>(facts.st_size)),
             "it shrinks once no backup or export runs; if none does, restart the "
             "server"});
    else
        findings.push_back({"file " + name, Level::ok, "mode and owner are right"});
}

// From the kernel's list of locks, since trying the lock could keep a server from starting.
std::optional<pid_t> holder_in_list(const struct stat& lock) {
    std::ifstream locks("/proc/locks");
    std::string line;
    while (std::getline(locks, line)) {
        // 1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF
        std::istringstream words(line);
        std::string number, kind, manner, access, place;
        pid_t holder = 0;
        words >> number >> kind >> manner >> access >> holder >> place;
        std::ostringstream wanted;
        wanted.fill('0');
        wanted << std::hex;
        wanted.width(2);
        wanted << major(lock.st_dev) << ":";
        wanted.width(2);
        wanted << minor(lock.st_dev) << ":" << std::dec << lock.st_ino;
        if (kind == "FLOCK" && place == wanted.str()) return std::max<pid_t>(holder, 0);
    }
    return std::nullopt;
}

// Over an overlay the list names another device. So too: the process that the file names, if it has
// the file open.
std::optional<pid_t> holder_by_name(const fs::path& file, const struct stat& lock) {
    pid_t holder = 0;
    std::ifstream(file) >> holder;
    if (holder <= 0) return std::nullopt;
    std::error_code error;
    const fs::path process = "/proc/" + std::to_string(holder);
    for (fs::directory_iterator each(process / "fd", error), end; !error && each != end;
         each.increment(error)) {
        struct stat open{};
        if (::stat(each->path().c_str(), &open) == 0 && open.st_dev == lock.st_dev &&
            open.st_ino == lock.st_ino)
            return holder;
    }
    return std::nullopt;
}

} // namespace

std::optional<pid_t> server_of(const fs::path& data) {
    struct stat lock{};
    const fs::path file = data / "parley.lock";
    if (::stat(file.c_str(), &lock) != 0) return std::nullopt;
    if (const auto holder = holder_in_list(lock)) return holder;
    return holder_by_name(file, lock);
}

void look_at_files(const Settings& settings, Findings& findings) {
    struct stat folder{};
    if (::stat(settings.data.c_str(), &folder) != 0 || !S_ISDIR(folder.st_mode)) {
        findings.push_back(
            {"data folder", Level::problem, "there is no folder " + settings.data.string(),
             "name it with --data or --config, or start the server, which makes it"});
        return;
    }
    if ((folder.st_mode & 077) != 0)
        findings.push_back({"data folder", Level::problem,
                            settings.data.string() + " is open to others",
                            "chmod 700 " + settings.data.string()});
    else
        findings.push_back(
            {"data folder", Level::ok, settings.data.string() + ", of " + name_of(folder.st_uid)});
    for (const char* name :
         {"parley.db", "parley.db-wal", "parley.db-shm", "secret", "parley.lock"})
        look_at_file(settings.data / name, folder.st_uid, findings);
}

void look_at_disk(const Settings& settings, Findings& findings) {
    struct statvfs disk{};
    if (::statvfs(settings.data.c_str(), &disk) != 0) return;
    const std::uint64_t space = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    const std::string detail = mib(space) + " free";
    const std::string advice =
        "make room on the disk of " + settings.data.string() + ": without it sends are refused";
    if (space < kSpaceGone || (disk.f_files > 0 && disk.f_favail == 0))
        findings.push_back({"disk", Level::problem, detail, advice});
    else if (space < kSpaceLow)
        findings.push_back({"disk", Level::warning, detail, advice});
    else
        findings.push_back({"disk", Level::ok, detail});
    if ((disk.f_flag & ST_RDONLY) != 0)
        findings.push_back({"disk", Level::problem, "it is mounted for reading only",
                            "look at the kernel's log for errors of the disk, and mount it again"});
}

} // namespace parley::app
