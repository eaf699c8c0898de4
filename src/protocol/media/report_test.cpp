#include "protocol/media/report.hpp"

#include <gtest/gtest.h>

namespace parley::protocol::media {
namespace {

TEST(WorkerReport, ComesBackAsItWas) {
    Report report{640,
                  480,
                  12'500,
                  "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
                  model::PictureSize{320, 240},
                  model::PictureSize{640, 480}};
    EXPECT_EQ(read_report(to_text(report)), report);
    EXPECT_EQ(read_report(to_text({})), Report{});
    report.broken = true;
    EXPECT_EQ(read_report(to_text(report)), report);
}

// A worker that was killed, or that does what a file told it to.
TEST(WorkerReport, IsNothingWhenItIsNotPlausible) {
    for (const auto text :
         {"", "width 640\n", "width 640\nend", "end\nwidth 640\n", "width\nend\n", "width 0\nend\n",
          "width -1\nend\n", "width 640 480\nend\n", "width 99999999999999999999\nend\n",
          "small 321 200\nend\n", "large 1280\nend\n", "large 1281 1\nend\n", "blurhash <b>\nend\n",
          "filename x\nend\n", "broken x\nend\n", "duration_ms 99999999999\nend\n", "\nend\n"})
        EXPECT_FALSE(read_report(text)) << text;
}

} // namespace
} // namespace parley::protocol::media
