#include "adapters/s3/signer.hpp"

#include "base/assert.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <ctime>

namespace parley::s3 {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(std::string_view key, std::string_view text) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const auto* done = ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
                              bytes_of(text), text.size(), out, &size);
    PARLEY_ASSERT(done != nullptr && size == 32);
    return {reinterpret_cast<const char*>(out), size};
}

std::string moment_of(model::Time now) {
    const std::time_t seconds = now.ms / 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char out[32];
    return {out, std::strftime(out, sizeof out, "%Y%m%dT%H%M%SZ", &parts)};
}

// Without spaces at the ends, and one in place of several.
std::string trimmed(std::string_view value) {
    std::string out;
    for (const char c : value)
        if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::string names_of(const Fields& headers) {
    std::string names;
    for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
    return names;
}

} // namespace

Signer::Signer(Credentials credentials) : x_credentials(std::move(credentials)) {}

std::string Signer::signature(const Signable& request, const std::string& names,
                              const std::string& moment) const {
    std::string canonical = request.method + "\n" + encoded(request.path, true) + "\n" +
                            encoded_query(request.query) + "\n";
    for (const auto& [name, value] : request.headers)
        canonical += name + ":" + trimmed(value) + "\n";
    canonical += "\n" + names + "\n" + request.body_hash;

    const std::string day = moment.substr(0, 8);
    const std::string scope =
        day + "/" + x_credentials.region + "/" + x_credentials.service + "/aws4_request";
    const std::string text =
        "AWS4-HMAC-SHA256\n" + moment + "\n" + scope + "\n" + hex(sha256(canonical));
    std::string key = hmac("AWS4" + x_credentials.secret_key, day);
    for (const std::string_view part :
         {std::string_view(x_credentials.region), std::string_view(x_credentials.service),
          std::string_view("aws4_request")})
        key = hmac(key, part);
    return hex(hmac(key, text));
}

Fields Signer::sign(Signable request, model::Time now) const {
    const std::string moment = moment_of(now);
    Fields added{{"x-amz-content-sha256", request.body_hash}, {"x-amz-date", moment}};
    request.headers.emplace_back("host", request.host);
    request.headers.insert(request.headers.end(), added.begin(), added.end());
    std::sort(request.headers.begin(), request.headers.end());
    const std::string names = names_of(request.headers);
    const std::string credential = x_credentials.access_key + "/" + moment.substr(0, 8) + "/" +
                                   x_credentials.region + "/" + x_credentials.service +
                                   "/aws4_request";
    added.emplace_back("authorization", "AWS4-HMAC-SHA256 Credential=" + credential +
                                            ",SignedHeaders=" + names +
                                            ",Signature=" + signature(request, names, moment));
    return added;
}

std::string Signer::presign(Signable request, model::Time now, std::chrono::seconds life) const {
    const std::string moment = moment_of(now);
    request.headers.emplace_back("host", request.host);
    std::sort(request.headers.begin(), request.headers.end());
    const std::string names = names_of(request.headers);
    request.query.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    request.query.emplace_back("X-Amz-Credential", x_credentials.access_key + "/" +
                                                       moment.substr(0, 8) + "/" +
                                                       x_credentials.region + "/" +
                                                       x_credentials.service + "/aws4_request");
    request.query.emplace_back("X-Amz-Date", moment);
    request.query.emplace_back("X-Amz-Expires", std::to_string(life.count()));
    request.query.emplace_back("X-Amz-SignedHeaders", names);
    const std::string sealed = signature(request, names, moment);
    return encoded(request.path, true) + "?" + encoded_query(request.query) +
           "&X-Amz-Signature=" + sealed;
}

std::string encoded(std::string_view text, bool path) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                           (path && c == '/');
        if (plain) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

std::string encoded_query(Fields query) {
    for (auto& [name, value] : query) {
        name = encoded(name);
        value = encoded(value);
    }
    std::sort(query.begin(), query.end());
    std::string out;
    for (const auto& [name, value] : query) {
        if (!out.empty()) out += '&';
        out.append(name).append("=").append(value);
    }
    return out;
}

std::string hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

std::string sha256(std::string_view bytes) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const int done = ::EVP_Digest(bytes.data(), bytes.size(), out, &size, ::EVP_sha256(), nullptr);
    PARLEY_ASSERT(done == 1 && size == 32);
    return {reinterpret_cast<const char*>(out), size};
}

std::string base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3), '\0');
    ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                      static_cast<int>(bytes.size()));
    return out;
}

std::string from_base64(std::string_view text) {
    std::string out(text.size() / 4 * 3, '\0');
    const int size = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                                       static_cast<int>(text.size()));
    if (size < 0 || text.empty()) return {};
    std::size_t padding = 0;
    while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

} // namespace parley::s3
