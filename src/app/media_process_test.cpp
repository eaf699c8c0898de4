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

    std::filesystem::path program_of(const std::string& script) {
        const auto program = x_folder / "worker";
        std::filesystem::remove_all(x_folder / "out");
        std::filesystem::create_directory(x_folder / "out");
        std::ofstream(program) << "#!/bin/sh\n" << script << '\n';
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        return program;
    }
    Result<ports::Examined> examine(const std::string& script, const std::string& ffmpeg = {}) {
        MediaProcess process(program_of(script), ffmpeg, x_metrics);
        return run_now(x_io, process.examine(x_folder / "file", x_folder / "out"));
    }
    Result<bool> strip(const std::string& script) {
        MediaProcess process(program_of(script), {}, x_metrics);
        return run_now(x_io, process.strip(x_folder / "file", x_folder / "out/stripped"));
    }
    void put(const char* name, const std::string& bytes) {
        std::ofstream(x_folder / name, std::ios::binary) << bytes;
    }
    // A GIF of that width, of one frame.
    static std::string gif(char width) {
        return std::string("GIF89a") + width + std::string("\0\1\0\0\0\0", 6) +
               std::string("\x2c\0\0\0\0\1\0\1\0\0\2\2\x84\x51\0;", 16);
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

TEST_F(MediaProcessTest, APictureWithoutMetadataIsTheSamePicture) {
    put("file", gif(2));
    put("same", gif(2));
    put("other", gif(3));
    const std::string here = x_folder.string();
    EXPECT_EQ(strip("cat " + here + "/same >&3; printf 'stripped\\nend\\n'").value(), true);
    EXPECT_TRUE(std::filesystem::exists(x_folder / "out/stripped"));
    EXPECT_EQ(strip("printf 'end\\n'").value(), false);
    EXPECT_FALSE(std::filesystem::exists(x_folder / "out/stripped"));
    for (const auto& script :
         {"cat " + here + "/other >&3; printf 'stripped\\nend\\n'",
          std::string("printf 'stripped\\nend\\n'"), std::string("printf 'broken\\nend\\n'")}) {
        const auto stripped = strip(script);
        ASSERT_FALSE(stripped) << script;
        EXPECT_EQ(stripped.error().code, Errc::invalid_field) << script;
        EXPECT_FALSE(std::filesystem::exists(x_folder / "out/stripped")) << script;
    }
    EXPECT_EQ(strip("kill -9 $$").error().code, Errc::unavailable);
}

TEST_F(MediaProcessTest, AFilmWithoutAFrameIsAFilmAllTheSame) {
    put("file", std::string("\0\0\0\x18", 4) + "ftypisom");
    const std::string film = "printf 'duration_ms 5\\nwidth 4\\nheight 2\\nend\\n'";
    for (const auto& poster : {"exit 1", "kill -9 $$", "echo '<script>'", "echo wrong >&3; exit 0"}) {
        const auto examined = examine("[ \"$2\" ] || { " + film + "; exit 0; }\n" + poster, "/x");
        ASSERT_TRUE(examined) << poster << ": " << examined.error().detail;
        EXPECT_EQ(examined->duration_ms, 5u);
        EXPECT_FALSE(examined->poster || examined->small) << poster;
    }
}

} // namespace
} // namespace parley::app
