// Against the values that AWS publishes for its examples of Signature Version 4.
#include "adapters/s3/signer.hpp"

#include <gtest/gtest.h>

namespace parley::s3 {
namespace {

constexpr model::Time kMoment{1'369'353'600'000}; // 2013-05-24T00:00:00Z
const std::string kEmpty = hex(sha256(""));
const std::string kHost = "examplebucket.s3.amazonaws.com";

Signer example() {
    return Signer(Credentials{.access_key = "AKIAIOSFODNN7EXAMPLE",
                              .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"});
}

std::string authorization(const Fields& fields) {
    for (const auto& [name, value] : fields)
        if (name == "authorization") return value;
    return {};
}

std::string expected(const std::string& names, const std::string& signature) {
    return "AWS4-HMAC-SHA256 "
           "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=" +
           names + ",Signature=" + signature;
}

TEST(S3SignerTest, signs_a_get_of_a_range) {
    const Signable request{.method = "GET",
                           .host = kHost,
                           .path = "/test.txt",
                           .query = {},
                           .headers = {{"range", "bytes=0-9"}},
                           .body_hash = kEmpty};
    EXPECT_EQ(authorization(example().sign(request, kMoment)),
              expected("host;range;x-amz-content-sha256;x-amz-date",
                       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
}

TEST(S3SignerTest, signs_a_put_with_a_path_that_needs_encoding) {
    const Signable request{.method = "PUT",
                           .host = kHost,
                           .path = "/test$file.text",
                           .query = {},
                           .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                           .body_hash = hex(sha256("Welcome to Amazon S3."))};
    EXPECT_EQ(authorization(example().sign(request, kMoment)),
              expected("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(S3SignerTest, signs_a_query_without_values_and_one_with) {
    Signable request{.method = "GET",
                     .host = kHost,
                     .path = "/",
                     .query = {{"lifecycle", ""}},
                     .headers = {},
                     .body_hash = kEmpty};
    EXPECT_EQ(authorization(example().sign(request, kMoment)),
              expected("host;x-amz-content-sha256;x-amz-date",
                       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
    request.query = {{"prefix", "J"}, {"max-keys", "2"}};
    EXPECT_EQ(authorization(example().sign(request, kMoment)),
              expected("host;x-amz-content-sha256;x-amz-date",
                       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(S3SignerTest, signs_a_url) {
    const Signable request{
        .method = "GET", .host = kHost, .path = "/test.txt", .query = {}, .headers = {}};
    EXPECT_EQ(example().presign(request, kMoment, std::chrono::seconds(86'400)),
              "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%"
              "2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires"
              "=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
              "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(S3SignerTest, base64_goes_both_ways) {
    for (const std::string bytes : {"", "a", "ab", "abc", "abcd"})
        EXPECT_EQ(from_base64(base64(bytes)), bytes);
    EXPECT_EQ(base64("abcd"), "YWJjZA==");
    EXPECT_EQ(from_base64("no?base64"), "");
}

} // namespace
} // namespace parley::s3
