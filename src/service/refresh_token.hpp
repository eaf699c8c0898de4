// Refresh tokens: what they look like, and how one is known to be ours before the store is asked.
//
//   token  = session id "." base64url(random[16] seal[16])        the second part has 43 characters
//   seal   = the first 16 bytes of TokenSigner::seal("refresh." session id "." random)
//   stored = TokenSigner::digest(random)
//
// A token that is not the newest of its session revokes it, and session ids can be guessed. Without
// the seal anybody could end a stranger's session with a made-up token. Threading: pure functions.
#pragma once

#include "model/ids.hpp"
#include "ports/credentials.hpp"
#include "ports/entropy.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace parley::service {

inline constexpr std::size_t kRefreshRandomBytes = 16, kRefreshSealBytes = 16;

struct RefreshToken {
    model::SessionId session_id;
    std::string random; // kRefreshRandomBytes
};

std::string make_refresh_random(ports::Entropy& entropy);
std::string encode(const RefreshToken& token, const ports::TokenSigner& signer);
// nullopt unless this service made it; whether it is still good, the store knows.
std::optional<RefreshToken> decode_refresh_token(std::string_view text,
                                                 const ports::TokenSigner& signer);

} // namespace parley::service
