#include "adapters/disk/http_range.hpp"

#include <gtest/gtest.h>

namespace parley::disk {
namespace {

using Kind = RangeAnswer::Kind;

void expect_part(std::string_view header, std::uint64_t offset, std::uint64_t size) {
    const RangeAnswer answer = choose_range(header, 100);
    EXPECT_EQ(answer.kind, Kind::part) << header;
    EXPECT_EQ(answer.range.offset, offset) << header;
    EXPECT_EQ(answer.range.size, size) << header;
}

TEST(ChooseRange, TakesOneRangeOfBytes) {
    expect_part("bytes=0-0", 0, 1);
    expect_part("bytes=10-", 10, 90);
    expect_part("bytes=90-500", 90, 10);
    expect_part("bytes=-5", 95, 5);
    expect_part("bytes=-500", 0, 100);
}

TEST(ChooseRange, WhatIsOddIsTheWholeFile) {
    for (const char* odd :
         {"", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=1-2,3-4", "lines=1-2", "bytes=x-1",
          "bytes=1-x", "bytes=--1", "bytes=99999999999999999999-", "bytes=+1-2"})
        EXPECT_EQ(choose_range(odd, 100).kind, Kind::whole) << odd;
}

TEST(ChooseRange, WhatBeginsBehindTheEndCannotBe) {
    for (const char* beyond : {"bytes=100-", "bytes=100-200", "bytes=-0"})
        EXPECT_EQ(choose_range(beyond, 100).kind, Kind::unsatisfiable) << beyond;
    EXPECT_EQ(choose_range("bytes=0-", 0).kind, Kind::unsatisfiable);
}

TEST(NamesTag, ComparesWeakly) {
    EXPECT_TRUE(names_tag(R"("a", W/"b")", R"("b")"));
    EXPECT_TRUE(names_tag("*", R"("b")"));
    EXPECT_FALSE(names_tag(R"("a")", R"("b")"));
    EXPECT_FALSE(names_tag("", R"("b")"));
}

TEST(HttpDate, ComesBack) {
    EXPECT_EQ(to_http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(from_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    EXPECT_FALSE(from_http_date("yesterday"));
}

} // namespace
} // namespace parley::disk
