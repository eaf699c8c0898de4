#include "protocol/log/trace.hpp"

#include <gtest/gtest.h>

namespace parley::protocol::log {
namespace {

TEST(TraceRecords, ComeBackAsTheyWere) {
    const auto question = decode_trace_question(encode(TraceQuestion{7, {42}}));
    ASSERT_TRUE(question);
    EXPECT_EQ(question->number, 7u);
    EXPECT_EQ(question->event, model::EventId{42});
    TraceAnswer answer{.asker = "front-1",
                       .question = {9, {43}},
                       .accepted_ms = 1,
                       .published_ms = 2,
                       .stored_ms = 3,
                       .delivered_ms = 4,
                       .connections = 5};
    const auto back = decode_trace_answer(encode(answer));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->asker, "front-1");
    EXPECT_EQ(back->question.event, model::EventId{43});
    EXPECT_EQ(back->accepted_ms, 1);
    EXPECT_EQ(back->published_ms, 2);
    EXPECT_EQ(back->stored_ms, 3);
    EXPECT_EQ(back->delivered_ms, 4);
    EXPECT_EQ(back->connections, 5u);
}

TEST(TraceRecords, DamagedOnesAreRefused) {
    for (const std::string& whole : {encode(TraceQuestion{7, {42}}), encode(TraceAnswer{})}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_FALSE(decode_trace_question(whole.substr(0, size)) && size != 16);
            EXPECT_FALSE(decode_trace_answer(whole.substr(0, size)));
        }
        EXPECT_FALSE(decode_trace_answer(whole + "x"));
    }
}

} // namespace
} // namespace parley::protocol::log
