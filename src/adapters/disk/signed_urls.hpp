// The URLs of the embedded store. Everything that an upload or a download may do stands in the URL,
// under an HMAC-SHA-256: nothing is remembered between a ticket and its use.
//
//   url     := prefix token            prefix: "/media/put/" or "/media/get/"
//   token   := base64url(payload) "." base64url(HMAC(key, payload))
//   payload := kind LF key LF content_type LF size LF sha256 LF expires_ms LF inline LF filename
//
// Threading: immutable. Owner: the store.
#pragma once

#include "base/result.hpp"
#include "ports/object_store.hpp"

#include <string>
#include <string_view>

namespace parley::disk {

inline constexpr std::string_view kPutPrefix = "/media/put/", kGetPrefix = "/media/get/";

class SignedUrls {
public:
    explicit SignedUrls(std::string_view secret);

    std::string upload(const ports::UploadTerms& terms) const;
    std::string download(const ports::DownloadTerms& terms) const;
    // forbidden: not made here, or changed. Whether it has expired is the caller's to say.
    Result<ports::UploadTerms> read_upload(std::string_view token) const;
    Result<ports::DownloadTerms> read_download(std::string_view token) const;

private:
    std::string seal(std::string_view payload) const;
    std::string token(const std::string& payload) const;
    Result<std::string> open(std::string_view token) const;

    std::string x_key;
};

} // namespace parley::disk
