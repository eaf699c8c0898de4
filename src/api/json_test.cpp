#include "api/json.hpp"
#include "base/limits.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

template <class T>
Errc code_of(const Result<T>& result) {
    return result ? Errc{} : result.error().code;
}

JsonBody body(std::string_view text) { return *JsonBody::parse(text); }

TEST(Json, ReadsTheFieldsOfAnObject) {
    const JsonBody read =
        body(R"( {"name":"Ann\u00e9 \ud83d\ude00\n","id":"42","ids":["1","2"],"x":{"y":[1e3]}} )");
    EXPECT_EQ(*read.text("name"), "Ann\xC3\xA9 \xF0\x9F\x98\x80\n");
    EXPECT_EQ(*read.id<model::UserId>("id"), model::UserId{42});
    EXPECT_EQ(*read.ids<model::UserId>("ids", 2),
              (std::vector{model::UserId{1}, model::UserId{2}}));
    EXPECT_TRUE(read.has("x"));
    EXPECT_FALSE(read.has("y"));
}

TEST(Json, Attack30_WhatIsNotOneStrictObjectIsBadJson) {
    for (const char* bad : {"",
                            " ",
                            "{",
                            "}",
                            "[]",
                            "[{}]",
                            "1",
                            "\"x\"",
                            "null",
                            "true",
                            "{}x",
                            "{} {}",
                            "\xEF\xBB\xBF{}",
                            R"({"a":1,"a":2})",
                            R"({"a":1,"\u0061":2})",
                            R"({"x":{"a":1,"a":1}})",
                            R"({"x":[{"a":1,"a":1}]})",
                            R"({"x":{"a":{},"a":1}})",
                            R"({"a":1e999})",
                            R"({"a":-1e999})",
                            R"({"a":NaN})",
                            R"({"a":Infinity})",
                            R"({"a":01})",
                            R"({"a":+1})",
                            R"({"a":.5})",
                            R"({"a":0x10})",
                            R"({'a':1})",
                            R"({a:1})",
                            R"({"a":1,})",
                            R"({"a":[1,]})",
                            R"({"a":1/*x*/})",
                            "{\"a\":\"\n\"}",
                            "{\"a\":\"\t\"}",
                            R"({"a":"\x"})",
                            R"({"a":"\u12"})"})
        EXPECT_EQ(code_of(JsonBody::parse(bad)), Errc::bad_json) << bad;
    EXPECT_EQ(code_of(JsonBody::parse(std::string(100'000, '['))), Errc::bad_json);
    std::string bomb;
    for (int i = 0; i < 50'000; ++i) bomb += "{\"a\":";
    EXPECT_EQ(code_of(JsonBody::parse(bomb)), Errc::bad_json);
}

TEST(Json, DepthIsBoundedToTheLevel) {
    const auto nested = [](int depth) {
        std::string text = "1";
        for (int i = 0; i < depth; ++i) text = "{\"a\":" + text + "}";
        return text;
    };
    EXPECT_TRUE(JsonBody::parse(nested(limits::kJsonDepth)));
    EXPECT_EQ(code_of(JsonBody::parse(nested(limits::kJsonDepth + 1))), Errc::bad_json);
}

TEST(Json, Attack31_PoisonedTextIsBadJson) {
    for (const char* bad :
         {R"({"a":"a\u0000b"})", R"({"a\u0000b":1})", R"({"a":"\ud800"})", R"({"a":"\udc00"})",
          R"({"a":"\ud800\ud800"})", R"({"a":"\ud800x"})", "{\"a\":\"\xED\xA0\x80\"}",
          "{\"a\":\"\xC0\x80\"}", "{\"a\":\"\xFF\"}", "{\"a\":\"\xC3\"}", "{\"\xFF\":1}"})
        EXPECT_EQ(code_of(JsonBody::parse(bad)), Errc::bad_json) << bad;
    EXPECT_EQ(code_of(JsonBody::parse(std::string_view("{\"a\":\"x\0\"}", 10))), Errc::bad_json);
    EXPECT_EQ(code_of(JsonBody::parse(R"({"a":")" + std::string(5'000, 'x') + R"(\u0000"})")),
              Errc::bad_json);
}

TEST(Json, AWrongOrMissingFieldIsNamed) {
    const JsonBody read = body(R"({"n":1,"t":"x","z":null,"o":{},"a":[1],"b":true,"f":1.5})");
    for (const char* field : {"n", "z", "o", "a", "b", "f", "absent"}) {
        const auto text = read.text(field);
        ASSERT_EQ(code_of(text), Errc::invalid_field) << field;
        EXPECT_THAT(text.error().detail, StartsWith(std::string(field) + ": "));
    }
    EXPECT_EQ(code_of(read.optional_text("n")), Errc::invalid_field);
    EXPECT_EQ(code_of(read.clearable_text("n")), Errc::invalid_field);
    EXPECT_EQ(code_of(read.ids<model::UserId>("t", 5)), Errc::invalid_field);
    EXPECT_EQ(code_of(read.ids<model::UserId>("a", 5)), Errc::invalid_field);
    EXPECT_THAT(read.ids<model::UserId>("a", 5).error().detail, StartsWith("a: "));
}

TEST(Json, AbsentNullAndEmptyAreToldApart) {
    const JsonBody read = body(R"({"null":null,"empty":"","text":"x"})");
    EXPECT_EQ(*read.optional_text("absent"), std::nullopt);
    EXPECT_EQ(*read.optional_text("null"), std::nullopt);
    EXPECT_EQ(*read.optional_text("empty"), "");
    EXPECT_EQ(*read.clearable_text("absent"), std::nullopt);
    EXPECT_EQ(*read.clearable_text("null"), "");
    EXPECT_EQ(*read.clearable_text("text"), "x");
    EXPECT_EQ(*read.optional_id<model::UserId>("null"), std::nullopt);
    EXPECT_TRUE(read.ids<model::UserId>("null", 1)->empty());
}

TEST(Json, Attack33_AnIdIsAStringOfItsDigits) {
    EXPECT_EQ(body(R"({"id":"9007199254740993"})").id<model::UserId>("id")->value,
              9'007'199'254'740'993);
    EXPECT_EQ(body(R"({"id":"9223372036854775807"})").id<model::UserId>("id")->value, INT64_MAX);
    for (const char* bad :
         {"-1", "\"-1\"", "0", "\"0\"", "\"01\"", "\"9223372036854775808\"", "\"1e3\"", "\"1 \"",
          "\" 1\"", "\"\"", "42", "1e3", "[]", "\"0x1\"", "\"+1\""}) {
        const JsonBody read = body("{\"id\":" + std::string(bad) + ",\"ids\":[" + bad + "]}");
        EXPECT_EQ(code_of(read.id<model::UserId>("id")), Errc::invalid_field) << bad;
        EXPECT_EQ(code_of(read.ids<model::UserId>("ids", 9)), Errc::invalid_field) << bad;
    }
}

TEST(Json, Attack32_AnArrayIsBounded) {
    const JsonBody read = body(R"({"ids":["1","2","3"]})");
    EXPECT_EQ(read.ids<model::UserId>("ids", 3)->size(), 3u);
    EXPECT_EQ(code_of(read.ids<model::UserId>("ids", 2)), Errc::invalid_field);
}

} // namespace
} // namespace parley::api
