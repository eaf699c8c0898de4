// Passwords and access tokens.
#pragma once

#include "base/task.hpp"
#include "model/user.hpp"

#include <string>
#include <string_view>

namespace parley::ports {

// argon2id on a bounded pool of its own. Threading: any core. Errors: overloaded.
class PasswordHasher {
public:
    virtual Task<Result<std::string>> hash(std::string password) = 0;
    // For an unknown account pass an empty `encoded`: takes the time of a real check, answers
    // false.
    virtual Task<Result<bool>> verify(std::string password, std::string encoded) = 0;

protected:
    ~PasswordHasher() = default;
};

struct AccessClaims {
    model::UserId user_id;
    model::SessionId session_id;
    model::Time issued_at;
    model::Time expires_at;
};

// JWT, HS256 pinned (RFC 7519, RFC 8725). Threading: any thread.
class TokenSigner {
public:
    virtual std::string sign(const AccessClaims& claims) const = 0;
    // unauthorized: malformed, another algorithm, bad signature, a claim missing or of another
    // service; token_expired.
    virtual Result<AccessClaims> verify(std::string_view token, model::Time now) const = 0;
    // SHA-256, 32 bytes: what is stored in place of a refresh token.
    virtual std::string digest(std::string_view secret) const = 0;
    // HMAC-SHA-256, 32 bytes, under a key that signs nothing else: shows that this service made
    // `text`.
    virtual std::string seal(std::string_view text) const = 0;

protected:
    ~TokenSigner() = default;
};

} // namespace parley::ports
