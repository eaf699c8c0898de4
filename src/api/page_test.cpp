#include "api/page.hpp"
#include "base/base64url.hpp"
#include "base/limits.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::api {
namespace {

net::HttpRequest with_query(std::string query) {
    net::HttpRequest request;
    request.query = std::move(query);
    return request;
}

template <class T>
Errc code_of(const Result<T>& result) {
    return result ? Errc{} : result.error().code;
}

TEST(Page, LimitIsAPlainNumberWithinItsBounds) {
    EXPECT_EQ(*page_limit(with_query("")), limits::kPageDefault);
    EXPECT_EQ(*page_limit(with_query("limit=1")), 1u);
    EXPECT_EQ(*page_limit(with_query("a=b&limit=100")), 100u);
    for (const char* bad :
         {"limit=0", "limit=101", "limit=-1", "limit=+1", "limit=01", "limit=1e1", "limit=1.0",
          "limit=", "limit=%201", "limit=1%20", "limit=ten", "limit=1&limit=2", "limit=1&limit=1",
          "limit=99999999999999999999", "limit=0x10", "limit=1%00"}) {
        const auto limit = page_limit(with_query(bad));
        ASSERT_EQ(code_of(limit), Errc::invalid_field) << bad;
        EXPECT_THAT(limit.error().detail, testing::StartsWith("limit: "));
    }
}

TEST(Page, ACursorComesBackOnlyInItsOwnList) {
    for (const std::int64_t id :
         {std::int64_t{1}, std::int64_t{255}, std::int64_t{265'904'183'402'496'000}, INT64_MAX}) {
        const std::string cursor = encode_cursor(CursorTag::members, id);
        EXPECT_EQ(cursor.size(), 12u);
        EXPECT_EQ(decode_cursor(CursorTag::members, cursor), id);
        EXPECT_EQ(decode_cursor(CursorTag::my_rooms, cursor), std::nullopt);
        EXPECT_EQ(*page_cursor(with_query("cursor=" + cursor), CursorTag::members), id);
    }
    EXPECT_EQ(*page_cursor(with_query(""), CursorTag::members), 0);
}

TEST(Page, AMadeUpCursorIsRefused) {
    const std::string good = encode_cursor(CursorTag::members, 77);
    const std::string negative = to_base64url(std::string("m\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
    const std::string zero = to_base64url(std::string("m\0\0\0\0\0\0\0\0", 9));
    for (const std::string& bad :
         {std::string(), good + "A", good.substr(1), good + "=", std::string("77"), negative, zero,
          std::string(12, '!'), std::string(1000, 'A'), good + "&cursor=" + good}) {
        const auto cursor = page_cursor(with_query("cursor=" + bad), CursorTag::members);
        ASSERT_EQ(code_of(cursor), Errc::invalid_field) << bad;
        EXPECT_THAT(cursor.error().detail, testing::StartsWith("cursor: "));
    }
}

TEST(Page, AnIdInTheQueryIsExact) {
    EXPECT_EQ(*query_id<model::MessageId>(with_query("before=9007199254740993"), "before"),
              model::MessageId{9'007'199'254'740'993});
    EXPECT_EQ(*query_id<model::MessageId>(with_query("after=1"), "before"), std::nullopt);
    for (const char* bad :
         {"before=", "before=0", "before=-1", "before=01", "before=1&before=2", "before=x"})
        EXPECT_EQ(code_of(query_id<model::MessageId>(with_query(bad), "before")),
                  Errc::invalid_field)
            << bad;
}

} // namespace
} // namespace parley::api
