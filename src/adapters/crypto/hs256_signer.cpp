#include "adapters/crypto/hs256_signer.hpp"

#include "adapters/crypto/claims.hpp"
#include "adapters/crypto/secret_file.hpp"
#include "base/assert.hpp"
#include "base/base64url.hpp"
#include "base/limits.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <stdexcept>

namespace parley::crypto {

namespace {

constexpr std::size_t kMacBytes = 32;
using Mac = std::array<unsigned char, kMacBytes>;

// base64url of {"alg":"HS256","typ":"JWT"} and the dot after it.
constexpr std::string_view kHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";

struct MacFree {
    void operator()(EVP_MAC_CTX* context) const { ::EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, MacFree>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view view(const Mac& mac) {
    return {reinterpret_cast<const char*>(mac.data()), kMacBytes};
}

// A context that has its key already; each use works on a copy, which is cheaper than a new key.
MacContext make_context(std::string_view key) {
    EVP_MAC* algorithm = ::EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    MacContext context(algorithm ? ::EVP_MAC_CTX_new(algorithm) : nullptr);
    ::EVP_MAC_free(algorithm);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        ::OSSL_PARAM_construct_end()};
    if (!context || ::EVP_MAC_init(context.get(), bytes_of(key), key.size(), parameters) != 1)
        throw std::runtime_error("OpenSSL gives no HMAC-SHA-256");
    return context;
}

Mac mac_of(const MacContext& keyed, std::string_view text) {
    Mac mac;
    std::size_t size = 0;
    const MacContext context(::EVP_MAC_CTX_dup(keyed.get()));
    const bool done = context &&
                      ::EVP_MAC_update(context.get(), bytes_of(text), text.size()) == 1 &&
                      ::EVP_MAC_final(context.get(), mac.data(), &size, mac.size()) == 1;
    PARLEY_ASSERT(done && size == kMacBytes);
    return mac;
}

Error refused() { return {Errc::unauthorized, "the access token is not valid"}; }

} // namespace

struct Hs256Signer::Keys {
    MacContext tokens, seals;
};

Hs256Signer::Hs256Signer(std::string_view secret) {
    check_secret(secret, "the access tokens");
    MacContext tokens = make_context(secret);
    const Mac seal_key = mac_of(tokens, "parley seal key");
    x_keys.reset(new Keys{std::move(tokens), make_context(view(seal_key))});
}

Hs256Signer::~Hs256Signer() = default;

std::string Hs256Signer::sign(const ports::AccessClaims& claims) const {
    // The end is rounded up: a client may use the token for all of the `expires_in` it was told.
    const std::string payload = R"({"iss":"parley","aud":"parley","typ":"access","sub":")" +
                                claims.user_id.to_string() + R"(","sid":")" +
                                claims.session_id.to_string() + R"(","iat":)" +
                                std::to_string(claims.issued_at.ms / 1000) + R"(,"exp":)" +
                                std::to_string((claims.expires_at.ms + 999) / 1000) + "}";
    std::string token;
    token.reserve(kHeader.size() + base64url_size(payload.size()) + 1 + base64url_size(kMacBytes));
    token += kHeader;
    append_base64url(token, payload);
    const Mac mac = mac_of(x_keys->tokens, token);
    token += '.';
    append_base64url(token, view(mac));
    return token;
}

Result<ports::AccessClaims> Hs256Signer::verify(std::string_view token, model::Time now) const {
    if (token.size() > limits::kTokenBytes || !token.starts_with(kHeader)) return refused();
    const std::size_t dot = token.find('.', kHeader.size());
    if (dot == std::string_view::npos) return refused();
    const auto signature = from_base64url(token.substr(dot + 1));
    if (!signature || signature->size() != kMacBytes) return refused();
    const Mac mac = mac_of(x_keys->tokens, token.substr(0, dot));
    if (::CRYPTO_memcmp(mac.data(), signature->data(), kMacBytes) != 0) return refused();

    const auto payload = from_base64url(token.substr(kHeader.size(), dot - kHeader.size()));
    const auto claims = payload ? parse_claims(*payload) : std::nullopt;
    if (!claims) return refused();
    const std::int64_t latest_ms = now.ms + std::chrono::milliseconds(limits::kClockLeeway).count();
    if (claims->not_before_s * 1000 > latest_ms || claims->access.issued_at.ms > latest_ms)
        return refused();
    if (claims->access.expires_at <= claims->access.issued_at) return refused();
    if (claims->access.expires_at <= now)
        return Error(Errc::token_expired, "the access token has expired");
    return claims->access;
}

std::string Hs256Signer::digest(std::string_view secret) const {
    Mac out;
    unsigned size = 0;
    const bool done =
        ::EVP_Digest(secret.data(), secret.size(), out.data(), &size, ::EVP_sha256(), nullptr) == 1;
    PARLEY_ASSERT(done && size == kMacBytes);
    return std::string(view(out));
}

std::string Hs256Signer::seal(std::string_view text) const {
    return std::string(view(mac_of(x_keys->seals, text)));
}

} // namespace parley::crypto
