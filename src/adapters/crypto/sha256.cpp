#include "adapters/crypto/sha256.hpp"

#include <openssl/evp.h>

#include <new>

namespace parley::crypto {

struct Sha256::State {
    State() : context(::EVP_MD_CTX_new()) {
        if (!context) throw std::bad_alloc();
    }
    ~State() { ::EVP_MD_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    EVP_MD_CTX* context;
};

Sha256::Sha256() : x_state(std::make_unique<State>()) {
    if (::EVP_DigestInit_ex(x_state->context, ::EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
    ::EVP_DigestUpdate(x_state->context, bytes.data(), bytes.size());
}

std::string Sha256::hex() const {
    const State copy;
    unsigned char digest[EVP_MAX_MD_SIZE] = {};
    unsigned int size = 0;
    if (::EVP_MD_CTX_copy_ex(copy.context, x_state->context) != 1) throw std::bad_alloc();
    ::EVP_DigestFinal_ex(copy.context, digest, &size);
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (unsigned int i = 0; i < size; ++i) {
        out += kDigits[digest[i] >> 4];
        out += kDigits[digest[i] & 15];
    }
    return out;
}

} // namespace parley::crypto
