#include "model/new_nonces.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace parley::model {
namespace {

const model::RoomId kRoom{1};
const model::UserId kUser{2};

TEST(NewNonces, OnlyNoncesThatGrowWithTimeAreJudged) {
    NewNonces nonces;
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c1")) << "not started";
    nonces.start("");
    for (const char* other : {"", "0", "00", "02", "1", "abc", "f47ac10b-58cc"})
        EXPECT_FALSE(nonces.surely_new(kRoom, kUser, other)) << other;
    EXPECT_TRUE(nonces.surely_new(kRoom, kUser, "0192f0c1"));
}

TEST(NewNonces, WhatTheFileHeldIsNotNew) {
    NewNonces nonces;
    nonces.start("0192f0c1");
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c1"));
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c0"));
    EXPECT_TRUE(nonces.surely_new(kRoom, kUser, "0192f0c2"));
}

TEST(NewNonces, AnotherSenderDoesNotMatter) {
    NewNonces nonces;
    nonces.start("");
    nonces.remember(kRoom, kUser, "0192f0c5");
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c5"));
    EXPECT_TRUE(nonces.surely_new(kRoom, model::UserId{3}, "0192f0c4"));
    EXPECT_TRUE(nonces.surely_new(model::RoomId{9}, kUser, "0192f0c5"));
}

TEST(NewNonces, AnOlderOneOfASecondDeviceIsNewAsLongAsAllNewerAreKnown) {
    NewNonces nonces;
    nonces.start("0192f0a0");
    nonces.remember(kRoom, kUser, "0192f0c5");
    EXPECT_TRUE(nonces.surely_new(kRoom, kUser, "0192f0c4"));
    nonces.remember(kRoom, kUser, "0192f0c4");
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c4"));
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c5"));
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0a0")); // the file may have it
    auto others = [&nonces, i = 10'000'000]() mutable {
        for (std::size_t more = 0; more < limits::kRecentNonces; ++more)
            nonces.remember(kRoom, model::UserId{3}, "0193" + std::to_string(i++));
    };
    others(); // the two are in the older generation
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c4"));
    EXPECT_TRUE(nonces.surely_new(kRoom, kUser, "0192f0c3"));
    others(); // and forgotten: what is not greater than both may be one of them
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c3"));
    EXPECT_FALSE(nonces.surely_new(kRoom, kUser, "0192f0c4"));
    EXPECT_TRUE(nonces.surely_new(kRoom, kUser, "0192f0c6"));
}

// Against the truth: with more senders than the table holds, in any order, and with restarts.
TEST(NewNonces, NeverCallsAStoredNonceNew) {
    std::mt19937 random(7);
    std::set<std::tuple<std::int64_t, std::int64_t, std::string>> stored;
    std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> sent;
    NewNonces nonces;
    nonces.start("");
    int fast = 0;
    for (int i = 0; i < 150'000; ++i) {
        model::RoomId room{1 + static_cast<std::int64_t>(random() % 300)};
        model::UserId user{1 + static_cast<std::int64_t>(random() % 200)};
        std::string nonce =
            "01" + std::to_string(1'000'000 + i / 2 + static_cast<int>(random() % 50));
        if (random() % 20 == 0) nonce = "01" + std::to_string(1'000'000 + random() % 80'000);
        if (i > 0 && random() % 10 == 0) // again, of any age
            std::tie(room.value, user.value, nonce) = sent[random() % sent.size()];
        const bool is_stored = stored.contains({room.value, user.value, nonce});
        const bool said_new = nonces.surely_new(room, user, nonce);
        ASSERT_FALSE(is_stored && said_new);
        fast += said_new;
        nonces.remember(room, user, nonce);
        sent.emplace_back(room.value, user.value, nonce);
        if (random() % 10 != 0) stored.insert({room.value, user.value, nonce}); // else rolled back
        // Long enough apart that generations come and go.
        if (i % 75'000 == 74'999) {
            std::string newest;
            for (const auto& row : stored) newest = std::max(newest, std::get<2>(row));
            nonces = NewNonces();
            nonces.start(newest);
        }
    }
    EXPECT_GT(fast, 1'000);
}

} // namespace
} // namespace parley::model
