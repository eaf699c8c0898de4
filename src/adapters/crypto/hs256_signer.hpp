// Access tokens: JSON Web Tokens (RFC 7519) with one pinned algorithm, as RFC 8725 asks.
//
//   token   = header "." payload "." signature      each base64url without padding
//   header  = {"alg":"HS256","typ":"JWT"}           these bytes; never parsed, so nothing in it
//   (alg,
//                                                   kid, jku, crit) can choose a key or an
//                                                   algorithm
//   payload = {"iss":"parley","aud":"parley","typ":"access","sub":"<user id>","sid":"<session id>",
//              "iat":<seconds>,"exp":<seconds>}     all required, each once; nbf is honoured
//
// The signature is checked before one byte of the payload is looked at.
// Threading: any thread; immutable. Owner: app/wiring. verify() runs for each connection and call.
#pragma once

#include "ports/credentials.hpp"

#include <memory>
#include <string_view>

namespace parley::crypto {

class Hs256Signer final : public ports::TokenSigner {
public:
    // Throws std::runtime_error for a secret under limits::kSecretBytes.
    explicit Hs256Signer(std::string_view secret);
    ~Hs256Signer();
    Hs256Signer(const Hs256Signer&) = delete;
    Hs256Signer& operator=(const Hs256Signer&) = delete;

    std::string sign(const ports::AccessClaims& claims) const override;
    Result<ports::AccessClaims> verify(std::string_view token, model::Time now) const override;
    std::string digest(std::string_view secret) const override;
    std::string seal(std::string_view text) const override;

private:
    struct Keys;
    std::unique_ptr<const Keys> x_keys;
};

} // namespace parley::crypto
