// Passwords: argon2id (RFC 9106) by libargon2, on threads of its own so that no core waits for it.
//
// The encoded form names its parameters, so raising them later leaves old hashes good. A check of
// an unknown account runs against a form whose tag is random bytes: the same work, never a match.
// Threading: any core. Owner: app/wiring, after Metrics and Entropy. Shutdown: stop() lets what is
// queued finish, then joins. Bound: limits::kHasherThreads and kHasherQueue; then overloaded.
#pragma once

#include "base/limits.hpp"
#include "base/worker_pool.hpp"
#include "ports/credentials.hpp"
#include "ports/entropy.hpp"

namespace parley::crypto {

// OWASP Password Storage Cheat Sheet, argon2id with the least memory that it recommends.
struct Argon2Settings {
    std::uint32_t passes = 2;
    std::uint32_t memory_kib = 19'456;
    std::uint32_t lanes = 1;
    std::size_t threads = limits::kHasherThreads;
};

// The same hash on the calling thread, for programs without loops. Wipes its copy of the password.
Result<std::string> hash_password(const Argon2Settings& settings, ports::Entropy& entropy,
                                  std::string password);

class Argon2Hasher final : public ports::PasswordHasher {
public:
    Argon2Hasher(const Argon2Settings& settings, ports::Entropy& entropy, Metrics& metrics);

    Task<Result<std::string>> hash(std::string password) override;
    Task<Result<bool>> verify(std::string password, std::string encoded) override;
    void stop() { x_pool.stop(); }

private:
    const Argon2Settings x_settings;
    ports::Entropy& x_entropy;
    const std::string x_dummy;
    Counter& x_hashes; // passwords hashed and checked: a check of no account is one, too
    WorkerPool x_pool;
};

} // namespace parley::crypto
