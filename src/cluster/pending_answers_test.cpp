#include "cluster/pending_answers.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace parley::cluster {
namespace {

using namespace std::chrono_literals;

const model::RoomId kRoom{7}, kOther{8};
const model::UserId kUser{9};
const PendingAnswers::Instant kNow{1h};

struct FixedEntropy final : ports::Entropy {
    explicit FixedEntropy(std::uint64_t v) : value(v) {}
    void fill(std::span<std::byte> out) override { std::memcpy(out.data(), &value, out.size()); }
    std::uint64_t value;
};

Pending pending(std::uint64_t responder, std::string nonce = {}, std::string content = {}) {
    Pending one;
    one.origin.responder = responder;
    one.room_id = kRoom;
    one.user_id = kUser;
    one.nonce = std::move(nonce);
    one.content = std::move(content);
    return one;
}

model::MessagePosted message(std::string nonce, std::string content) {
    model::MessagePosted posted;
    posted.message.room_id = kRoom;
    posted.message.user_id = kUser;
    posted.message.content = std::move(content);
    posted.nonce = std::move(nonce);
    return posted;
}

class PendingAnswersTest : public testing::Test {
protected:
    Metrics metrics;
    FixedEntropy entropy{4'000'000};
    PendingAnswers answers{entropy, metrics};
};

TEST_F(PendingAnswersTest, EachIsTakenOnce) {
    const auto first = answers.add(pending(1), kNow), second = answers.add(pending(2), kNow);
    ASSERT_TRUE(first && second && *first != *second);
    EXPECT_EQ(answers.take(*second, kRoom)->origin.responder, 2u);
    EXPECT_FALSE(answers.take(*second, kRoom));
    EXPECT_EQ(answers.take(*first, kRoom)->origin.responder, 1u);
}

TEST_F(PendingAnswersTest, AnAnswerOfAnEarlierLifeMeetsNobody) {
    FixedEntropy later{8'000'000'000};
    PendingAnswers next(later, metrics);
    const auto old = answers.add(pending(1), kNow);
    const auto fresh = next.add(pending(2), kNow);
    EXPECT_NE(*old, *fresh);
    EXPECT_FALSE(next.take(*old, kRoom));
    // Even the same number is not enough.
    EXPECT_FALSE(next.take(*fresh, kOther));
    EXPECT_TRUE(next.take(*fresh, kRoom));
}

TEST_F(PendingAnswersTest, AMessageThatWasReadIsItsSendersOnlyAsItWasSent) {
    const auto number = answers.add(pending(1, "n", "text"), kNow);
    EXPECT_FALSE(answers.take_by_message(message("n", "another text"))); // a conflict of nonces
    EXPECT_FALSE(answers.take_by_message(message("m", "text")));
    EXPECT_EQ(answers.take_by_message(message("n", "text"))->origin.responder, 1u);
    EXPECT_FALSE(answers.take(*number, kRoom));
    EXPECT_FALSE(answers.take_by_message(message("n", "text")));
}

TEST_F(PendingAnswersTest, WhatNobodyAnswersExpiresInTheOrderOfAge) {
    answers.add(pending(1), kNow);
    const auto taken = answers.add(pending(2), kNow);
    answers.add(pending(3), kNow + 1s);
    ASSERT_TRUE(answers.take(*taken, kRoom));
    EXPECT_TRUE(answers.expire(kNow + limits::kAnswerTimeout - 1ms).empty());
    const auto first = answers.expire(kNow + limits::kAnswerTimeout);
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(first.front().origin.responder, 1u);
    EXPECT_EQ(answers.expire(kNow + limits::kAnswerTimeout + 1s).size(), 1u);
}

TEST_F(PendingAnswersTest, IsBounded) {
    for (std::size_t i = 0; i < limits::kPendingAnswers; ++i) answers.add(pending(1), kNow);
    Pending refused = pending(5, "nonce");
    EXPECT_FALSE(answers.add(std::move(refused), kNow));
    EXPECT_EQ(refused.nonce, "nonce"); // NOLINT: it says that it stays
}

} // namespace
} // namespace parley::cluster
