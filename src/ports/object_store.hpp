// Where the bytes of media lie. Clients write and read them by URLs that are signed here and need
// no other right; the server itself reads little of them.
//
// A key is made by the server (lower-case letters, digits, '-' and '/'), and written once: an
// object is never changed. Nothing is ever readable without a signature.
//
// Threading: any core. What blocks runs elsewhere. Errors besides those named: media_unavailable
// (storage is down or too slow), media_storage_full, overloaded.
#pragma once

#include "base/task.hpp"
#include "model/media.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace parley::ports {

// The type of a ticket that leaves type and size open: at most `size` bytes of anything, which is
// looked at when it has come.
inline constexpr std::string_view kOpenContentType = "application/octet-stream";

// What a signature binds an upload to.
struct UploadTerms {
    std::string key;
    std::string content_type;
    std::uint64_t size = 0;
    std::string sha256; // 32 bytes, or "": the client did not say
    model::Time now, expires_at;
};

// A request that the client is to make. A URL that begins with '/' is of this server.
struct SignedRequest {
    std::string method, url;
    std::vector<std::pair<std::string, std::string>> headers; // to be sent exactly so
};

struct UploadTicket {
    SignedRequest whole;    // method "MULTIPART": in `parts`, and then `complete`
    bool resumable = false; // tus 1.0 on the same URL
    struct Part {
        std::uint32_t number = 0; // from 1
        SignedRequest request;
    };
    std::vector<Part> parts;
    std::uint64_t part_size = 0;
    std::string upload_id;                 // of an upload in parts, for abort_parts(); else ""
    std::optional<SignedRequest> complete; // absent: the service's own call does complete_parts()
    model::Time expires_at;
};

struct ObjectHead {
    std::uint64_t size = 0;
    std::string content_type; // "": the store keeps none
    std::string sha256;       // 32 bytes, or "": the store does not know
};

struct DownloadTerms {
    std::string key;
    std::string content_type;
    std::string filename;        // any text
    bool shown_inline = false;   // else an attachment
    model::Time now, expires_at; // expires_at may be moved later, so that many share one URL
};

class ObjectStore {
public:
    virtual Task<Result<UploadTicket>> ticket(UploadTerms terms) = 0;
    // An upload in parts becomes an object; answers media_not_uploaded where a part is missing.
    virtual Task<Result<void>> complete_parts(std::string key, std::string upload_id) = 0;
    virtual Task<Result<void>> abort_parts(std::string key, std::string upload_id) = 0;

    virtual Task<Result<ObjectHead>> head(std::string key) = 0; // media_not_uploaded: no object
    // At most `size` bytes from `offset`; fewer only at the end. media_not_uploaded.
    virtual Task<Result<std::string>> read(std::string key, std::uint64_t offset,
                                           std::size_t size) = 0;
    // The whole object as a file that does not exist yet and is only read, in constant memory.
    // media_not_uploaded.
    virtual Task<Result<void>> fetch(std::string key, std::filesystem::path to) = 0;
    // From a file of this machine: thumbnails. Again with the same bytes: no error.
    virtual Task<Result<void>> put(std::string key, std::filesystem::path from,
                                   std::string content_type) = 0;
    // Also what was uploaded of it in part. No object: no error.
    virtual Task<Result<void>> remove(std::string key) = 0;
    // A short-lived URL for anybody; the answer to it has nosniff, Content-Disposition and a
    // sandboxing Content-Security-Policy. Pure arithmetic: never waits.
    virtual Result<std::string> download_url(const DownloadTerms& terms) = 0;
    // Of a cache in front, the key (an object of this size) and its variants; nothing where there
    // is none. After remove(): else the cache may read it again.
    virtual Task<Result<void>> purge(std::string key, std::uint64_t size) = 0;

protected:
    ~ObjectStore() = default;
};

} // namespace parley::ports
