#include "app/commands/files.hpp"

#include "adapters/crypto/sha256.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace parley::app {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
    throw std::runtime_error(path.string() + " " + what + ": " +
                             std::generic_category().message(errno));
}

class Descriptor {
public:
    Descriptor(const std::filesystem::path& path, int flags)
        : x_fd(::open(path.c_str(), flags, 0600)) {
        if (x_fd < 0) fail(path, "cannot be opened");
    }
    ~Descriptor() { ::close(x_fd); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return x_fd; }

private:
    const int x_fd;
};

void put(const Descriptor& file, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(file.get(), bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) fail(path, "cannot be written");
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
}

template <class Function>
FileFacts read_through(const std::filesystem::path& path, const Function& piece) {
    const Descriptor file(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    std::string buffer(1 << 20, '\0');
    crypto::Sha256 hash;
    FileFacts facts;
    for (;;) {
        const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) fail(path, "cannot be read");
        if (size == 0) break;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
        hash.add(bytes);
        piece(bytes);
        facts.bytes += bytes.size();
    }
    facts.sha256 = hash.hex();
    return facts;
}

} // namespace

FileFacts hash_file(const std::filesystem::path& file) {
    return read_through(file, [](std::string_view) {});
}

FileFacts copy_synced(const std::filesystem::path& from, const std::filesystem::path& to) {
    const Descriptor target(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
    const FileFacts facts =
        read_through(from, [&](std::string_view bytes) { put(target, bytes, to); });
    if (::fsync(target.get()) != 0) fail(to, "cannot be written");
    return facts;
}

void write_file(const std::filesystem::path& file, std::string_view bytes) {
    const Descriptor target(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
    put(target, bytes, file);
    if (::fsync(target.get()) != 0) fail(file, "cannot be written");
}

std::string read_file(const std::filesystem::path& file, std::size_t limit) {
    std::string text;
    read_through(file, [&](std::string_view bytes) {
        if (text.size() + bytes.size() > limit)
            throw std::runtime_error(file.string() + " is too long to be one");
        text += bytes;
    });
    return text;
}

void make_private_folder(const std::filesystem::path& folder) {
    if (::mkdir(folder.c_str(), 0700) != 0) fail(folder, "cannot be made");
}

void sync_path(const std::filesystem::path& path) {
    const Descriptor descriptor(path, O_RDONLY | O_CLOEXEC);
    if (::fsync(descriptor.get()) != 0) fail(path, "cannot be synced");
}

void rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0)
        fail(to, "cannot be made");
}

} // namespace parley::app
