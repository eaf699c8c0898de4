#include "adapters/disk/signed_urls.hpp"

#include "base/assert.hpp"
#include "base/base64url.hpp"
#include "base/hex.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

namespace parley::disk {
namespace {

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out;
    unsigned size = 0;
    PARLEY_ASSERT(::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         out.data(), &size));
    return {reinterpret_cast<const char*>(out.data()), size};
}

Error forged() { return {Errc::forbidden, "This URL was not made by this server."}; }

// Fields of a payload whose signature was right: they are as they were written.
struct Fields {
    std::string_view rest;
    std::string_view next() {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view field = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        return field;
    }
    std::int64_t number() {
        std::int64_t value = 0;
        const std::string_view text = next();
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }
};

} // namespace

SignedUrls::SignedUrls(std::string_view secret) : x_key(hmac(secret, "parley media urls")) {}

std::string SignedUrls::seal(std::string_view payload) const { return hmac(x_key, payload); }

std::string SignedUrls::token(const std::string& payload) const {
    return to_base64url(payload) + "." + to_base64url(seal(payload));
}

Result<std::string> SignedUrls::open(std::string_view token) const {
    const std::size_t dot = token.find('.');
    if (dot == std::string_view::npos) return forged();
    auto payload = from_base64url(token.substr(0, dot));
    const auto given = from_base64url(token.substr(dot + 1));
    if (!payload || !given) return forged();
    const std::string wanted = seal(*payload);
    if (given->size() != wanted.size() ||
        ::CRYPTO_memcmp(given->data(), wanted.data(), wanted.size()) != 0)
        return forged();
    return std::move(*payload);
}

std::string SignedUrls::upload(const ports::UploadTerms& terms) const {
    return std::string(kPutPrefix) +
           token("put\n" + terms.key + "\n" + terms.content_type + "\n" +
                 std::to_string(terms.size) + "\n" + to_hex(terms.sha256) + "\n" +
                 std::to_string(terms.expires_at.ms) + "\n0\n");
}

std::string SignedUrls::download(const ports::DownloadTerms& terms) const {
    return std::string(kGetPrefix) +
           token("get\n" + terms.key + "\n" + terms.content_type + "\n0\n\n" +
                 std::to_string(terms.expires_at.ms) + (terms.shown_inline ? "\n1\n" : "\n0\n") +
                 terms.filename);
}

Result<ports::UploadTerms> SignedUrls::read_upload(std::string_view token) const {
    PARLEY_TRY(const std::string payload, open(token));
    Fields fields{payload};
    if (fields.next() != "put") return forged();
    ports::UploadTerms terms;
    terms.key = fields.next();
    terms.content_type = fields.next();
    terms.size = static_cast<std::uint64_t>(fields.number());
    terms.sha256 = from_hex(fields.next()).value_or(std::string());
    terms.expires_at.ms = fields.number();
    return terms;
}

Result<ports::DownloadTerms> SignedUrls::read_download(std::string_view token) const {
    PARLEY_TRY(const std::string payload, open(token));
    Fields fields{payload};
    if (fields.next() != "get") return forged();
    ports::DownloadTerms terms;
    terms.key = fields.next();
    terms.content_type = fields.next();
    fields.next();
    fields.next();
    terms.expires_at.ms = fields.number();
    terms.shown_inline = fields.number() == 1;
    terms.filename = fields.rest;
    return terms;
}

} // namespace parley::disk
