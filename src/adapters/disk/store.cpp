#include "adapters/disk/store.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <fstream>
#include <unistd.h>
#include <vector>

namespace parley::disk {
namespace {

Result<void> take_in(Files& files, const std::string& key, const std::filesystem::path& from,
                     const std::string& content_type) {
    if (files.info(key)) return {};
    std::ifstream in(from, std::ios::binary);
    if (!in) return Error(Errc::media_unavailable, "the file cannot be read");
    PARLEY_CHECK(files.remove(key)); // what an earlier try has left
    PARLEY_TRY(const auto incoming, files.begin(key, Files::Begin::fresh));
    std::vector<char> buffer(256 * 1024);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0) {
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(in.gcount()));
        incoming->digest(bytes);
        PARLEY_CHECK(incoming->append(bytes));
    }
    return files.finish(key, *incoming, {}, content_type);
}

} // namespace

Store::Store(const std::filesystem::path& folder, std::string_view secret, Metrics& metrics)
    : x_files(folder),
      x_urls(secret),
      x_pool("disk", limits::kDiskThreads, limits::kDiskQueue, metrics) {}

Task<Result<ports::UploadTicket>> Store::ticket(ports::UploadTerms terms) {
    auto asking =
        x_pool.run([this](std::size_t) -> Result<std::uint64_t> { return x_files.free_bytes(); });
    PARLEY_CO_TRY(const std::uint64_t free, co_await std::move(asking));
    if (free < limits::kDiskReserve || free - limits::kDiskReserve < terms.size)
        co_return Error(Errc::media_storage_full, "the disk of this server is full");
    ports::UploadTicket ticket;
    ticket.whole.method = "PUT";
    ticket.whole.url = x_urls.upload(terms);
    ticket.whole.headers.emplace_back("Content-Type", terms.content_type);
    ticket.resumable = true;
    ticket.expires_at = terms.expires_at;
    co_return ticket;
}

Task<Result<void>> Store::complete_parts(std::string, std::string) {
    co_return Error(Errc::media_not_uploaded, "uploads here are not in parts");
}

Task<Result<void>> Store::abort_parts(std::string, std::string) { co_return Result<void>{}; }

Task<Result<ports::ObjectHead>> Store::head(std::string key) {
    return x_pool.run([this, key = std::move(key)](std::size_t) -> Result<ports::ObjectHead> {
        PARLEY_TRY(const StoredInfo info, x_files.info(key));
        return ports::ObjectHead{info.size, info.content_type, info.sha256};
    });
}

Task<Result<std::string>> Store::read(std::string key, std::uint64_t offset, std::size_t size) {
    return x_pool.run(
        [this, key = std::move(key), offset, size](std::size_t) -> Result<std::string> {
            PARLEY_TRY(const StoredInfo info, x_files.info(key));
            PARLEY_TRY(const int descriptor, x_files.open(key));
            const std::uint64_t left = info.size > offset ? info.size - offset : 0;
            std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(left, size)), '\0');
            const ssize_t n =
                ::pread(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            ::close(descriptor);
            if (n != static_cast<ssize_t>(bytes.size()))
                return Error(Errc::media_unavailable, "the file cannot be read");
            return bytes;
        });
}

Task<Result<void>> Store::fetch(std::string key, std::filesystem::path to) {
    return x_pool.run([this, key = std::move(key), to = std::move(to)](
                          std::size_t) -> Result<void> { return x_files.link(key, to); });
}

Task<Result<void>> Store::put(std::string key, std::filesystem::path from,
                              std::string content_type) {
    return x_pool.run([this, key = std::move(key), from = std::move(from),
                       type = std::move(content_type)](std::size_t) -> Result<void> {
        return take_in(x_files, key, from, type);
    });
}

Task<Result<void>> Store::remove(std::string key) {
    return x_pool.run(
        [this, key = std::move(key)](std::size_t) -> Result<void> { return x_files.remove(key); });
}

Task<Result<void>> Store::purge(std::string, std::uint64_t) { co_return Result<void>{}; }

} // namespace parley::disk
