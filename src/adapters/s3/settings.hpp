// Where the S3 server is, and which cache stands in front of it. Values from app/; the secrets are
// never logged.
#pragma once

#include "adapters/s3/signer.hpp"
#include "base/cluster_limits.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace parley::s3 {

// A cache that clients read through.
struct CdnSettings {
    enum class Kind { none, edge, cloudfront };
    Kind kind = Kind::none;
    std::string url;       // https://cdn.example.org, without a slash at its end
    std::string secret;    // edge: what its tokens are made with
    std::string key_id;    // cloudfront: of the key pair
    std::string key_pem;   // cloudfront: the private key
    std::string purge_url; // edge: where single files of its cache are deleted; "": nowhere
    std::chrono::seconds window = limits::kCdnWindow; // expiries are rounded up to it
};

struct Settings {
    std::string endpoint;        // http://127.0.0.1:9000, https://s3.eu-central-1.amazonaws.com
    std::string public_endpoint; // as clients reach it; "": the same
    std::string bucket;
    Credentials credentials;
    bool path_style = true; // else the bucket is the first part of the host's name
    std::vector<std::string> allowed_origins; // of web pages that upload
    CdnSettings cdn;
};

} // namespace parley::s3
