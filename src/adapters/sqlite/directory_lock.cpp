#include "adapters/sqlite/directory_lock.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::sqlite {
namespace {

[[noreturn]] void fail(const std::string& what, int error) {
    throw std::runtime_error(what + ": " + std::strerror(error));
}

void make_directory(const std::filesystem::path& directory) {
    std::error_code error;
    const auto parent = std::filesystem::absolute(directory).parent_path();
    std::filesystem::create_directories(parent, error);
    if (error) fail("cannot make the folder " + parent.string(), error.value());
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        fail("cannot make the data folder " + directory.string(), errno);
}

std::string holder_of(int descriptor) {
    char text[16] = {};
    const auto size = ::pread(descriptor, text, sizeof text - 1, 0);
    const std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    return pid.empty() ? "another process" : "process " + pid;
}

} // namespace

DirectoryLock::DirectoryLock(const std::filesystem::path& directory) {
    make_directory(directory);
    const auto file = directory / "parley.lock";
    x_descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (x_descriptor < 0) fail("cannot open " + file.string(), errno);
    // Made by root for a server of another user: that one must be able to open it later.
    struct stat owner{};
    if (::geteuid() == 0 && ::stat(directory.c_str(), &owner) == 0 && owner.st_uid != 0 &&
        ::fchown(x_descriptor, owner.st_uid, owner.st_gid) != 0)
        fail("cannot give " + file.string() + " to its folder's owner", errno);
    if (::flock(x_descriptor, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        const std::string holder = holder_of(x_descriptor);
        ::close(x_descriptor);
        if (error != EWOULDBLOCK) fail("cannot lock " + file.string(), error);
        throw std::runtime_error("the data folder " + directory.string() + " is in use by " +
                                 holder + ": two servers must not share one folder");
    }
    // Only a help for the text above: a full disk must not stop the start.
    const std::string pid = std::to_string(::getpid());
    const bool written =
        ::ftruncate(x_descriptor, 0) == 0 &&
        ::pwrite(x_descriptor, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
    static_cast<void>(written);
}

DirectoryLock::~DirectoryLock() { ::close(x_descriptor); }

} // namespace parley::sqlite
