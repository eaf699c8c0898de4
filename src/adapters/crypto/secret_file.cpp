#include "adapters/crypto/secret_file.hpp"

#include "base/base64url.hpp"
#include "base/limits.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace parley::crypto {

namespace {

constexpr std::size_t kFileBytesMax = 4'096;

class Descriptor {
public:
    explicit Descriptor(int fd) : x_fd(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (x_fd >= 0) ::close(x_fd);
    }
    int get() const { return x_fd; }

private:
    int x_fd;
};

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
    throw std::runtime_error("the secret " + path.string() + " " + what);
}

[[noreturn]] void fail_errno(const std::filesystem::path& path, const std::string& what) {
    fail(path, what + ": " + std::generic_category().message(errno));
}

std::string read_all(const Descriptor& file, const std::filesystem::path& path) {
    std::string bytes(kFileBytesMax + 1, '\0');
    std::size_t size = 0;
    for (;;) {
        const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail_errno(path, "cannot be read");
        size += static_cast<std::size_t>(got);
        if (got == 0 || size == bytes.size()) break;
    }
    if (size > kFileBytesMax) fail(path, "is too long to be one; is it the right file?");
    bytes.resize(size);
    return bytes;
}

std::optional<std::string> load(const std::filesystem::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) {
        if (errno == ENOENT) return std::nullopt;
        fail_errno(path, "cannot be opened");
    }
    struct stat facts{};
    if (::fstat(file.get(), &facts) != 0) fail_errno(path, "cannot be examined");
    if (!S_ISREG(facts.st_mode)) fail(path, "is not a regular file");
    if ((facts.st_mode & 077) != 0)
        fail(path, "can be read by others; run: chmod 600 " + path.string());
    std::string secret = read_all(file, path);
    if (secret.ends_with('\n')) secret.pop_back();
    check_secret(secret, path.string());
    return secret;
}

void write_all(const Descriptor& file, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) fail_errno(path, "cannot be written");
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fsync(file.get()) != 0) fail_errno(path, "cannot be written");
}

// Under another name first: a crash must not leave half a secret.
std::string make(const std::filesystem::path& path, ports::Entropy& entropy) {
    std::array<std::byte, limits::kSecretBytes> bytes;
    entropy.fill(bytes);
    const std::string secret =
        to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    std::filesystem::path unfinished = path;
    unfinished += ".new";
    ::unlink(unfinished.c_str());
    {
        const Descriptor file(
            ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (file.get() < 0) fail_errno(path, "cannot be made");
        write_all(file, secret + "\n", path);
    }
    if (::rename(unfinished.c_str(), path.c_str()) != 0) fail_errno(path, "cannot be made");
    const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
    const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail_errno(path, "cannot be made");
    return secret;
}

} // namespace

void check_secret(std::string_view secret, std::string_view origin) {
    if (secret.size() >= limits::kSecretBytes) return;
    throw std::runtime_error("the secret of " + std::string(origin) + " has " +
                             std::to_string(secret.size()) + " bytes, at least " +
                             std::to_string(limits::kSecretBytes) +
                             " random ones are needed; remove it to have one made");
}

std::string load_or_make_secret(const std::filesystem::path& path, ports::Entropy& entropy) {
    if (auto secret = load(path)) return *std::move(secret);
    return make(path, entropy);
}

} // namespace parley::crypto
