// Users, sessions, operators' calls and files, through the router as net calls it.
#include "api/docs.hpp"
#include "api/json.hpp"
#include "api/users.hpp"
#include "api/web.hpp"
#include "tests/support/account_fixture.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::api {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::Pair;

constexpr WebFile kFiles[] = {
    {"/", "text/html; charset=utf-8", "<!doctype html>", {}, {}, false, "\"page\""},
    {"/app.js", "text/javascript; charset=utf-8", "let x;", {}, {}, false, "\"app\""}};

class UsersTest : public testing::Test {
protected:
    UsersTest() {
        add_operator_routes(router, house.metrics, [this] { return missing; });
        add_web_routes(router, kFiles);
    }
    net::HttpResponse call(std::string method, std::string path, std::string body = "",
                           std::string token = "", std::string if_none_match = "") {
        net::HttpRequest request;
        request.method = std::move(method);
        request.path = std::move(path);
        request.body = std::move(body);
        if (!token.empty()) request.headers.emplace_back("authorization", "Bearer " + token);
        if (!if_none_match.empty()) request.headers.emplace_back("if-none-match", if_none_match);
        return test::run(router.handle(std::move(request)));
    }
    net::HttpResponse sign_up(std::string name = "anna") {
        return call("POST", "/v1/users",
                    R"({"username":")" + name + R"(","email":")" + name +
                        R"(@example.org","password":"correct horse"})");
    }
    static std::string field(const net::HttpResponse& response, std::string_view name) {
        return *JsonBody::parse(response.body)->text(name);
    }
    static std::string code(const net::HttpResponse& response) { return field(response, "code"); }

    test::AccountHouse house;
    std::vector<std::string> missing;
    Router router{house.accounts, house.log, house.metrics};
    UserRoutes users{house.accounts, nullptr, router};
};

TEST_F(UsersTest, SigningUpAnswersUserAndTokens) {
    const auto response = sign_up();
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_THAT(
        response.body,
        MatchesRegex(
            R"(\{"user":\{"id":"[0-9]+","username":"anna","email":"anna@example.org",)"
            R"("created_at":"2026-01-02T03:04:05.678Z","role":"user"\},"access_token":"[^"]+",)"
            R"("refresh_token":"[0-9]+\.[A-Za-z0-9_-]{43}","expires_in":900\})"));
    EXPECT_EQ(call("GET", "/v1/me", "", field(response, "access_token")).status, 200);
}

TEST_F(UsersTest, RefusalsOfASignUpHaveTheirCodes) {
    const auto refusal = [this](std::string_view body) {
        const auto response = call("POST", "/v1/users", std::string(body));
        return std::to_string(response.status) + " " + code(response);
    };
    EXPECT_EQ(refusal(""), "400 bad_json");
    EXPECT_EQ(refusal("[]"), "400 bad_json");
    EXPECT_EQ(refusal("{}"), "422 invalid_field");
    EXPECT_EQ(refusal(R"({"username":1,"email":"a@b.c","password":"correct horse"})"),
              "422 invalid_field");
    EXPECT_EQ(refusal(R"({"username":"an","email":"a@b.c","password":"correct horse"})"),
              "422 invalid_username");
    EXPECT_EQ(refusal(R"({"username":"anna","email":"a","password":"correct horse"})"),
              "422 invalid_email");
    EXPECT_EQ(refusal(R"({"username":"anna","email":"a@b.c","password":"short"})"),
              "422 invalid_password");
    EXPECT_EQ(sign_up().status, 201);
    EXPECT_EQ(refusal(R"({"username":"Anna","email":"a@b.c","password":"correct horse"})"),
              "409 username_taken");
    EXPECT_EQ(
        refusal(R"({"username":"bert","email":"ANNA@example.org","password":"correct horse"})"),
        "409 email_taken");
    EXPECT_EQ(house.store.users.size(), 1u);
}

TEST_F(UsersTest, Attack16_FieldsThatAreNotTheClientsAreIgnored) {
    const auto response =
        call("POST", "/v1/users",
             R"({"username":"anna","email":"a@b.cd","password":"correct horse","id":"1",)"
             R"("role":"owner","created_at":"1999-01-01T00:00:00Z","disabled":true})");
    EXPECT_EQ(response.status, 201);
    EXPECT_THAT(response.body, Not(HasSubstr("\"id\":\"1\"")));
    EXPECT_THAT(response.body, HasSubstr("2026-01-02"));
    const auto changed =
        call("PATCH", "/v1/me", R"({"id":"1","email":"evil@b.cd","disabled":true})",
             field(response, "access_token"));
    EXPECT_THAT(changed.body, HasSubstr("a@b.cd"));
}

TEST_F(UsersTest, LogsInByEitherName) {
    sign_up();
    EXPECT_EQ(
        call("POST", "/v1/sessions", R"({"email":"anna@example.org","password":"correct horse"})")
            .status,
        201);
    EXPECT_EQ(
        call("POST", "/v1/sessions", R"({"username":"ANNA","password":"correct horse"})").status,
        201);
    EXPECT_EQ(code(call("POST", "/v1/sessions", R"({"password":"correct horse"})")),
              "invalid_field");
    EXPECT_EQ(code(call("POST", "/v1/sessions", R"({"email":"anna@example.org"})")),
              "invalid_field");
    EXPECT_EQ(code(call("POST", "/v1/sessions",
                        R"({"email":7,"username":"anna","password":"correct horse"})")),
              "invalid_field");
}

TEST_F(UsersTest, Attack7_UnknownUserAndWrongPasswordGetTheSameBytes) {
    sign_up();
    const auto unknown = call("POST", "/v1/sessions",
                              R"({"email":"nobody@example.org","password":"correct horse"})");
    const auto wrong =
        call("POST", "/v1/sessions", R"({"email":"anna@example.org","password":"wrong horse"})");
    EXPECT_EQ(unknown.status, 401);
    EXPECT_EQ(code(unknown), "invalid_credentials");
    EXPECT_EQ(unknown.body, wrong.body);
    EXPECT_EQ(unknown.headers, wrong.headers);
}

TEST_F(UsersTest, ARefreshTokenWorksOnce) {
    const std::string first = field(sign_up(), "refresh_token");
    const auto second =
        call("POST", "/v1/sessions/refresh", R"({"refresh_token":")" + first + "\"}");
    EXPECT_EQ(second.status, 200);
    EXPECT_THAT(second.body, HasSubstr("\"expires_in\":900"));
    const auto again =
        call("POST", "/v1/sessions/refresh", R"({"refresh_token":")" + first + "\"}");
    EXPECT_EQ(again.status, 401);
    EXPECT_EQ(code(again), "token_reused");
    EXPECT_EQ(code(call("GET", "/v1/me", "", field(second, "access_token"))), "session_revoked");
    EXPECT_EQ(code(call("POST", "/v1/sessions/refresh", R"({"refresh_token":"x"})")),
              "unauthorized");
    EXPECT_EQ(code(call("POST", "/v1/sessions/refresh", R"({"refresh_token":null})")),
              "invalid_field");
}

TEST_F(UsersTest, LoggingOutEndsTheSession) {
    const auto anna = sign_up();
    const std::string token = field(anna, "access_token");
    const auto response = call("DELETE", "/v1/sessions/current", "", token);
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(code(call("GET", "/v1/me", "", token)), "session_revoked");
    EXPECT_EQ(code(call("DELETE", "/v1/sessions/current", "", token)), "session_revoked");
}

TEST_F(UsersTest, Attack2_ARefreshTokenIsNoAccessToken) {
    const auto anna = sign_up();
    EXPECT_EQ(code(call("GET", "/v1/me", "", field(anna, "refresh_token"))), "unauthorized");
    EXPECT_EQ(code(call("POST", "/v1/sessions/refresh",
                        R"({"refresh_token":")" + field(anna, "access_token") + "\"}")),
              "unauthorized");
}

TEST_F(UsersTest, TheProfileIsShownAndChanged) {
    const std::string token = field(sign_up(), "access_token");
    const auto patch = [&](std::string body) {
        return call("PATCH", "/v1/me", std::move(body), token);
    };
    EXPECT_THAT(call("GET", "/v1/me", "", token).body, Not(HasSubstr("display_name")));
    EXPECT_EQ(field(patch(R"({"display_name":"Anna \"B\""})"), "display_name"), "Anna \"B\"");
    EXPECT_EQ(field(patch(R"({"username":"annab"})"), "username"), "annab");
    EXPECT_EQ(field(call("GET", "/v1/me", "", token), "display_name"), "Anna \"B\"");
    EXPECT_THAT(patch(R"({"display_name":null})").body, Not(HasSubstr("display_name")));
    EXPECT_EQ(patch("{}").status, 200);
    EXPECT_EQ(patch(R"({"avatar_media_id":null})").status, 200);
    EXPECT_EQ(code(patch(R"({"username":null})")), "invalid_field");
    EXPECT_EQ(code(patch(R"({"username":"x"})")), "invalid_username");
    EXPECT_EQ(code(patch(R"({"display_name":7})")), "invalid_field");
    EXPECT_EQ(code(patch(R"({"avatar_media_id":"77"})")), "media_not_available");
    EXPECT_EQ(code(patch(R"({"avatar_media_id":77})")), "invalid_field");
}

TEST_F(UsersTest, ABrokenStoreIs503AndSaysWhenToComeBack) {
    const std::string token = field(sign_up(), "access_token");
    house.store.failure = Error(Errc::unavailable);
    const auto response = call("GET", "/v1/me", "", token);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(code(response), "unavailable");
    EXPECT_THAT(response.headers, Contains(Pair("Retry-After", "1")));
}

TEST_F(UsersTest, OperatorsSeeHealthReadinessAndMetrics) {
    EXPECT_EQ(call("GET", "/healthz").body, R"({"status":"ok"})");
    EXPECT_EQ(call("GET", "/readyz").body, R"({"status":"ready","missing":[]})");
    missing = {"store", "disk \"full\""};
    const auto response = call("GET", "/readyz");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body, R"({"status":"not_ready","missing":["store","disk \"full\""]})");
    EXPECT_EQ(call("GET", "/healthz").status, 200) << "alive, ready or not";
    const auto metrics = call("GET", "/metrics");
    EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(metrics.body, HasSubstr("# TYPE parley_sign_ups_total counter"));
}

TEST_F(UsersTest, FilesAreServedWithAStrictPolicyAndRevalidated) {
    const auto page = call("GET", "/");
    EXPECT_EQ(page.static_body, "<!doctype html>");
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
    EXPECT_THAT(page.headers, Contains(Pair("Cache-Control", "no-cache")));
    EXPECT_THAT(page.headers, Contains(Pair("Content-Security-Policy",
                                            HasSubstr("default-src 'none'; script-src 'self'"))));
    EXPECT_THAT(page.headers, Not(Contains(Pair("Content-Security-Policy", HasSubstr("unsafe")))));
    const std::string etag = "\"page\"";
    EXPECT_THAT(page.headers, Contains(Pair("ETag", etag)));
    for (const std::string& tags : {etag, "W/" + etag, std::string("*"), "\"x\", " + etag}) {
        const auto same = call("GET", "/", "", "", tags);
        EXPECT_EQ(same.status, 304) << tags;
        EXPECT_EQ(same.static_body, "");
        EXPECT_THAT(same.headers, Contains(Pair("ETag", etag)));
    }
    EXPECT_EQ(call("GET", "/", "", "", "\"other\"").status, 200);
    EXPECT_EQ(call("GET", "/app.js").static_body, "let x;");
    EXPECT_EQ(call("GET", "/../etc/passwd").status, 404);
    EXPECT_EQ(call("POST", "/").status, 405);
}

TEST(WebFiles, TheBestEncodingThatIsAcceptedIsSent) {
    const WebFile file{
        "/assets/a-1.js", "text/javascript", "plain", "zipped", "brotli", true, "\"1\""};
    const std::string policy = content_security_policy("https://files.example");
    EXPECT_THAT(policy, HasSubstr("connect-src 'self' https://files.example;"));
    EXPECT_THAT(content_security_policy(""), HasSubstr("connect-src 'self';"));
    const auto body = [&](std::string accepted) {
        net::HttpRequest request;
        if (!accepted.empty()) request.headers.emplace_back("accept-encoding", accepted);
        const net::HttpResponse response = serve_file(file, policy, request);
        EXPECT_THAT(response.headers, Contains(Pair("Vary", "Accept-Encoding")));
        EXPECT_THAT(response.headers, Contains(Pair("Cache-Control", HasSubstr("immutable"))));
        return std::string(response.static_body);
    };
    EXPECT_EQ(body(""), "plain");
    EXPECT_EQ(body("gzip, deflate, br"), "brotli");
    EXPECT_EQ(body("gzip;q=0.8 , br;q=0"), "zipped");
    EXPECT_EQ(body("gzip;q=0.0, br; q=0.000"), "plain");
    EXPECT_EQ(body("brotli, gzipped, *"), "plain");
    net::HttpRequest again;
    again.headers = {{"accept-encoding", "br"}, {"if-none-match", "\"1-br\""}};
    EXPECT_EQ(serve_file(file, policy, again).status, 304);
    again.headers[1].second = "\"1\"";
    EXPECT_EQ(serve_file(file, policy, again).status, 200)
        << "another encoding is other bytes";
}

TEST(WebFiles, TheProgramHoldsTheApiDocuments) {
    bool found = false;
    for (const WebFile& file : web_files()) {
        EXPECT_TRUE(file.path.starts_with('/')) << file.path;
        EXPECT_FALSE(file.bytes.empty()) << file.path;
        EXPECT_THAT(std::string(file.etag), MatchesRegex("\"[0-9a-f]{16}\"")) << file.path;
        if (file.path != "/openapi.json") continue;
        found = true;
        EXPECT_EQ(file.content_type, "application/json");
        EXPECT_TRUE(file.bytes.starts_with('{') &&
                    file.bytes.find("\"openapi\"") != file.bytes.npos);
    }
    EXPECT_TRUE(found);
}

} // namespace
} // namespace parley::api
