#include "net/outbound_queue.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace parley::net {
namespace {

std::string gathered(const OutboundQueue& queue, std::size_t* parts_count = nullptr,
                     std::size_t scratch_bytes = 64 * 1024) {
    std::vector<char> scratch(scratch_bytes);
    OutboundQueue::Parts parts;
    queue.gather(scratch, parts);
    std::string out;
    for (std::size_t i = 0; i < parts.count; ++i)
        out.append(static_cast<const char*>(parts.list[i].iov_base), parts.list[i].iov_len);
    if (parts_count) *parts_count = parts.count;
    return out;
}

TEST(OutboundQueue, small_frames_make_one_part_and_large_ones_are_not_copied) {
    OutboundQueue queue;
    const FrameRef large = FrameRef::copy_of(std::string(10'000, 'L'));
    for (const char* text : {"a", "b"}) queue.push(FrameRef::copy_of(text));
    queue.push(large);
    for (const char* text : {"c", "d"}) queue.push(FrameRef::copy_of(text));
    std::size_t parts = 0;
    EXPECT_EQ(gathered(queue, &parts), "ab" + std::string(10'000, 'L') + "cd");
    EXPECT_EQ(parts, 3U);
}

TEST(OutboundQueue, goes_on_where_a_partial_write_stopped) {
    OutboundQueue queue;
    std::string expected;
    for (int i = 0; i < 500; ++i) {
        const std::string text = "frame " + std::to_string(i) + std::string(i % 7 * 900, '.');
        expected += text;
        queue.push(FrameRef::copy_of(text));
    }
    std::string written;
    for (std::size_t step = 1; !queue.empty(); step = step * 3 % 5003 + 1) {
        const std::string next = gathered(queue, nullptr, 8192);
        ASSERT_FALSE(next.empty());
        const std::size_t size = std::min(step, next.size());
        written += next.substr(0, size);
        queue.consume(size);
        ASSERT_EQ(queue.bytes(), expected.size() - written.size());
    }
    EXPECT_EQ(written, expected);
    EXPECT_EQ(queue.frames(), 0U);
}

TEST(OutboundQueue, keeps_what_has_begun_when_the_rest_is_dropped) {
    for (const std::size_t committed : {0U, 3U, 4U}) {
        OutboundQueue queue;
        for (const char* text : {"one", "two", "three"}) queue.push(FrameRef::copy_of(text));
        queue.consume(1);
        EXPECT_EQ(queue.drop_unsent(committed), committed < 3 ? 2U : 1U);
        EXPECT_EQ(gathered(queue), committed < 3 ? "ne" : "netwo");
        EXPECT_EQ(queue.bytes(), committed < 3 ? 2U : 5U);
    }
    OutboundQueue untouched;
    untouched.push(FrameRef::copy_of("one"));
    EXPECT_EQ(untouched.drop_unsent(0), 1U);
    EXPECT_TRUE(untouched.empty());
}

TEST(OutboundQueue, copies_across_frames) {
    OutboundQueue queue;
    for (const char* text : {"one", "two", "three"}) queue.push(FrameRef::copy_of(text));
    queue.consume(2);
    char scratch[6];
    EXPECT_EQ(queue.copy(scratch), 6U);
    EXPECT_EQ(std::string(scratch, 6), "etwoth");
}

} // namespace
} // namespace parley::net
