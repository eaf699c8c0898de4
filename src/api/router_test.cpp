#include "api/router.hpp"
#include "tests/support/account_fixture.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::api {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

Task<Result<net::HttpResponse>> say(std::string what, RequestContext context) {
    net::HttpResponse response;
    response.body = what + " room=" + context.room_id.to_string() +
                    " user=" + context.user_id.to_string() +
                    " message=" + context.message_id.to_string() + " emoji=" + context.emoji +
                    " caller=" + context.caller.user_id.to_string();
    co_return response;
}

Task<Result<net::HttpResponse>> fail(Error error) { co_return error; }
Task<net::HttpResponse> teapot() {
    net::HttpResponse response;
    response.status = 418;
    co_return response;
}

Handler saying(std::string what) {
    return [what](RequestContext context) { return say(what, std::move(context)); };
}

class RouterTest : public testing::Test {
protected:
    RouterTest() {
        router.add("GET", "/", saying("root"), Access::anyone);
        router.add("GET", "/v1/rooms", saying("list"));
        router.add("POST", "/v1/rooms", saying("make"));
        router.add("GET", "/v1/rooms/{room_id}", saying("room"));
        router.add("DELETE", "/v1/rooms/{room_id}", saying("remove"));
        router.add("GET", "/v1/rooms/directory", saying("directory"));
        router.add("PUT", "/v1/rooms/{room_id}/members/{user_id}", saying("member"));
        router.add("PUT", "/v1/rooms/{room_id}/messages/{message_id}/reactions/{emoji}",
                   saying("react"));
        router.add("GET", "/tea", [](RequestContext) { return teapot(); }, Access::anyone);
        router.add(
            "GET", "/broken", [](RequestContext) { return fail({Errc::internal, "secret"}); },
            Access::anyone);
    }
    net::HttpResponse call(std::string method, std::string path, std::string token = "",
                           std::string body = "", std::string content_type = "") {
        net::HttpRequest request;
        request.method = std::move(method);
        request.path = std::move(path);
        request.body = std::move(body);
        if (!token.empty()) request.headers.emplace_back("authorization", token);
        if (!content_type.empty()) request.headers.emplace_back("content-type", content_type);
        return test::run(router.handle(std::move(request)));
    }
    std::string code(const net::HttpResponse& response) {
        const auto at = response.body.find("\"code\":\"");
        return at == std::string::npos
                   ? ""
                   : response.body.substr(at + 8, response.body.size() - at - 10);
    }
    test::AccountHouse house;
    Router router{house.accounts, house.log, house.metrics};
    const service::SignedIn anna = house.sign_up();
    const std::string bearer = "Bearer " + anna.access_token;
};

TEST_F(RouterTest, TheHandlerGetsIdsAndCaller) {
    EXPECT_EQ(call("PUT", "/v1/rooms/12/messages/34/reactions/\xF0\x9F\x8D\xB2", bearer).body,
              "react room=12 user=0 message=34 emoji=\xF0\x9F\x8D\xB2 caller=" +
                  anna.user.id.to_string());
    EXPECT_THAT(call("PUT", "/v1/rooms/12/members/56", bearer).body,
                HasSubstr("member room=12 user=56 "));
    EXPECT_THAT(call("GET", "/").body, HasSubstr("root"));
    EXPECT_EQ(call("GET", "/tea").status, 418);
}

TEST_F(RouterTest, Attack15_ARoleIsAskedOfTheStoreAtEachCall) {
    router.add("GET", "/v1/admin/rooms", saying("rooms"), Access::moderator);
    router.add("GET", "/v1/admin/users", saying("users"), Access::admin);
    const auto statuses = [&] {
        return std::pair(call("GET", "/v1/admin/rooms", bearer).status,
                         call("GET", "/v1/admin/users", bearer).status);
    };
    EXPECT_EQ(statuses(), std::pair(403, 403));
    model::User& row = house.store.users.at(anna.user.id).user;
    row.role = model::ServerRole::moderator;
    EXPECT_EQ(statuses(), std::pair(200, 403));
    row.role = model::ServerRole::admin;
    EXPECT_EQ(statuses(), std::pair(200, 200));
    row.disabled = true;
    EXPECT_EQ(statuses(), std::pair(401, 401));
    EXPECT_EQ(call("GET", "/v1/admin/users").status, 401) << "without a token";
}

TEST_F(RouterTest, ALiteralWinsOverAnId) {
    EXPECT_THAT(call("GET", "/v1/rooms/directory", bearer).body, HasSubstr("directory"));
    EXPECT_EQ(call("DELETE", "/v1/rooms/directory", bearer).status, 405);
}

TEST_F(RouterTest, AnUnknownPathIs404) {
    for (const char* path :
         {"/nothing", "/v1", "/v1/", "/v1/rooms/", "//", "/v1//rooms", "/v1/rooms/1/", "/V1/rooms",
          "/v1/rooms/1/members", "/v1/rooms/1/members/2/3", "/v1/rooms/{room_id}/x"}) {
        const auto response = call("GET", path, bearer);
        EXPECT_EQ(response.status, 404) << path;
        EXPECT_EQ(code(response), "not_found") << path;
    }
}

TEST_F(RouterTest, AnotherMethodIs405WithWhatIsAllowed) {
    const auto response = call("PATCH", "/v1/rooms", bearer);
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(code(response), "method_not_allowed");
    EXPECT_THAT(response.headers, Contains(Pair("Allow", "GET, HEAD, POST")));
    EXPECT_THAT(call("get", "/v1/rooms", bearer).headers,
                Contains(Pair("Allow", "GET, HEAD, POST")));
    EXPECT_THAT(call("GET", "/v1/rooms/1/members/2").headers, Contains(Pair("Allow", "PUT")));
}

TEST_F(RouterTest, HeadIsServedAsGet) {
    EXPECT_EQ(call("HEAD", "/").status, 200);
    EXPECT_EQ(call("HEAD", "/v1/rooms", bearer).status, 200);
    EXPECT_EQ(call("HEAD", "/v1/rooms/1/members/2", bearer).status, 405);
}

TEST_F(RouterTest, Attack11_NothingRunsWithoutAGoodToken) {
    const std::string token = anna.access_token;
    const std::string bad[] = {"",
                               "Bearer",
                               "Bearer ",
                               "Bearer x",
                               token,
                               "Basic " + token,
                               "Bearer" + token,
                               "Bearer " + token + "x",
                               "Bearer " + token + " x",
                               "Bearer " + anna.refresh_token,
                               "Bearer, Bearer " + token,
                               "Token " + token};
    for (const std::string& header : bad) {
        const auto response = call("GET", "/v1/rooms/7", header);
        EXPECT_EQ(response.status, 401) << header;
        EXPECT_EQ(code(response), "unauthorized") << header;
        EXPECT_THAT(response.headers, Contains(Pair("WWW-Authenticate", "Bearer")));
    }
    EXPECT_EQ(call("GET", "/v1/rooms/x").status, 401) << "before the path is looked at closely";
    for (const char* scheme : {"bearer ", "BEARER ", "Bearer  "})
        EXPECT_EQ(call("GET", "/v1/rooms/7", scheme + token).status, 200) << scheme;
}

TEST_F(RouterTest, AnExpiredTokenAndAnEndedSessionHaveTheirOwnCodes) {
    house.revocations.revoke(house.accounts.authenticate(anna.access_token)->session_id);
    EXPECT_EQ(code(call("GET", "/v1/rooms", bearer)), "session_revoked");
    house.clock.advance(limits::kAccessTokenLife + std::chrono::seconds(1));
    EXPECT_EQ(code(call("GET", "/v1/rooms", bearer)), "token_expired");
}

TEST_F(RouterTest, Attack33_AnIdThatIsNoneIsLikeOneThatDoesNotExist) {
    for (const char* id : {"0", "-1", "01", "1e3", "1 ", " 1", "9223372036854775808", "x", "1.0",
                           "%31", "{room_id}"}) {
        const std::string text = id;
        EXPECT_EQ(code(call("GET", "/v1/rooms/" + text, bearer)), "unknown_room") << id;
        EXPECT_EQ(code(call("PUT", "/v1/rooms/1/members/" + text, bearer)), "unknown_user") << id;
        EXPECT_EQ(code(call("PUT", "/v1/rooms/1/messages/" + text + "/reactions/x", bearer)),
                  "unknown_message")
            << id;
    }
    EXPECT_THAT(call("GET", "/v1/rooms/9007199254740993", bearer).body,
                HasSubstr("room=9007199254740993 "));
}

TEST_F(RouterTest, ABodyMustBeDeclaredAsJsonOrNotAtAll) {
    for (const char* good : {"", "application/json", "Application/JSON; charset=utf-8",
                             "application/json ;x=y", "application/merge-patch+json"})
        EXPECT_EQ(call("POST", "/v1/rooms", bearer, "{}", good).status, 200) << good;
    for (const char* bad :
         {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
          "application/jsonx", "json", "text/x+json", "application/+json"}) {
        const auto response = call("POST", "/v1/rooms", bearer, "{}", bad);
        EXPECT_EQ(response.status, 415) << bad;
        EXPECT_EQ(code(response), "unsupported_media_type") << bad;
        EXPECT_EQ(call("POST", "/v1/rooms", bearer, "", bad).status, 200)
            << "no body, nothing to declare";
    }
}

TEST_F(RouterTest, AnErrorBecomesAProblemAndIsCounted) {
    const auto response = call("GET", "/broken");
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(code(response), "internal");
    EXPECT_EQ(response.body.find("secret"), std::string::npos);
    EXPECT_THAT(house.metrics.render(), HasSubstr("parley_api_errors_total{code=\"internal\"} 1"));
    EXPECT_THAT(house.metrics.render(),
                HasSubstr(R"(parley_api_requests_total{method="GET",route="/broken"} 1)"));
}

} // namespace
} // namespace parley::api
