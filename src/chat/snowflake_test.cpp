#include "chat/snowflake.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace parley::chat {
namespace {

constexpr model::Time kNow{kEpochMs + 1'000'000};

std::int64_t node_of(model::EventId id) { return id.value >> kSequenceBits & 1023; }

TEST(Snowflake, HasTheBitsOfTheContract) {
    Snowflake ids(5, {});
    EXPECT_EQ(ids.next(kNow).value, (std::int64_t{1'000'000} << 22) | (5 << 12));
    EXPECT_EQ(ids.next(kNow).value, (std::int64_t{1'000'000} << 22) | (5 << 12) | 1);
    EXPECT_EQ(time_of(ids.last()), kNow);
}

TEST(Snowflake, GoesOnFromTheLastIdWhenTheClockGoesBack) {
    Snowflake ids(1, {});
    const model::EventId first = ids.next(kNow);
    for (const std::int64_t back : {1, 5'000, 1'000'000, 2'000'000'000}) {
        const model::EventId next = ids.next({kNow.ms - back});
        EXPECT_GT(next, first);
        EXPECT_EQ(time_of(next), kNow);
    }
}

TEST(Snowflake, ABurstRunsAheadOfTheClockAndKeepsItsNode) {
    Snowflake ids(7, {});
    model::EventId last;
    for (int i = 0; i < 3 * 4096 + 10; ++i) {
        const model::EventId id = ids.next(kNow);
        ASSERT_GT(id, last);
        ASSERT_EQ(node_of(id), 7);
        last = id;
    }
    EXPECT_EQ(time_of(last).ms, kNow.ms + 3);
    // And it falls back to the clock once that has caught up.
    EXPECT_EQ(time_of(ids.next({kNow.ms + 100})).ms, kNow.ms + 100);
}

TEST(Snowflake, RisesAcrossARestartWhateverTheNodeWas) {
    for (const std::uint16_t before : {0, 3, 1023})
        for (const std::uint16_t after : {0, 3, 1023}) {
            Snowflake old(before, {});
            for (int i = 0; i < 4096; ++i) old.next(kNow);
            Snowflake ids(after, old.last());
            model::EventId last = old.last();
            for (int i = 0; i < 5000; ++i) {
                const model::EventId id = ids.next({kNow.ms - 60'000});
                ASSERT_GT(id, last);
                ASSERT_EQ(node_of(id), after);
                last = id;
            }
        }
}

TEST(Snowflake, NeverGivesTheIdThatMeansNone) {
    Snowflake ids(0, {});
    EXPECT_GT(ids.next({kEpochMs}).value, 0);
    Snowflake before_the_epoch(0, {});
    EXPECT_GT(before_the_epoch.next({0}).value, 0);
}

} // namespace
} // namespace parley::chat
