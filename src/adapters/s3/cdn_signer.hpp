// URLs of the cache in front of the storage. Two kinds:
//
// edge (deploy/nginx/cdn.conf.in): URL/m/TOKEN/EXPIRES/PATH?QUERY, where
//   TOKEN := base64url(MD5("SECRET EXPIRES PATH SECRET")), which is what Nginx's secure_link checks
//   QUERY := a signature for the storage, with which the edge reads what it has not got
// cloudfront: URL/PATH?QUERY&Expires=&Signature=&Key-Pair-Id=, RSA with SHA-1 of the canned policy
//
// An expiry is rounded up to the end of a window, so that all who ask in it share one URL.
//
// Threading: const, from any thread. Owner: the object store. The constructors throw
// std::runtime_error for the operator.
#pragma once

#include "adapters/s3/settings.hpp"
#include "base/result.hpp"

#include <memory>

namespace parley::s3 {

struct CdnMoment {
    std::int64_t end_s = 0;   // when the URL ends, and
    std::int64_t begin_s = 0; // a moment before now; both alike for all who ask in one window
};
CdnMoment cdn_moment(model::Time now, std::chrono::seconds life, std::chrono::seconds window);

// `path` begins with '/' and has nothing that needs encoding.
std::string edge_url(const CdnSettings& settings, const std::string& path, const std::string& query,
                     std::int64_t end_s);
// Where the edge keeps one slice, below its folder.
std::string edge_cache_file(const std::string& path, std::uint64_t slice);

class CloudFrontSigner {
public:
    explicit CloudFrontSigner(const CdnSettings& settings);
    ~CloudFrontSigner();
    std::string url(const std::string& path, const std::string& query, std::int64_t end_s) const;

private:
    struct Key;
    const CdnSettings& x_settings;
    std::unique_ptr<Key> x_key;
};

} // namespace parley::s3
