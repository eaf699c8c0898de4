#include "adapters/crypto/certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <stdexcept>

namespace parley::crypto {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&::BIO_free)>;

Bio open(const std::filesystem::path& file) {
    Bio bio(::BIO_new_file(file.c_str(), "r"), &::BIO_free);
    if (!bio) {
        ::ERR_clear_error();
        throw std::runtime_error(file.string() + " cannot be read");
    }
    return bio;
}

model::Time time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (::ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return {static_cast<std::int64_t>(::timegm(&parts)) * 1000};
}

// A key with a password is not usable by a server that nobody watches.
int no_password(char*, int, int, void*) { return -1; }

} // namespace

CertificateFacts read_certificate(const std::filesystem::path& chain,
                                  const std::filesystem::path& key) {
    const std::unique_ptr<X509, decltype(&::X509_free)> certificate(
        ::PEM_read_bio_X509(open(chain).get(), nullptr, &no_password, nullptr), &::X509_free);
    ::ERR_clear_error();
    if (!certificate) throw std::runtime_error(chain.string() + " holds no certificate (PEM)");
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> secret(
        ::PEM_read_bio_PrivateKey(open(key).get(), nullptr, &no_password, nullptr),
        &::EVP_PKEY_free);
    ::ERR_clear_error();
    if (!secret) throw std::runtime_error(key.string() + " holds no private key without password");
    CertificateFacts facts;
    facts.valid_from = time_of(::X509_get0_notBefore(certificate.get()));
    facts.valid_until = time_of(::X509_get0_notAfter(certificate.get()));
    facts.key_matches = ::X509_check_private_key(certificate.get(), secret.get()) == 1;
    ::ERR_clear_error();
    return facts;
}

} // namespace parley::crypto
