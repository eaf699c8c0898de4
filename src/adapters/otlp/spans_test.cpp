#include "adapters/otlp/spans.hpp"

#include <gtest/gtest.h>

namespace parley::otlp {
namespace {

using Stage = ports::MessageSpan::Stage;

std::string field(const std::string& json, const std::string& key) {
    const std::string begin = '"' + key + "\":\"";
    const std::size_t at = json.find(begin);
    if (at == std::string::npos) return {};
    return json.substr(at + begin.size(), json.find('"', at + begin.size()) - at - begin.size());
}

std::string json_of(Stage stage, const std::string& node = "chat-1", std::uint32_t core = 0) {
    const ports::MessageSpan span{.stage = stage,
                                  .event = {0x1234},
                                  .room = {77},
                                  .begin_us = 1'000'002,
                                  .end_us = 1'000'001,
                                  .core = core,
                                  .connections = 3};
    return to_json({"parley-chat", node, "1"}, {&span, 1});
}

TEST(OtlpSpans, ProcessesAgreeWithoutSpeaking) {
    const std::string message = json_of(Stage::message), sequence = json_of(Stage::sequence, "b");
    EXPECT_EQ(field(message, "traceId"), trace_id({0x1234}));
    EXPECT_EQ(field(message, "traceId"), field(sequence, "traceId"));
    EXPECT_EQ(trace_id({0x1234}).substr(0, 16), "0000000000001234");
    EXPECT_EQ(field(message, "parentSpanId"), "");
    EXPECT_EQ(field(sequence, "parentSpanId"), field(message, "spanId"));
    EXPECT_EQ(field(json_of(Stage::produce), "parentSpanId"), field(message, "spanId"));
    for (const Stage stage : {Stage::store, Stage::deliver})
        EXPECT_EQ(field(json_of(stage), "parentSpanId"), field(sequence, "spanId"));
}

TEST(OtlpSpans, EachProcessAndCoreDeliversForItself) {
    const std::string one = field(json_of(Stage::deliver), "spanId");
    EXPECT_NE(one, field(json_of(Stage::deliver, "chat-2"), "spanId"));
    EXPECT_NE(one, field(json_of(Stage::deliver, "chat-1", 1), "spanId"));
    EXPECT_EQ(one, field(json_of(Stage::deliver), "spanId"));
}

TEST(OtlpSpans, TimesNeverGoBackwards) {
    const std::string json = json_of(Stage::sequence);
    EXPECT_EQ(field(json, "startTimeUnixNano"), "1000002000");
    EXPECT_EQ(field(json, "endTimeUnixNano"), "1000002000");
}

TEST(OtlpSpans, TextIsQuoted) {
    EXPECT_NE(json_of(Stage::store, "a\"b\\c\n").find(R"("a\"b\\c ")"), std::string::npos);
}

TEST(OtlpSpans, ARatioTakesItsShareAndASmallerOneASubset) {
    const std::uint64_t half = rejected_below(0.5), tenth = rejected_below(0.1);
    int in_half = 0, in_tenth = 0;
    for (std::int64_t id = 1; id <= 10'000; ++id) {
        const model::EventId event{id << 12};
        EXPECT_TRUE(is_sampled(event, rejected_below(1)));
        EXPECT_FALSE(is_sampled(event, rejected_below(0)));
        in_half += is_sampled(event, half);
        in_tenth += is_sampled(event, tenth);
        EXPECT_TRUE(!is_sampled(event, tenth) || is_sampled(event, half));
    }
    EXPECT_NEAR(in_half, 5'000, 300);
    EXPECT_NEAR(in_tenth, 1'000, 200);
}

} // namespace
} // namespace parley::otlp
