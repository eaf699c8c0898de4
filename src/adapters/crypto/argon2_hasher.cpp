#include "adapters/crypto/argon2_hasher.hpp"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

namespace parley::crypto {

namespace {

constexpr std::size_t kSaltBytes = 16, kTagBytes = 32;

template <std::size_t Size>
std::array<std::byte, Size> random_bytes(ports::Entropy& entropy) {
    std::array<std::byte, Size> bytes;
    entropy.fill(bytes);
    return bytes;
}

template <std::size_t Size>
std::string unpadded_base64(const std::array<std::byte, Size>& bytes) {
    std::array<unsigned char, Size * 2 + 4> text{};
    const int size = ::EVP_EncodeBlock(
        text.data(), reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(Size));
    std::string out(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
    while (out.ends_with('=')) out.pop_back();
    return out;
}

// A well-formed hash of no password.
std::string make_dummy(const Argon2Settings& settings, ports::Entropy& entropy) {
    return "$argon2id$v=19$m=" + std::to_string(settings.memory_kib) +
           ",t=" + std::to_string(settings.passes) + ",p=" + std::to_string(settings.lanes) + "$" +
           unpadded_base64(random_bytes<kSaltBytes>(entropy)) + "$" +
           unpadded_base64(random_bytes<kTagBytes>(entropy));
}

void wipe(std::string& secret) { ::OPENSSL_cleanse(secret.data(), secret.size()); }

Result<std::string> hash_now(const Argon2Settings& settings, std::string& password,
                             const std::array<std::byte, kSaltBytes>& salt) {
    std::string encoded(::argon2_encodedlen(settings.passes, settings.memory_kib, settings.lanes,
                                            kSaltBytes, kTagBytes, Argon2_id),
                        '\0');
    const int code = ::argon2id_hash_encoded(
        settings.passes, settings.memory_kib, settings.lanes, password.data(), password.size(),
        salt.data(), salt.size(), kTagBytes, encoded.data(), encoded.size());
    wipe(password);
    if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
        return Error(Errc::overloaded, "no memory to hash a password");
    if (code != ARGON2_OK) return Error(Errc::internal, ::argon2_error_message(code));
    encoded.resize(encoded.find('\0'));
    return encoded;
}

Result<bool> verify_now(std::string& password, const std::string& encoded) {
    const int code = ::argon2id_verify(encoded.c_str(), password.data(), password.size());
    wipe(password);
    if (code == ARGON2_OK) return true;
    if (code == ARGON2_VERIFY_MISMATCH) return false;
    if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
        return Error(Errc::overloaded, "no memory to check a password");
    return Error(Errc::internal, ::argon2_error_message(code));
}

} // namespace

Result<std::string> hash_password(const Argon2Settings& settings, ports::Entropy& entropy,
                                  std::string password) {
    return hash_now(settings, password, random_bytes<kSaltBytes>(entropy));
}

Argon2Hasher::Argon2Hasher(const Argon2Settings& settings, ports::Entropy& entropy,
                           Metrics& metrics)
    : x_settings(settings),
      x_entropy(entropy),
      x_dummy(make_dummy(settings, entropy)),
      x_hashes(metrics.counter("parley_password_hashes_total", "Passwords hashed or checked")),
      x_pool("hasher", settings.threads, limits::kHasherQueue, metrics) {}

Task<Result<std::string>> Argon2Hasher::hash(std::string password) {
    x_hashes.add();
    auto job = [settings = x_settings, password = std::move(password),
                salt = random_bytes<kSaltBytes>(x_entropy)](std::size_t) mutable {
        return hash_now(settings, password, salt);
    };
    co_return co_await x_pool.run(std::move(job));
}

Task<Result<bool>> Argon2Hasher::verify(std::string password, std::string encoded) {
    x_hashes.add();
    if (encoded.empty()) encoded = x_dummy;
    auto job = [password = std::move(password), encoded = std::move(encoded)](std::size_t) mutable {
        return verify_now(password, encoded);
    };
    co_return co_await x_pool.run(std::move(job));
}

} // namespace parley::crypto
