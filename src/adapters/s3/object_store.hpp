// ObjectStore: ports::ObjectStore on any S3 server, with or without a cache in front.
//
// An upload's URL signs the content type, the length, the checksum where the client said one, and
// `if-none-match: *`: the object is written once, and never again after it was looked at. Uploads
// above limits::kStorageWholeBytes come in parts; what abort_parts() needs is PARTS:ID.
//
// Threading: any core; what blocks runs on the workers of Storage. Owner: app. Errors, bounds and
// shutdown: see storage.hpp; stop().
#pragma once

#include "adapters/s3/cdn_signer.hpp"
#include "adapters/s3/storage.hpp"
#include "ports/object_store.hpp"

#include <optional>

namespace parley::s3 {

class ObjectStore final : public ports::ObjectStore {
public:
    ObjectStore(const Settings& settings, const ports::Clock& clock, Logger& log, Metrics& metrics);

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
    Result<std::string> download_url(const ports::DownloadTerms& terms) override;
    Task<Result<void>> purge(std::string key, std::uint64_t size) override;

    // At start: the bucket is there, and web pages of the allowed origins may upload to it.
    Task<Result<void>> prepare();
    // Again and again: who only signs URLs hears nothing of the storage's clock else.
    Task<Result<void>> look_at_clock();
    void stop() { x_storage.stop(); }

private:
    ports::UploadTicket whole(const ports::UploadTerms& terms) const;
    Result<std::string> begin_parts(std::size_t worker, const ports::UploadTerms& terms);
    Result<ports::UploadTicket> open(std::size_t worker, const ports::UploadTerms& terms);
    Result<ports::UploadTicket> in_parts(std::size_t worker, const ports::UploadTerms& terms);
    Result<void> complete(std::size_t worker, const std::string& key, const std::string& upload_id);
    Result<void> remove_with_parts(std::size_t worker, const std::string& key);
    Result<void> purge_file(std::size_t worker, const std::string& file);

    Storage x_storage;
    std::optional<CloudFrontSigner> x_cloudfront;
    Counter &x_tickets, &x_purged;
};

// What a browser is told to do with a file: RFC 6266, with any name.
std::string content_disposition(const ports::DownloadTerms& terms);

} // namespace parley::s3
