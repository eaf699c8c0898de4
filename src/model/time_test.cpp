#include "model/time.hpp"

#include <gtest/gtest.h>

namespace parley::model {
namespace {

TEST(Time, IsWrittenAsRfc3339InUtcWithMilliseconds) {
    EXPECT_EQ(to_rfc3339({0}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339({1'767'323'045'678}), "2026-01-02T03:04:05.678Z");
    EXPECT_EQ(to_rfc3339({951'782'399'999}), "2000-02-28T23:59:59.999Z");
    EXPECT_EQ(to_rfc3339({951'782'400'000}), "2000-02-29T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339({1'709'251'199'001}), "2024-02-29T23:59:59.001Z");
    EXPECT_EQ(to_rfc3339({1'709'251'200'010}), "2024-03-01T00:00:00.010Z");
    EXPECT_EQ(to_rfc3339({4'107'542'400'100}), "2100-03-01T00:00:00.100Z"); // 2100 is no leap year
    EXPECT_EQ(to_rfc3339({1'735'689'599'999}), "2024-12-31T23:59:59.999Z");
}

TEST(Time, StaysWithinFourDigitsOfAYear) {
    EXPECT_EQ(to_rfc3339({-1}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339({253'402'300'799'999}), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(to_rfc3339({253'402'300'800'000}), "9999-12-31T23:59:59.999Z");
}

} // namespace
} // namespace parley::model
