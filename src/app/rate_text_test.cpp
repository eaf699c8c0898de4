#include "app/rate_text.hpp"
#include "service/rate_limits.hpp"

#include <gtest/gtest.h>

namespace parley::app {
namespace {

TEST(RateText, ReadsWhatAnOperatorWrites) {
    const auto rate = rate_from("50/s:200");
    ASSERT_TRUE(rate);
    EXPECT_DOUBLE_EQ(rate->per_second, 50);
    EXPECT_DOUBLE_EQ(rate->burst, 200);
    EXPECT_DOUBLE_EQ(rate_from("90/m")->per_second, 1.5);
    EXPECT_DOUBLE_EQ(rate_from("90/m")->burst, 90);
    EXPECT_DOUBLE_EQ(rate_from("0.5/s")->burst, 1);
    EXPECT_TRUE(rate_from("off")->is_unlimited());
}

TEST(RateText, RefusesWhatIsNoRate) {
    for (const char* text : {"", "50", "/s", "50/", "50/d", "50/s:", "50/s:0", "50/s200", "0/s",
                             "-1/s", "1e3/s", "nan/s", "inf/s", "50/s:x", "50 /s", "OFF"})
        EXPECT_FALSE(rate_from(text)) << text;
}

TEST(RateText, PrintsWhatItReads) {
    for (const char* text :
         {"50/s:200", "1/m:19", "1200/h:1000", "1.5/h:2", "off", "262144/s:4194304"})
        EXPECT_EQ(text_of(*rate_from(text)),
                  std::string(text) == "1200/h:1000" ? "20/m:1000" : text);
    for (const auto& each : service::all_limits()) {
        const auto again = rate_from(text_of(each.standard));
        ASSERT_TRUE(again) << each.name;
        EXPECT_NEAR(again->per_second, each.standard.per_second, 1e-9) << each.name;
    }
}

} // namespace
} // namespace parley::app
