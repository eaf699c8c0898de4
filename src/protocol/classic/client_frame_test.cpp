#include "base/limits.hpp"
#include "protocol/classic/client_frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parley::protocol::classic {
namespace {

class ClassicDecoderTest : public ::testing::Test {
protected:
    Chat chat(std::string_view text) {
        const auto decoded = decoder.decode(text);
        if (const auto* error = std::get_if<FrameError>(&decoded)) {
            ADD_FAILURE() << text << ": " << error->detail;
            return {};
        }
        return std::get<Chat>(std::get<ClientFrame>(decoded));
    }
    std::string_view refusal(std::string_view text) {
        const auto decoded = decoder.decode(text);
        const auto* error = std::get_if<FrameError>(&decoded);
        return error ? v1::name_of(error->code) : "taken";
    }
    Decoder decoder;
};

TEST_F(ClassicDecoderTest, ReadsWhatOldClientsSend) {
    const Chat one =
        chat(R"({"event_type":"chat","message_type":"TEXT","content":"h\"i","media_id":""})");
    EXPECT_EQ(one.message_type, "TEXT");
    EXPECT_EQ(one.content, "h\"i");
    EXPECT_FALSE(one.media_id);
    EXPECT_EQ(chat(R"({"content":"x","message_type":"TEXT","event_type":"chat"})").content, "x");
    const auto beat = decoder.decode(R"({"event_type":"heartbeat","content":5})");
    EXPECT_TRUE(std::holds_alternative<Heartbeat>(std::get<ClientFrame>(beat)));
}

TEST_F(ClassicDecoderTest, NothingOfAnEarlierFrameStandsInForNull) {
    EXPECT_EQ(chat(R"({"event_type":"chat","message_type":"TEXT","content":"secret"})").content,
              "secret");
    EXPECT_EQ(chat(R"({"event_type":"chat","message_type":"TEXT","content":null})").content, "");
}

TEST_F(ClassicDecoderTest, AMediaIdIsANumberOrItsDigits) {
    const std::string head = R"({"event_type":"chat","message_type":"MEDIA","media_id":)";
    EXPECT_EQ(chat(head + "9223372036854775807}").media_id->value, 9223372036854775807);
    EXPECT_EQ(chat(head + " 17 \n}").media_id->value, 17);
    EXPECT_EQ(chat(head + R"("17"})").media_id->value, 17);
    EXPECT_FALSE(chat(head + "null}").media_id);
    for (const char* bad : {"0", "-1", "1.0", "1e3", "9223372036854775808", "true", "[]", "{}",
                            "\"01\"", "\"1 \"", "\"x\"", "1e17"})
        EXPECT_EQ(refusal(head + bad + "}"), "invalid_field") << bad;
}

TEST_F(ClassicDecoderTest, RefusesWhatIsNotOneGoodFrame) {
    for (const char* bad :
         {"", "[]", "{", R"({"event_type":"chat"}})",
          R"({"event_type":"chat","event_type":"chat"})",
          R"({"event_type":"heartbeat","x":"\ud800"})",
          R"({"event_type":"heartbeat","x":"\u0000"})", R"({"event_type":"heartbeat","x":1e999})"})
        EXPECT_EQ(refusal(bad), "bad_frame") << bad;
    for (const char* bad : {"{}", R"({"event_type":1})", R"({"event_type":"chat"})",
                            R"({"event_type":"chat","message_type":1})",
                            R"({"event_type":"chat","message_type":"TEXT","content":1})"})
        EXPECT_EQ(refusal(bad), "invalid_field") << bad;
    EXPECT_EQ(refusal(R"({"event_type":"join_room"})"), "unknown_op");
    EXPECT_EQ(refusal(std::string(limits::kFrameBytes + 1, ' ')), "too_long");
}

} // namespace
} // namespace parley::protocol::classic
