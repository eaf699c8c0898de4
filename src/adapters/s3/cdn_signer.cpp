#include "adapters/s3/cdn_signer.hpp"

#include "base/assert.hpp"
#include "base/base64url.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdexcept>

namespace parley::s3 {
namespace {

std::string md5(std::string_view bytes) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const int done = ::EVP_Digest(bytes.data(), bytes.size(), out, &size, ::EVP_md5(), nullptr);
    PARLEY_ASSERT(done == 1 && size == 16);
    return {reinterpret_cast<const char*>(out), size};
}

} // namespace

CdnMoment cdn_moment(model::Time now, std::chrono::seconds life, std::chrono::seconds window) {
    const std::int64_t now_s = now.ms / 1000, w = window.count();
    const std::int64_t end = (now_s + life.count() + w - 1) / w * w;
    return {end, end - w - life.count()};
}

std::string edge_url(const CdnSettings& settings, const std::string& path, const std::string& query,
                     std::int64_t end_s) {
    const std::string end = std::to_string(end_s);
    const std::string token =
        to_base64url(md5(settings.secret + " " + end + " " + path + " " + settings.secret));
    return settings.url + "/m/" + token + "/" + end + path + (query.empty() ? "" : "?") + query;
}

std::string edge_cache_file(const std::string& path, std::uint64_t slice) {
    const std::uint64_t first = slice * limits::kCdnSliceBytes;
    const std::string name = hex(md5(path + " bytes=" + std::to_string(first) + "-" +
                                     std::to_string(first + limits::kCdnSliceBytes - 1)));
    return name.substr(31, 1) + "/" + name.substr(29, 2) + "/" + name;
}

struct CloudFrontSigner::Key {
    explicit Key(const std::string& pem) {
        BIO* const text = ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
        key = ::PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
        ::BIO_free(text);
        if (!key || ::EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
            throw std::runtime_error("the CDN's key is not an RSA key in PEM");
    }
    ~Key() { ::EVP_PKEY_free(key); }
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;

    EVP_PKEY* key = nullptr;
};

CloudFrontSigner::CloudFrontSigner(const CdnSettings& settings)
    : x_settings(settings), x_key(std::make_unique<Key>(settings.key_pem)) {}

CloudFrontSigner::~CloudFrontSigner() = default;

std::string CloudFrontSigner::url(const std::string& path, const std::string& query,
                                  std::int64_t end_s) const {
    const std::string base = x_settings.url + path + (query.empty() ? "" : "?" + query);
    const std::string end = std::to_string(end_s);
    const std::string policy = R"({"Statement":[{"Resource":")" + base +
                               R"(","Condition":{"DateLessThan":{"AWS:EpochTime":)" + end + "}}}]}";
    EVP_MD_CTX* const context = ::EVP_MD_CTX_new();
    const auto* bytes = reinterpret_cast<const unsigned char*>(policy.data());
    std::size_t size = 0;
    bool done = ::EVP_DigestSignInit(context, nullptr, ::EVP_sha1(), nullptr, x_key->key) == 1 &&
                ::EVP_DigestSign(context, nullptr, &size, bytes, policy.size()) == 1;
    std::string sealed(size, '\0');
    done = done && ::EVP_DigestSign(context, reinterpret_cast<unsigned char*>(sealed.data()), &size,
                                    bytes, policy.size()) == 1;
    ::EVP_MD_CTX_free(context);
    PARLEY_ASSERT(done);
    sealed.resize(size);
    std::string text = base64(sealed);
    for (char& c : text) c = c == '+' ? '-' : c == '=' ? '_' : c == '/' ? '~' : c;
    return base + (query.empty() ? "?" : "&") + "Expires=" + end + "&Signature=" + text +
           "&Key-Pair-Id=" + x_settings.key_id;
}

} // namespace parley::s3
