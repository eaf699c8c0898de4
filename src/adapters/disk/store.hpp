// Store: the object store of the embedded product: a folder, and URLs of this server itself that
// Endpoint answers.
//
// Threading: the ports from any core; files are touched on a pool of its own, with a bounded queue.
// Owner: app/wiring. Shutdown: stop() lets what was begun finish.
#pragma once

#include "adapters/disk/files.hpp"
#include "adapters/disk/signed_urls.hpp"
#include "base/metrics.hpp"
#include "base/worker_pool.hpp"
#include "ports/object_store.hpp"

namespace parley::disk {

class Store final : public ports::ObjectStore {
public:
    // Throws std::runtime_error with a text for the operator.
    Store(const std::filesystem::path& folder, std::string_view secret, Metrics& metrics);

    Task<Result<ports::UploadTicket>> ticket(ports::UploadTerms terms) override;
    Task<Result<void>> complete_parts(std::string key, std::string upload_id) override;
    Task<Result<void>> abort_parts(std::string key, std::string upload_id) override;
    Task<Result<ports::ObjectHead>> head(std::string key) override;
    Task<Result<std::string>> read(std::string key, std::uint64_t offset,
                                   std::size_t size) override;
    Task<Result<void>> fetch(std::string key, std::filesystem::path to) override;
    Task<Result<void>> put(std::string key, std::filesystem::path from,
                           std::string content_type) override;
    Task<Result<void>> remove(std::string key) override;
    Result<std::string> download_url(const ports::DownloadTerms& terms) override {
        return x_urls.download(terms);
    }
    Task<Result<void>> purge(std::string key, std::uint64_t size) override;
    void stop() { x_pool.stop(); }

    // For the endpoint.
    const SignedUrls& urls() const { return x_urls; }
    Files& files() { return x_files; }
    WorkerPool& pool() { return x_pool; }

private:
    Files x_files;
    const SignedUrls x_urls;
    WorkerPool x_pool;
};

} // namespace parley::disk
