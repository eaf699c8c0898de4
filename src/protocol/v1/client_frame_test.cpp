#include "base/limits.hpp"
#include "protocol/v1/client_frame.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::protocol::v1 {
namespace {

const std::string kRoom = R"("room_id":"314159265358979323")";
const std::string kMessage = R"("message_id":"9223372036854775807")";

class ClientFrameTest : public testing::Test {
protected:
    Decoder x_decoder;

    template <class Op>
    Op good(std::string_view text, std::string_view ref = "") {
        const auto answer = x_decoder.decode(text);
        if (const auto* error = std::get_if<FrameError>(&answer))
            ADD_FAILURE() << text << ": " << error->detail;
        const auto* frame = std::get_if<ClientFrame>(&answer);
        if (!frame || !std::holds_alternative<Op>(frame->op)) {
            ADD_FAILURE() << text << ": another op";
            return {};
        }
        EXPECT_EQ(frame->ref, ref) << text;
        return std::get<Op>(frame->op);
    }

    FrameError bad(std::string_view text, FrameErrc code) {
        const auto answer = x_decoder.decode(text);
        const auto* error = std::get_if<FrameError>(&answer);
        if (!error) {
            ADD_FAILURE() << "accepted: " << text.substr(0, 200);
            return {};
        }
        EXPECT_EQ(name_of(error->code), name_of(code)) << text.substr(0, 200);
        EXPECT_FALSE(error->detail.empty());
        return *error;
    }
    void bad_field(std::string_view text, std::string_view detail) {
        EXPECT_EQ(bad(text, FrameErrc::invalid_field).detail, detail) << text;
    }
    void bad_frame(std::string_view text) { bad(text, FrameErrc::bad_frame); }
    // As the value of a field that no op knows.
    void bad_value(std::string_view value) {
        bad_frame(R"({"op":"ping","x":)" + std::string(value) + "}");
    }
    void good_value(std::string_view value) {
        good<Ping>(R"({"op":"ping","x":)" + std::string(value) + "}");
    }
};

TEST_F(ClientFrameTest, EveryOpGivesItsFields) {
    EXPECT_EQ(good<Hello>(R"({"op":"hello","token":"a.b.c"})").token, "a.b.c");

    const auto subscribe = good<Subscribe>(R"({"op":"subscribe",)" + kRoom + R"(,"since":"17"})");
    EXPECT_EQ(subscribe.room_id.value, 314159265358979323);
    EXPECT_EQ(subscribe.since->value, 17);
    EXPECT_FALSE(good<Subscribe>(R"({"op":"subscribe",)" + kRoom + "}").since);
    EXPECT_FALSE(good<Subscribe>(R"({"op":"subscribe",)" + kRoom + R"(,"since":null})").since);

    EXPECT_EQ(good<Unsubscribe>(R"({"op":"unsubscribe","room_id":"1"})").room_id.value, 1);

    const auto send =
        good<Send>(R"({"op":"send","ref":"r","room_id":"5","nonce":"n","type":"TEXT",)"
                   R"("content":"hi","media_id":"6","reply_to":"7"})",
                   "r");
    EXPECT_EQ(send.room_id.value, 5);
    EXPECT_EQ(send.nonce, "n");
    EXPECT_EQ(send.type, "TEXT");
    EXPECT_EQ(send.content, "hi");
    EXPECT_EQ(send.media_id->value, 6);
    EXPECT_EQ(send.reply_to->value, 7);
    const auto bare = good<Send>(R"({"op":"send","room_id":"5","nonce":"","type":"?","content":"",)"
                                 R"("media_id":null})");
    EXPECT_FALSE(bare.media_id);
    EXPECT_FALSE(bare.reply_to);

    const auto edit =
        good<Edit>(R"({"op":"edit",)" + kRoom + "," + kMessage + R"(,"content":"c"})");
    EXPECT_EQ(edit.message_id.value, 9223372036854775807);
    EXPECT_EQ(edit.content, "c");
    EXPECT_EQ(good<Delete>(R"({"op":"delete",)" + kRoom + "," + kMessage + "}").room_id.value,
              314159265358979323);
    const auto react = good<React>(R"({"op":"react",)" + kRoom + "," + kMessage +
                                   R"(,"emoji":"\ud83d\ude00","added":false})");
    EXPECT_EQ(react.emoji, "\xF0\x9F\x98\x80");
    EXPECT_FALSE(react.added);
    EXPECT_EQ(good<Typing>(R"({"op":"typing","room_id":"2"})").room_id.value, 2);
    EXPECT_EQ(good<Read>(R"({"op":"read","room_id":"2","message_id":"3"})").message_id.value, 3);
    good<Ping>(R"({"op":"ping","ref":"x y"})", "x y");
    good<Ping>(R"({"op":"ping","ref":null})");
}

TEST_F(ClientFrameTest, TheOrderOfFieldsAndWhiteSpaceAreFree) {
    const auto send =
        good<Send>("\r\n{ \"content\" : \"hi\"\t, \"type\":\"TEXT\" ,\n\"nonce\":\"n\" , "
                   "\"room_id\" :\"5\",\"ref\": \"r\" , \"op\": \"send\" } \n",
                   "r");
    EXPECT_EQ(send.content, "hi");
    EXPECT_EQ(send.nonce, "n");
    EXPECT_EQ(send.room_id.value, 5);
    // A key is what it says, however it is written.
    EXPECT_EQ(good<Hello>(R"({"\u006fp":"h\u0065llo","t\u006Fken":"t"})").token, "t");
}

TEST_F(ClientFrameTest, UnknownAndForeignFieldsAreIgnored) {
    good<Ping>(R"({"op":"ping","room_id":17,"added":"?","content":{"a":[1,-2.5e3,true,null,"\n"]})"
               R"(,"z":[]})");
    EXPECT_EQ(good<Typing>(R"({"":0,"room":"1","Op":"send","op":"typing","room_id":"4","op ":1})")
                  .room_id.value,
              4);
}

TEST_F(ClientFrameTest, AMissingFieldIsNamed) {
    bad_field("{}", "op is missing");
    bad_field(R"({"op":"hello"})", "token is missing");
    for (const std::string op :
         {"subscribe", "unsubscribe", "send", "edit", "delete", "react", "typing", "read"})
        bad_field(R"({"op":")" + op + R"("})", "room_id is missing");
    for (const std::string op : {"edit", "delete", "react", "read"})
        bad_field(R"({"op":")" + op + R"(","room_id":"1"})", "message_id is missing");
    bad_field(R"({"op":"send","room_id":"1","type":"TEXT","content":"c"})", "nonce is missing");
    bad_field(R"({"op":"send","room_id":"1","nonce":"n","content":"c"})", "type is missing");
    bad_field(R"({"op":"send","room_id":"1","nonce":"n","type":"TEXT"})", "content is missing");
    bad_field(R"({"op":"edit","room_id":"1","message_id":"2"})", "content is missing");
    bad_field(R"({"op":"react","room_id":"1","message_id":"2","added":true})", "emoji is missing");
    bad_field(R"({"op":"react","room_id":"1","message_id":"2","emoji":"e"})", "added is missing");
}

TEST_F(ClientFrameTest, AFieldOfAnotherTypeIsNamed) {
    for (const char* value : {"null", "17", "true", "[]", "{}"}) {
        const std::string v = value;
        bad_field(R"({"op":)" + v + "}", "op must be a string");
        bad_field(R"({"op":"hello","token":)" + v + "}", "token must be a string");
        bad_field(R"({"op":"typing","room_id":)" + v + "}", "room_id must be a string of digits");
        bad_field(R"({"op":"edit","room_id":"1","message_id":"1","content":)" + v + "}",
                  "content must be a string");
        if (v == "null") continue;
        bad_field(R"({"op":"subscribe","room_id":"1","since":)" + v + "}",
                  "since must be a string of digits");
        bad_field(R"({"op":"ping","ref":)" + v + "}", "ref must be a string of at most 64 bytes");
        if (v == "true") continue;
        bad_field(R"({"op":"react","room_id":"1","message_id":"1","emoji":"e","added":)" + v + "}",
                  "added must be true or false");
    }
    bad_field(R"({"op":"react","room_id":"1","message_id":"1","emoji":"e","added":"true"})",
              "added must be true or false");
}

TEST_F(ClientFrameTest, Attack33_AnIdIsAStringOfExactlyItsDigits) {
    for (const char* id : {"", "0", "-1", "+1", "01", "1 ", " 1", "1e3", "1.0", "0x1", "\xD9\xA1",
                           "9223372036854775808", "18446744073709551617", "99999999999999999999"})
        bad_field(R"({"op":"typing","room_id":")" + std::string(id) + R"("})",
                  "room_id must be a string of digits");
    EXPECT_EQ(good<Typing>(R"({"op":"typing","room_id":"9007199254740993"})").room_id.value,
              9007199254740993);
    bad_field(R"({"op":"typing","room_id":9007199254740993})",
              "room_id must be a string of digits");
}

TEST_F(ClientFrameTest, AnOpOutsideTheListIsUnknown) {
    for (const char* op : {"", "Send", "send ", "message", "welcome", "__proto__"})
        bad(R"({"op":")" + std::string(op) + R"("})", FrameErrc::unknown_op);
}

TEST_F(ClientFrameTest, RefIsBounded) {
    const std::string ref(limits::kRefBytes, 'r');
    good<Ping>(R"({"op":"ping","ref":")" + ref + R"("})", ref);
    const FrameError error =
        bad(R"({"op":"ping","ref":")" + ref + R"(r"})", FrameErrc::invalid_field);
    EXPECT_EQ(error.detail, "ref must be a string of at most 64 bytes");
    EXPECT_EQ(error.ref, "");
}

TEST_F(ClientFrameTest, RefAndNonceComeBackWithTheErrorWhereverTheyStand) {
    const auto expect = [&](std::string_view text, FrameErrc code) {
        const FrameError error = bad(text, code);
        EXPECT_EQ(error.ref, "r\n") << text;
        EXPECT_EQ(error.nonce, "n") << text;
    };
    expect(R"({"op":"send","content":1,"nonce":"n","ref":"r\n"})", FrameErrc::invalid_field);
    expect(R"({"nonce":"n","ref":"r\n","op":"fly"})", FrameErrc::unknown_op);
    expect(R"({"nonce":"n","ref":"r\n","op":"send","op":"send"})", FrameErrc::bad_frame);
    expect(R"({"nonce":"n","ref":"r\n","content":"\ud800"})", FrameErrc::bad_frame);
    expect(R"({"nonce":"n","ref":"r\n"} x})", FrameErrc::bad_frame);
    // Not from the frame before, and not what cannot be read.
    EXPECT_EQ(bad("{", FrameErrc::bad_frame).ref, "");
    EXPECT_EQ(bad(R"({"op":1,"ref":2,"nonce":[]})", FrameErrc::invalid_field).nonce, "");
    EXPECT_EQ(
        bad(R"({"op":1,"nonce":")" + std::string(65, 'n') + "\"}", FrameErrc::invalid_field).nonce,
        "");
}

TEST_F(ClientFrameTest, Attack30_WhatIsNotOneJsonObjectIsABadFrame) {
    for (const char* text : {"",
                             " ",
                             "null",
                             "17",
                             "\"op\"",
                             "[]",
                             R"([{"op":"ping"}])",
                             "{",
                             "}",
                             "{}}",
                             "{]",
                             "[}",
                             R"({"op":"ping"}{"op":"ping"})",
                             R"({"op":"ping"} x)",
                             R"({"op":"ping"},)",
                             R"({"op":"ping")",
                             R"({"op":"ping",})",
                             R"({,"op":"ping"})",
                             R"({"op":"ping",,"x":1})",
                             R"({"op" "ping"})",
                             R"({"op":"ping" "x":1})",
                             R"({"op"::"ping"})",
                             R"({"op":})",
                             R"({"op"})",
                             R"({op:"ping"})",
                             R"({'op':'ping'})",
                             R"({"op":"ping)",
                             R"({"op":"pi)",
                             R"({1:2})",
                             R"({null:1})",
                             R"({[]:1})",
                             R"({"op":"ping"}//)",
                             R"({"op":"ping"/**/})",
                             R"({"x":{"op":"ping"})",
                             R"({"x":[1})",
                             "\xEF\xBB\xBF{\"op\":\"ping\"}",
                             "{\"op\":\"ping\"}\xEF\xBB\xBF",
                             "{\"op\":\"pi\nng\"}",
                             "{\"op\":\"ping\",\"x\":\"\x01\"}",
                             "{\"op\":\"ping\"\x0B}",
                             "{\"op\":\"ping\"\xC2\xA0}",
                             "\xFE\xFF{}",
                             "{\"op\":\"ping\",\"x\":\"\xFF\"}"})
        bad_frame(text);
    bad_frame(std::string_view("{\"op\":\"ping\"}\0", 14));
    bad_frame(std::string_view("\0{\"op\":\"ping\"}", 14));
    bad_frame(std::string_view("{\"op\":\"ping\",\"x\":\"\0\"}", 21));
}

TEST_F(ClientFrameTest, Attack30_UnknownFieldsMustBeJsonToo) {
    for (const char* value : {"NaN",
                              "-NaN",
                              "Infinity",
                              "-Infinity",
                              "1e999",
                              "-1e999",
                              "01",
                              "-01",
                              "1.",
                              ".5",
                              "+1",
                              "-",
                              "1e",
                              "1e+",
                              "0x10",
                              "1_000",
                              "--1",
                              "1.2.3",
                              "1a",
                              "1 2",
                              "tru",
                              "truee",
                              "True",
                              "nul",
                              "nulls",
                              "falsey",
                              "undefined",
                              "'a'",
                              "\"a\"b",
                              "\"a\"\"b\"",
                              "[",
                              "]",
                              "[1,]",
                              "[,1]",
                              "[1 2]",
                              "[1:2]",
                              "[1,,2]",
                              "[\"a\":1]",
                              "{\"a\"}",
                              "{\"a\":}",
                              "{\"a\":1,}",
                              "{a:1}",
                              "{\"a\" 1}",
                              "{\"a\":1 \"b\":2}",
                              "{1:1}",
                              "[1}",
                              "{\"a\":1]",
                              "[[[",
                              "{\"a\":[}",
                              "\"\\x\"",
                              "\"\\u12\"",
                              "\"\\u12g4\"",
                              "\"\\\"",
                              "[\"\\q\"]",
                              "{\"\\q\":1}",
                              ":",
                              ",",
                              "\"\\u0000\"",
                              "\"\\ud800\"",
                              "[{\"k\":\"\\udc00\"}]",
                              "{\"\\u0000\":1}"})
        bad_value(value);
    for (const char* value : {"-0",
                              "0",
                              "-0.0",
                              "1e-999",
                              "1E+5",
                              "123456789012345678901234567890",
                              "1.7976931348623157e308",
                              "true",
                              "false",
                              "null",
                              "[]",
                              "{}",
                              "[ ]",
                              "{ }",
                              "[[],{}]",
                              "\"\\/\"",
                              "\"\\u00e9\\uD83D\\uDE00\"",
                              "\"\x7F\"",
                              "{\"a\":1,\"a\":2}",
                              "[1,2 , 3]"})
        good_value(value);
    good_value("0." + std::string(5'000, '1'));
    bad_value("0." + std::string(5'000, '1') + "x");
    bad_value(std::string(5'000, '1')); // too large for a number, not too long
}

TEST_F(ClientFrameTest, Attack30_DepthIsBounded) {
    const auto arrays = [](int n) { return std::string(n, '[') + std::string(n, ']'); };
    const auto objects = [](int n) {
        std::string text;
        for (int i = 0; i < n; ++i) text += "{\"a\":";
        return text + "1" + std::string(n, '}');
    };
    good_value(arrays(limits::kJsonDepth - 1)); // the frame itself is the first level
    good_value(objects(limits::kJsonDepth - 1));
    bad_value(arrays(limits::kJsonDepth));
    bad_value(objects(limits::kJsonDepth));
    bad_value(arrays(30'000));
    bad_value(objects(9'000));
    bad_value(std::string(60'000, '['));
    bad_frame(std::string(limits::kFrameBytes, '['));
    bad_frame(std::string(limits::kFrameBytes, '{'));
    bad_frame(R"({"op":"send","room_id":)" + arrays(20'000) + "}");
    bad(R"({"op":"ping","x":)" + std::string(100'000, '['), FrameErrc::too_long);
}

TEST_F(ClientFrameTest, Attack30_NoFieldStandsTwice) {
    bad_frame(R"({"op":"ping","op":"ping"})");
    bad_frame(R"({"op":"ping","ref":null,"ref":null})");
    bad_frame(R"({"op":"ping","\u006fp":"ping"})");
    bad_frame(R"({"op":"ping","x":1,"y":2,"x":3})");
    bad_frame(R"({"op":"ping","\u0078":1,"x":3})");
    bad_frame(R"({"op":"ping","emoji":1,"emoji":1})");
    good<Ping>(R"({"op":"ping","x":1,"X":2,"x ":3})");
    std::string many = R"({"op":"ping")";
    for (int i = 0; i < 7'000; ++i) many += ",\"" + std::to_string(i) + "\":0";
    ASSERT_LT(many.size(), limits::kFrameBytes);
    good<Ping>(many + "}");
    bad_frame(many + ",\"4711\":0}");
}

TEST_F(ClientFrameTest, Attack31_EscapesAreResolvedAndPoisonIsRefused) {
    const auto content = [&](const std::string& text) {
        return std::string(
            good<Edit>(R"({"op":"edit","room_id":"1","message_id":"2","content":")" + text + "\"}")
                .content);
    };
    EXPECT_EQ(content(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(content(R"(a\u0041\u00e9\u20AC\ud83d\ude00z)"),
              "aA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
    EXPECT_EQ(content(R"(\u0001\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff)"),
              "\x01\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF");
    EXPECT_EQ(content(R"(\ud800\udc00\udbff\udfff)"), "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
    EXPECT_EQ(content(R"(\\u0000)"), "\\u0000");
    EXPECT_EQ(content(R"(\\\\\")"), "\\\\\"");
    EXPECT_EQ(content("\xD7\xA9 \xE2\x80\xA8"), "\xD7\xA9 \xE2\x80\xA8");

    for (const char* text :
         {R"(a\u0000b)", R"(\ud800)", R"(\udc00)", R"(\ud800x)", R"(\ud800\n)", R"(\ud800\u0041)",
          R"(\ud800\ud800)", R"(\udc00\ud800)", R"(\ud83d\ude)", R"(\uD83D\uDE0)", R"(\u)",
          R"(\u00)", R"(\u+041)", R"(\u 041)", R"(\U0041)", R"(\a)", R"(\0)", R"(\')"})
        for (const std::string key : {"content", "nonce", "ref", "op", "token", "other"})
            bad_frame(R"({"x":1,")" + key + R"(":")" + text + "\"}");
    // All the strings of a frame at once, each with escapes.
    const auto send =
        good<Send>(R"({"op":"s\u0065nd","room_id":"\u0031\u0032","nonce":"\n1","type":"\u0054",)"
                   R"("content":"\t\t","ref":"\u0072"})",
                   "r");
    EXPECT_EQ(send.room_id.value, 12);
    EXPECT_EQ(send.nonce, "\n1");
    EXPECT_EQ(send.type, "T");
    EXPECT_EQ(send.content, "\t\t");
}

TEST_F(ClientFrameTest, TheSizeOfAFrameIsBounded) {
    const std::string head = R"({"op":"hello","token":")";
    std::string text = head + std::string(limits::kFrameBytes - head.size() - 2, 't') + "\"}";
    ASSERT_EQ(text.size(), limits::kFrameBytes);
    EXPECT_EQ(good<Hello>(text).token.size(), limits::kFrameBytes - head.size() - 2);
    text += ' ';
    bad(text, FrameErrc::too_long);
    // Every byte of the largest frame may come out of an escape.
    std::string escaped = head;
    while (escaped.size() + 4 <= limits::kFrameBytes) escaped += "\\n";
    EXPECT_EQ(good<Hello>(escaped + "\"}").token.size(), (escaped.size() - head.size()) / 2);
}

TEST_F(ClientFrameTest, AFrameDependsOnNoFrameBefore) {
    const std::string good_text = R"({"op":"typing","room_id":"7"})";
    for (const char* before :
         {"{", R"({"op":"send","room_id":"1","nonce":"n"})", "[[[[", R"({"x":"\ud800"})",
          R"({"op":"typing","room_id":"7","room_id":"8"})", R"({"since":"1","x":1})"}) {
        x_decoder.decode(before);
        EXPECT_EQ(good<Typing>(good_text).room_id.value, 7);
        EXPECT_FALSE(good<Subscribe>(R"({"op":"subscribe","room_id":"1"})").since);
    }
    // Cut anywhere, a frame is bad, and nothing behind its end is read.
    const std::string longer =
        R"({"op":"send","room_id":"5","nonce":"n","type":"TEXT","content":"\"hi\"",)"
        R"("x":[{"a":-1.5}]})";
    good<Send>(longer);
    for (std::size_t n = 0; n < longer.size(); ++n)
        bad_frame(std::string_view(longer).substr(0, n));
}

} // namespace
} // namespace parley::protocol::v1
