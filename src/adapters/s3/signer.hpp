// Signer: requests to S3 and URLs for clients, signed by AWS Signature Version 4 (HMAC-SHA-256, by
// OpenSSL).
//
// A signed URL binds method, host, path, query, the headers named in it, the moment and its life:
// nothing of these can be changed without the secret, and the body only where its hash or length
// is among the headers.
//
// canonical request := METHOD \n path \n query \n (name:value \n)... \n names \n hash of the body
// text to sign     := AWS4-HMAC-SHA256 \n YYYYMMDDThhmmssZ \n scope \n hash of the above
// scope            := YYYYMMDD/region/service/aws4_request
//
// Threading: const, from any thread. Owner: the object store. It cannot fail but for lack of
// memory.
#pragma once

#include "model/time.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::s3 {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct Credentials {
    std::string access_key, secret_key;
    std::string region = "us-east-1", service = "s3";
};

// What is signed. Names of headers in lower case, values as they are sent; path and query as plain
// text, which the signer encodes.
struct Signable {
    std::string method, host, path;          // the path begins with '/'
    Fields query, headers;                   // the header host is added
    std::string body_hash{kUnsignedPayload}; // hexadecimal
};

class Signer {
public:
    explicit Signer(Credentials credentials);

    // The headers to send besides: host is not among them, authorization and x-amz-date are.
    Fields sign(Signable request, model::Time now) const;
    // path?query with the signature in it; the headers are to be sent exactly so.
    std::string presign(Signable request, model::Time now, std::chrono::seconds life) const;

private:
    std::string signature(const Signable& request, const std::string& names,
                          const std::string& moment) const;
    const Credentials x_credentials;
};

// Percent-encoding as S3 wants it: all but letters, digits and -._~ ; a slash stays in a path.
std::string encoded(std::string_view text, bool path = false);
std::string encoded_query(Fields query); // sorted

std::string hex(std::string_view bytes);
std::string sha256(std::string_view bytes);     // 32 bytes
std::string base64(std::string_view bytes);     // with padding
std::string from_base64(std::string_view text); // "" when it is none

} // namespace parley::s3
