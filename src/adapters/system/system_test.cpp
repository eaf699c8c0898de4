#include "adapters/system/spdlog_logger.hpp"
#include "adapters/system/system_clock.hpp"
#include "adapters/system/system_entropy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <sstream>

namespace parley::system {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::string logged(LogFormat format, std::string_view message, std::string_view value,
                   LogLevel lowest = LogLevel::info) {
    std::ostringstream out;
    SpdlogLogger log({lowest, format, &out});
    log.warning(message, {{"who", value}, {"count", 7}});
    return out.str();
}

TEST(SpdlogLogger, WritesOneJsonObjectPerLine) {
    EXPECT_THAT(
        logged(LogFormat::json, "peer gone", "a b"),
        MatchesRegex(R"(\{"time":"[0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9:]{8}\.[0-9]{3}Z",)"
                     R"("level":"warning","message":"peer gone","who":"a b","count":7\}.)"));
}

TEST(SpdlogLogger, WritesTextThatReadsWell) {
    EXPECT_THAT(logged(LogFormat::text, "peer gone", "ann"),
                EndsWith("Z warning peer gone who=ann count=7\n"));
    EXPECT_THAT(logged(LogFormat::text, "peer gone", "two words"), HasSubstr("who=\"two words\""));
    EXPECT_THAT(logged(LogFormat::text, "peer gone", ""), HasSubstr("who=\"\""));
}

TEST(SpdlogLogger, AnOutputThatIsNoTerminalGetsJson) {
    EXPECT_THAT(logged(LogFormat::automatic, "m", "v"), HasSubstr("\"message\":\"m\""));
}

TEST(SpdlogLogger, Attack44_AValueCannotForgeALineOrDriveATerminal) {
    const std::string attack = "x\n{\"level\":\"error\"}\r\x1B]0;title\x07 \xC2\x9B"
                               "2J \xE2\x80\xAE tail \xFF\xC3";
    for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
        const std::string line = logged(format, "m", attack);
        EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
        for (const char* raw : {"\x1B", "\x07", "\r", "\xC2\x9B", "\xE2\x80\xAE", "\xFF", "\xC3"})
            EXPECT_THAT(line, Not(HasSubstr(raw)));
        EXPECT_THAT(line,
                    HasSubstr(R"(x\n{\"level\":\"error\"}\u000d\u001b]0;title\u0007 \u009b2J )"
                              R"(\u202e tail \ufffd\ufffd)"));
    }
}

TEST(SpdlogLogger, FormatMarksInAValueAreOnlyText) {
    EXPECT_THAT(logged(LogFormat::json, "m", "%v {} %s"), HasSubstr("\"%v {} %s\""));
}

TEST(SpdlogLogger, DropsWhatIsBelowTheLevel) {
    EXPECT_EQ(logged(LogFormat::json, "m", "v", LogLevel::error), "");
}

TEST(SystemEntropy, FillsTheWholeSpanAnew) {
    SystemEntropy entropy;
    std::array<std::byte, 300> first{}, second{};
    entropy.fill(first);
    entropy.fill(second);
    EXPECT_NE(first, second);
    for (const auto& bytes : {first, second})
        EXPECT_TRUE(std::any_of(bytes.end() - 16, bytes.end(),
                                [](std::byte b) { return b != std::byte{0}; }));
    entropy.fill({});
}

TEST(SystemClock, KnowsTheCentury) {
    EXPECT_GT(SystemClock{}.now().ms, 1'700'000'000'000);
    EXPECT_LT(SystemClock{}.now().ms, 4'100'000'000'000);
}

} // namespace
} // namespace parley::system
