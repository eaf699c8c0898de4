#include "adapters/crypto/hs256_signer.hpp"
#include "base/base64url.hpp"
#include "base/limits.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>
#include <string>

namespace parley::crypto {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr model::Time kNow{1'767'323'045'678};
constexpr std::int64_t kNowS = kNow.ms / 1000;
constexpr std::int64_t kEndS = kNowS + 901; // 900 s after kNow, rounded up to a whole second

// A token as an attacker would forge it who had the secret: any header, any payload, a good
// signature.
std::string forge(std::string_view header, std::string_view payload,
                  std::string_view secret = kSecret) {
    std::string token = to_base64url(header) + "." + to_base64url(payload);
    unsigned char mac[32];
    unsigned size = 0;
    ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac, &size);
    return token + "." + to_base64url({reinterpret_cast<char*>(mac), size});
}

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";

std::string payload_with(std::string_view more = "", std::string_view iss = R"("iss":"parley",)",
                         std::string_view aud = R"("aud":"parley",)",
                         std::string_view typ = R"("typ":"access",)",
                         std::string_view sub = R"("sub":"42",)",
                         std::string_view sid = R"("sid":"77",)", std::string iat = "",
                         std::string exp = "") {
    if (iat.empty()) iat = R"("iat":)" + std::to_string(kNowS) + ",";
    if (exp.empty()) exp = R"("exp":)" + std::to_string(kEndS) + ",";
    std::string members;
    for (const std::string_view part :
         {iss, aud, typ, sub, sid, std::string_view(iat), std::string_view(exp), more})
        members += part;
    if (members.ends_with(',')) members.pop_back();
    return "{" + members + "}";
}

Errc refusal(std::string_view token) {
    const auto answer = Hs256Signer(kSecret).verify(token, kNow);
    return answer ? Errc{} : answer.error().code;
}

std::string signed_token() {
    return Hs256Signer(kSecret).sign(
        {model::UserId{42}, model::SessionId{77}, kNow, {kNow.ms + 900'000}});
}

TEST(Hs256Signer, ASignedTokenGivesItsClaimsBack) {
    const auto claims = Hs256Signer(kSecret).verify(signed_token(), kNow);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->user_id, model::UserId{42});
    EXPECT_EQ(claims->session_id, model::SessionId{77});
    EXPECT_EQ(claims->issued_at.ms, kNowS * 1000);
    EXPECT_EQ(claims->expires_at.ms, kEndS * 1000);
}

TEST(Hs256Signer, TheForgeryOfTheseTestsIsGoodBeforeItIsSpoilt) {
    EXPECT_EQ(forge(kHeader, payload_with()), signed_token());
    EXPECT_EQ(refusal(forge(kHeader, payload_with(R"("name":"x","n":1,"b":true,"z":null)"))),
              Errc{});
}

TEST(Hs256Signer, ATokenExpiresToTheSecond) {
    const Hs256Signer signer(kSecret);
    EXPECT_TRUE(signer.verify(signed_token(), {kEndS * 1000 - 1}));
    const auto late = signer.verify(signed_token(), {kEndS * 1000});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::token_expired);
}

TEST(Hs256Signer, Attack1_NoOtherAlgorithmIsAccepted) {
    for (const char* header : {R"({"alg":"none","typ":"JWT"})", R"({"alg":"NonE","typ":"JWT"})",
                               R"({"alg":"","typ":"JWT"})", R"({"typ":"JWT"})",
                               R"({"alg":"RS256","typ":"JWT"})", R"({"alg":"HS384","typ":"JWT"})",
                               R"({"alg":"hs256","typ":"JWT"})", R"({"alg":["HS256"],"typ":"JWT"})",
                               R"({"alg":"HS256"})", R"({"alg":"HS256","typ":"at+jwt"})",
                               R"({"alg":"HS256","alg":"none","typ":"JWT"})", "{}", ""})
        EXPECT_EQ(refusal(forge(header, payload_with())), Errc::unauthorized) << header;
    const std::string unsigned_text =
        to_base64url(R"({"alg":"none","typ":"JWT"})") + "." + to_base64url(payload_with());
    EXPECT_EQ(refusal(unsigned_text + "."), Errc::unauthorized);
    EXPECT_EQ(refusal(unsigned_text), Errc::unauthorized);
    EXPECT_EQ(refusal(to_base64url(kHeader) + "." + to_base64url(payload_with()) + "."),
              Errc::unauthorized);
}

TEST(Hs256Signer, Attack1_APublicKeyIsNotTheSecret) {
    constexpr std::string_view pem =
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD\n";
    EXPECT_EQ(refusal(forge(kHeader, payload_with(), pem)), Errc::unauthorized);
    EXPECT_EQ(refusal(forge(kHeader, payload_with(), "")), Errc::unauthorized);
}

TEST(Hs256Signer, Attack2_EveryClaimIsRequired) {
    const char* none = "";
    const std::string missing[] = {
        payload_with("", none),
        payload_with("", R"("iss":"parley",)", none),
        payload_with("", R"("iss":"parley",)", R"("aud":"parley",)", none),
        payload_with("", R"("iss":"parley",)", R"("aud":"parley",)", R"("typ":"access",)", none),
        payload_with("", R"("iss":"parley",)", R"("aud":"parley",)", R"("typ":"access",)",
                     R"("sub":"42",)", none),
        R"({"iss":"parley","aud":"parley","typ":"access","sub":"42","sid":"77","exp":1767323945})",
        R"({"iss":"parley","aud":"parley","typ":"access","sub":"42","sid":"77","iat":1767323045})",
        "{}",
        "[]",
        "null",
        "1",
        "\"x\"",
        ""};
    for (const std::string& payload : missing)
        EXPECT_EQ(refusal(forge(kHeader, payload)), Errc::unauthorized) << payload;
}

std::string with_times(std::string_view iat, std::string_view exp, std::string_view more = "") {
    return R"({"iss":"parley","aud":"parley","typ":"access","sub":"42","sid":"77","iat":)" +
           std::string(iat) + R"(,"exp":)" + std::string(exp) + std::string(more) + "}";
}

TEST(Hs256Signer, Attack2_TimesAreWholeSecondsAndNothingElse) {
    const std::string iat = std::to_string(kNowS);
    for (const char* exp :
         {"1e400", "1e999", "1e10", "1767323945.5", "1767323945.0", "-1", "0", "\"9\"",
          "\"1767323945\"", "true", "null", "[1767323945]", "{}", "18446744073709551615",
          "9223372036854775807", "253402300800", "-0", "01767323945", "NaN"})
        EXPECT_EQ(refusal(forge(kHeader, with_times(iat, exp))), Errc::unauthorized) << exp;
    for (const char* bad : {"\"1\"", "-1", "1e3", "null", "1.0"})
        EXPECT_EQ(refusal(forge(kHeader, with_times(bad, "1767323945"))), Errc::unauthorized)
            << bad;
}

TEST(Hs256Signer, Attack2_ATokenOfTheFutureIsRefusedBeyondTheLeeway) {
    const std::int64_t leeway = limits::kClockLeeway / std::chrono::seconds(1);
    const std::string iat = std::to_string(kNowS), exp = std::to_string(kNowS + 900);
    const auto nbf = [](std::int64_t s) { return R"(,"nbf":)" + std::to_string(s); };
    EXPECT_EQ(refusal(forge(kHeader, with_times(iat, exp, nbf(kNowS + leeway)))), Errc{});
    EXPECT_EQ(refusal(forge(kHeader, with_times(iat, exp, nbf(kNowS + leeway + 1)))),
              Errc::unauthorized);
    EXPECT_EQ(refusal(forge(kHeader, with_times(iat, exp, R"(,"nbf":"0")"))), Errc::unauthorized);
    const std::string later = std::to_string(kNowS + leeway + 1);
    EXPECT_EQ(refusal(forge(kHeader, with_times(later, exp))), Errc::unauthorized);
}

TEST(Hs256Signer, Attack2_AnotherServiceOrKindOfTokenIsRefused) {
    for (const char* swap :
         {R"("iss":"parley.evil",)", R"("iss":"Parley",)", R"("iss":["parley"],)"})
        EXPECT_EQ(refusal(forge(kHeader, payload_with("", swap))), Errc::unauthorized) << swap;
    for (const char* swap : {R"("aud":"media",)", R"("aud":["parley","media"],)", R"("aud":1,)"})
        EXPECT_EQ(refusal(forge(kHeader, payload_with("", R"("iss":"parley",)", swap))),
                  Errc::unauthorized)
            << swap;
    for (const char* swap : {R"("typ":"refresh",)", R"("typ":"",)", R"("typ":null,)"})
        EXPECT_EQ(refusal(forge(
                      kHeader, payload_with("", R"("iss":"parley",)", R"("aud":"parley",)", swap))),
                  Errc::unauthorized)
            << swap;
    EXPECT_EQ(refusal("77.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Errc::unauthorized);
}

TEST(Hs256Signer, Attack2_IdsAreStringsOfDigits) {
    for (const char* sub : {"42", "\"0\"", "\"-1\"", "\"042\"", "\" 42\"", "\"4e1\"", "\"\"",
                            "\"9223372036854775808\"", "null", "[\"42\"]"}) {
        const std::string claim = R"("sub":)" + std::string(sub) + ",";
        EXPECT_EQ(
            refusal(forge(kHeader, payload_with("", R"("iss":"parley",)", R"("aud":"parley",)",
                                                R"("typ":"access",)", claim))),
            Errc::unauthorized)
            << sub;
    }
}

TEST(Hs256Signer, Attack2_NoClaimMayStandTwiceAndNothingMayNest) {
    for (const char* more : {R"("sub":"43")", R"("exp":9999999999)", R"("\u0073ub":"43")",
                             R"("x":{})", R"("x":[])", R"("x":1.5)", R"("x":{"sub":"43"})"})
        EXPECT_EQ(refusal(forge(kHeader, payload_with(more))), Errc::unauthorized) << more;
    EXPECT_EQ(refusal(forge(kHeader, payload_with() + " x")), Errc::unauthorized);
    EXPECT_EQ(refusal(forge(kHeader, payload_with() + payload_with())), Errc::unauthorized);
}

TEST(Hs256Signer, Attack3_NoHeaderFieldChoosesAKey) {
    for (const char* header : {R"({"alg":"HS256","typ":"JWT","kid":"../../dev/null"})",
                               R"({"alg":"HS256","typ":"JWT","kid":"' OR 1"})",
                               R"({"alg":"HS256","typ":"JWT","jku":"http://127.0.0.1:1/keys"})",
                               R"({"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":"AAAA"}})",
                               R"({"alg":"HS256","typ":"JWT","x5u":"http://127.0.0.1:1/"})",
                               R"({"alg":"HS256","typ":"JWT","crit":["exp"]})",
                               R"({"crit":[],"alg":"HS256","typ":"JWT"})"}) {
        EXPECT_EQ(refusal(forge(header, payload_with())), Errc::unauthorized) << header;
        EXPECT_EQ(refusal(forge(header, payload_with(), "")), Errc::unauthorized) << header;
    }
}

TEST(Hs256Signer, Attack4_AWeakSecretDoesNotStart) {
    for (const std::string weak : {"", "secret", "0123456789abcdef0123456789abcde"}) {
        std::string text;
        try {
            Hs256Signer signer{weak};
        } catch (const std::runtime_error& error) {
            text = error.what();
        }
        EXPECT_NE(text.find("at least 32"), std::string::npos) << weak;
    }
}

TEST(Hs256Signer, NoByteOfATokenCanBeChanged) {
    const std::string token = signed_token();
    for (std::size_t i = 0; i < token.size(); ++i)
        for (const char other :
             {'A', 'B', '-', '.', '=', '\0', '\n', static_cast<char>(token[i] ^ 1),
              static_cast<char>(token[i] ^ 0x80)}) {
            if (other == token[i]) continue;
            std::string changed = token;
            changed[i] = other;
            ASSERT_EQ(refusal(changed), Errc::unauthorized) << i;
        }
}

TEST(Hs256Signer, AnotherShapeIsRefused) {
    const std::string token = signed_token();
    const std::string parts[] = {"",
                                 ".",
                                 "..",
                                 "...",
                                 token + ".",
                                 "." + token,
                                 token + "." + token,
                                 token + "=",
                                 token + "A",
                                 token + " ",
                                 " " + token,
                                 "Bearer " + token,
                                 token.substr(0, token.rfind('.')),
                                 token.substr(0, token.size() - 1),
                                 std::string(1 << 20, 'A'),
                                 token + std::string(1 << 20, 'A'),
                                 std::string(1 << 20, '.')};
    for (const std::string& part : parts)
        EXPECT_EQ(refusal(part), Errc::unauthorized) << part.substr(0, 80);
}

TEST(Hs256Signer, ATokenOverTheLimitIsRefusedHoweverWellSigned) {
    const std::string long_name = R"("name":")" + std::string(200, 'x') + "\"";
    EXPECT_EQ(refusal(forge(kHeader, payload_with(long_name))), Errc{});
    std::string many;
    for (int i = 0; i < 20; ++i)
        many += "\"c" + std::to_string(i) + R"(":")" + std::string(100, 'x') + "\",";
    EXPECT_EQ(refusal(forge(kHeader, payload_with(many))), Errc::unauthorized);
}

TEST(Hs256Signer, AnotherSecretVerifiesNothing) {
    const Hs256Signer other("another secret of thirty-two byte");
    EXPECT_FALSE(other.verify(signed_token(), kNow));
}

TEST(Hs256Signer, DigestIsSha256AndASealIsNeitherThatNorASignature) {
    const Hs256Signer signer(kSecret);
    EXPECT_EQ(to_base64url(signer.digest("abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    EXPECT_EQ(signer.seal("abc").size(), 32u);
    EXPECT_EQ(signer.seal("abc"), signer.seal("abc"));
    EXPECT_NE(signer.seal("abc"), signer.seal("abd"));
    EXPECT_NE(signer.seal("abc"), signer.digest("abc"));
    const std::string token = signed_token();
    const std::size_t dot = token.rfind('.');
    EXPECT_NE(to_base64url(signer.seal(token.substr(0, dot))), token.substr(dot + 1));
}

} // namespace
} // namespace parley::crypto
