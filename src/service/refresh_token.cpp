#include "service/refresh_token.hpp"

#include "base/base64url.hpp"

#include <array>
#include <cstddef>

namespace parley::service {

namespace {

std::string seal_of(const RefreshToken& token, const ports::TokenSigner& signer) {
    return signer.seal("refresh." + token.session_id.to_string() + "." + token.random)
        .substr(0, kRefreshSealBytes);
}

// Takes the same time wherever the texts differ.
bool same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
    return difference == 0;
}

} // namespace

std::string make_refresh_random(ports::Entropy& entropy) {
    std::array<std::byte, kRefreshRandomBytes> bytes;
    entropy.fill(bytes);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string encode(const RefreshToken& token, const ports::TokenSigner& signer) {
    return token.session_id.to_string() + "." + to_base64url(token.random + seal_of(token, signer));
}

std::optional<RefreshToken> decode_refresh_token(std::string_view text,
                                                 const ports::TokenSigner& signer) {
    constexpr std::size_t kSecret = base64url_size(kRefreshRandomBytes + kRefreshSealBytes);
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || text.size() - dot - 1 != kSecret) return std::nullopt;
    const auto session = model::SessionId::parse(text.substr(0, dot));
    const auto secret = from_base64url(text.substr(dot + 1));
    if (!session || !secret) return std::nullopt;
    RefreshToken token{*session, secret->substr(0, kRefreshRandomBytes)};
    if (!same(std::string_view(*secret).substr(kRefreshRandomBytes), seal_of(token, signer)))
        return std::nullopt;
    return token;
}

} // namespace parley::service
