#include "adapters/disk/incoming.hpp"

#include "base/assert.hpp"
#include "base/media_limits.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <new>
#include <unistd.h>
#include <vector>

namespace parley::disk {
namespace {

constexpr int kUntried = -2, kRefused = -1;
constexpr std::size_t kBlock = 4096; // what O_DIRECT wants of places and sizes, on every disk
static_assert(limits::kDiskDirectPiece % kBlock == 0);

struct Aligned {
    Aligned() : bytes(static_cast<char*>(std::aligned_alloc(kBlock, limits::kDiskDirectPiece))) {
        if (!bytes) throw std::bad_alloc();
    }
    ~Aligned() { std::free(bytes); }
    Aligned(const Aligned&) = delete;
    Aligned& operator=(const Aligned&) = delete;
    char* const bytes;
};

// One for each thread that writes.
char* aligned_buffer() {
    static thread_local const Aligned t_buffer;
    return t_buffer.bytes;
}

EVP_MD_CTX* begin_hash() {
    EVP_MD_CTX* const hash = EVP_MD_CTX_new();
    PARLEY_ASSERT(hash && EVP_DigestInit_ex(hash, EVP_sha256(), nullptr) == 1);
    return hash;
}

} // namespace

Error from_errno(int code) {
    if (code == ENOSPC || code == EDQUOT)
        return {Errc::media_storage_full, "the disk of this server is full"};
    if (code == ENOENT) return {Errc::media_not_uploaded, "there is no such file"};
    return {Errc::media_unavailable, std::string("the folder of files: ") + std::strerror(code)};
}

Result<void> write_all(int descriptor, std::string_view bytes, std::uint64_t at) {
    while (!bytes.empty()) {
        const ssize_t n = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return from_errno(errno);
        bytes.remove_prefix(static_cast<std::size_t>(n));
        at += static_cast<std::uint64_t>(n);
    }
    return {};
}

Incoming::Incoming(std::string path, int descriptor, std::uint64_t size,
                   std::function<void()> release)
    : x_path(std::move(path)),
      x_descriptor(descriptor),
      x_release(std::move(release)),
      x_direct(kUntried),
      x_size(size),
      x_begun(size) {
    if (size == 0) x_hash = begin_hash();
}

Incoming::~Incoming() {
    ::close(x_descriptor);
    if (x_direct >= 0) ::close(x_direct);
    EVP_MD_CTX_free(x_hash);
    x_release();
}

Result<void> Incoming::append(std::string_view bytes) {
    if (bytes.size() >= limits::kDiskDirectLeast && direct()) return append_direct(bytes);
    PARLEY_CHECK(flush());
    return append_cached(bytes);
}

void Incoming::digest(std::string_view bytes) {
    if (x_hash) EVP_DigestUpdate(x_hash, bytes.data(), bytes.size());
}

Result<void> Incoming::append_cached(std::string_view bytes) {
    PARLEY_CHECK(write_all(x_descriptor, bytes, x_size));
    x_size += bytes.size();
    // The disk begins now, so that little is left for the fsync at the end.
    if (x_size - x_begun >= limits::kDiskWriteBehind) {
        ::sync_file_range(x_descriptor, static_cast<off64_t>(x_begun),
                          static_cast<off64_t>(x_size - x_begun), SYNC_FILE_RANGE_WRITE);
        x_begun = x_size;
    }
    return {};
}

Result<void> Incoming::flush() {
    PARLEY_CHECK(write_all(x_descriptor, x_tail, x_size - x_tail.size()));
    x_tail.clear();
    return {};
}

bool Incoming::direct() {
    if (x_direct == kUntried) {
        x_direct = ::open(x_path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
        if (x_direct < 0) x_direct = kRefused;
    }
    return x_direct >= 0;
}

Result<void> Incoming::append_direct(std::string_view bytes) {
    if (x_tail.empty()) {
        const std::size_t missing = (kBlock - x_size % kBlock) % kBlock;
        const std::string_view first = bytes.substr(0, missing);
        PARLEY_CHECK(append_cached(first));
        bytes.remove_prefix(first.size());
    }
    char* const buffer = aligned_buffer();
    while (x_tail.size() + bytes.size() >= kBlock) {
        const std::size_t kept = x_tail.copy(buffer, x_tail.size());
        const std::size_t taken = std::min(bytes.size(), limits::kDiskDirectPiece - kept);
        std::memcpy(buffer + kept, bytes.data(), taken);
        const std::size_t whole = (kept + taken) / kBlock * kBlock;
        PARLEY_CHECK(write_blocks({buffer, whole}, x_size - kept));
        x_tail.assign(buffer + whole, kept + taken - whole);
        x_size += taken;
        bytes.remove_prefix(taken);
    }
    x_tail += bytes;
    x_size += bytes.size();
    return {};
}

// Some file systems take the flag, and say only now that they cannot.
Result<void> Incoming::write_blocks(std::string_view bytes, std::uint64_t at) {
    while (!bytes.empty() && x_direct >= 0) {
        const ssize_t n = ::pwrite(x_direct, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EINVAL) return from_errno(errno);
        if (n < 0) {
            ::close(x_direct);
            x_direct = kRefused;
            break;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
        at += static_cast<std::uint64_t>(n);
    }
    return write_all(x_descriptor, bytes, at);
}

Result<void> Incoming::hash_all() {
    x_hash = begin_hash();
    std::vector<char> buffer(256 * 1024);
    for (std::uint64_t at = 0; at < x_size;) {
        const ssize_t n =
            ::pread(x_descriptor, buffer.data(), buffer.size(), static_cast<off_t>(at));
        if (n <= 0) return from_errno(n < 0 ? errno : EIO);
        EVP_DigestUpdate(x_hash, buffer.data(), static_cast<std::size_t>(n));
        at += static_cast<std::uint64_t>(n);
    }
    return {};
}

Result<std::string> Incoming::sha256() {
    PARLEY_CHECK(flush());
    if (!x_hash) {
        PARLEY_CHECK(hash_all());
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    EVP_DigestFinal_ex(x_hash, digest.data(), &size);
    return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

Result<void> Incoming::sync() {
    if (::fsync(x_descriptor) != 0) return from_errno(errno);
    return {};
}

} // namespace parley::disk
