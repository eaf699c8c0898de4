#include "api/errors.hpp"
#include "api/json.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::api {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(Errors, AProblemHasTheFiveFieldsOfTheContract) {
    const auto response = problem(Error(Errc::unknown_room));
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(response.body, R"({"type":"about:blank","title":"Not Found","status":404,)"
                             R"("detail":"There is no such room, or it is not yours to see.",)"
                             R"("code":"unknown_room"})");
}

TEST(Errors, EveryCodeHasAStatusOfItsKindAndAText) {
    for (int i = 1; i <= static_cast<int>(Errc::internal); ++i) {
        const auto code = static_cast<Errc>(i);
        const auto response = problem(Error(code));
        EXPECT_GE(response.status, 400) << i;
        EXPECT_LT(response.status, 600) << i;
        EXPECT_FALSE(default_detail(code).empty()) << i;
        EXPECT_TRUE(JsonBody::parse(response.body)) << response.body;
        EXPECT_THAT(response.body, HasSubstr("\"code\":\"" + std::string(name_of(code)) + "\""));
        const bool inside = code == Errc::internal || code == Errc::unavailable ||
                            code == Errc::overloaded || code == Errc::shutting_down;
        EXPECT_EQ(response.status >= 500, inside) << i;
    }
}

TEST(Errors, TheHeadersOfAStatusAreThere) {
    EXPECT_THAT(problem(Error(Errc::token_expired)).headers,
                Contains(Pair("WWW-Authenticate", "Bearer")));
    EXPECT_THAT(problem(Error(Errc::rate_limited)).headers, Contains(Pair("Retry-After", "1")));
    const auto after = [](int ms) {
        return problem(Error(Errc::rate_limited, "d", std::chrono::milliseconds(ms))).headers;
    };
    EXPECT_THAT(after(1), Contains(Pair("Retry-After", "1")));
    EXPECT_THAT(after(1000), Contains(Pair("Retry-After", "1")));
    EXPECT_THAT(after(1001), Contains(Pair("Retry-After", "2")));
    for (const Errc code : {Errc::unavailable, Errc::overloaded, Errc::shutting_down})
        EXPECT_THAT(problem(Error(code)).headers, Contains(Pair("Retry-After", "1")));
    EXPECT_TRUE(problem(Error(Errc::forbidden)).headers.empty());
}

TEST(Errors, TheErrorsOwnWordsAreShownUnlessSomethingBroke) {
    EXPECT_THAT(problem(Error(Errc::invalid_field, "limit: \"x\"")).body,
                HasSubstr(R"("detail":"limit: \"x\"")"));
    EXPECT_THAT(problem(Error(Errc::internal, "row 7 of users.db")).body, Not(HasSubstr("row 7")));
}

} // namespace
} // namespace parley::api
