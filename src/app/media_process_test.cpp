#include "app/media_process.hpp"
#include "app/run_now.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace parley::app {
namespace {

// A worker that does what a file told it to, in place of the real one.
class MediaProcessTest : public testing::Test {
protected:
    MediaProcessTest() {
        std::filesystem::create_directory(x_folder);
        std::ofstream(x_folder / "file") << "bytes";
    }
    ~MediaProcessTest() override { std::filesystem::remove_all(x_folder); }

    Result<ports::Examined> examine(const std::string& script) {
        const auto program = x_folder / "worker";
        const auto out = x_folder / "out";
        std::filesystem::remove_all(out);
        std::filesystem::create_directory(out);
        std::ofstream(program) << "#!/bin/sh\n" << script << '\n';
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        MediaProcess process(program, "", x_metrics);
        return run_now(x_io, process.examine(x_folder / "file", out));
    }

    Metrics x_metrics;
    boost::asio::io_context x_io;
    const std::filesystem::path x_folder =
        std::filesystem::path(testing::TempDir()) / ("media_process_" + std::to_string(getpid()));
};

TEST_F(MediaProcessTest, GivesTheWorkerTheFileAndNothingElse) {
    const auto examined = examine(
        R"sh([ "$1" = media-worker ] && [ "$(cat)" = bytes ] && [ -z "$HOME" ] || exit 1
[ ! -e /proc/self/fd/5 ] && [ ! -e /proc/self/fd/64 ] || exit 1
printf 'width 640\nheight 480\nduration_ms 5\nend\n')sh");
    ASSERT_TRUE(examined) << examined.error().detail;
    EXPECT_EQ(examined->width, 640u);
    EXPECT_EQ(examined->height, 480u);
    EXPECT_EQ(examined->duration_ms, 5u);
    EXPECT_FALSE(examined->small || examined->large);
}

TEST_F(MediaProcessTest, AWorkerThatDiesIsNothingButAFailedJob) {
    for (const auto script :
         {"kill -9 $$", "kill -SEGV $$", "exit 1", "printf 'width 640\\n'",
          "printf 'width 0\\nend\\n'", "printf 'width 640\\nend\\n'; kill -9 $$",
          "head -c 1000000 /dev/zero"}) {
        const auto examined = examine(script);
        ASSERT_FALSE(examined) << script;
        EXPECT_EQ(examined.error().code, Errc::unavailable) << script;
    }
}

TEST_F(MediaProcessTest, WhatIsNoThumbnailIsNotTaken) {
    for (const auto script :
         {"printf 'small 320 240\\nend\\n'", "echo '<script>' >&3; printf 'small 320 240\\nend\\n'",
          "printf 'broken\\nend\\n'"}) {
        const auto examined = examine(script);
        ASSERT_FALSE(examined) << script;
        EXPECT_EQ(examined.error().code, Errc::invalid_field) << script;
    }
}

} // namespace
} // namespace parley::app
