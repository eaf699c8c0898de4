// What every ports::RoomLog must do.
#include "base/limits.hpp"
#include "tests/contract/backend.hpp"

#include <gmock/gmock.h>
#include <map>
#include <thread>

namespace parley::contract {
namespace {

using chat::Composer;

class RoomLogContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        alice = world->user("alice");
        room = world->room(alice, "room one");
        world.reset();
        backend->reopen();
        ingester = ingest::Ingester::open(backend->events(), clock, 1).value();
        backend->start([this](auto batch) { return ingester->run(std::move(batch)); }, sink);
    }
    void TearDown() override {
        backend->stop();
        SuiteOnEachBackend::TearDown();
    }
    ports::Submission submission(const std::string& nonce, std::uint64_t responder,
                                 model::RoomId where) {
        return {filtered(Composer::post(where, alice,
                                        {.nonce = nonce,
                                         .type = "TEXT",
                                         .content = nonce,
                                         .media_id = {},
                                         .reply_to = {}})),
                {.core = 3, .responder = responder, .ref = "ref of " + nonce}};
    }

    CollectingSink sink;
    std::unique_ptr<ingest::Ingester> ingester;
    model::UserId alice;
    model::RoomId room;
};

TEST_P(RoomLogContract, EachDraftGetsOneOutcomeInTheOrderOfTheLog) {
    std::vector<ports::Submission> batch;
    for (int i = 0; i < 10; ++i) batch.push_back(submission(std::to_string(i), 100 + i, room));
    backend->log().append(std::move(batch));
    const auto outcomes = sink.wait_for(10);
    ASSERT_EQ(outcomes.size(), 10u);
    model::EventId previous;
    for (std::size_t i = 0; i < 10; ++i) {
        const auto& outcome = outcomes[i];
        EXPECT_EQ(outcome.nonce, std::to_string(i));
        EXPECT_EQ(outcome.room_id, room);
        EXPECT_EQ(outcome.origin.core, 3);
        EXPECT_EQ(outcome.origin.responder, 100 + i);
        EXPECT_EQ(outcome.origin.ref, "ref of " + std::to_string(i));
        ASSERT_TRUE(outcome.durable);
        EXPECT_GT(outcome.durable->event().id, previous);
        if (previous) {
            EXPECT_EQ(outcome.durable->event().prev_id, previous);
        }
        previous = outcome.durable->event().id;
    }
}

TEST_P(RoomLogContract, ARefusalConcernsOneDraft) {
    std::vector<ports::Submission> batch;
    batch.push_back(submission("a", 1, room));
    batch.push_back(submission("b", 2, {42}));
    batch.push_back(submission("c", 3, room));
    backend->log().append(std::move(batch));
    const auto outcomes = sink.wait_for(3);
    EXPECT_TRUE(outcomes[0].durable);
    ASSERT_TRUE(outcomes[1].error);
    EXPECT_EQ(outcomes[1].error->code, Errc::unknown_room);
    EXPECT_EQ(outcomes[1].nonce, "b");
    EXPECT_EQ(outcomes[1].origin.responder, 2u);
    EXPECT_TRUE(outcomes[2].durable);
}

TEST_P(RoomLogContract, ManyCoresKeepTheirOwnOrderAndOneChain) {
    constexpr std::uint64_t kEach = 500;
    std::vector<std::thread> cores;
    for (std::uint64_t core = 0; core < 3; ++core)
        cores.emplace_back([this, core] {
            for (std::uint64_t i = 0; i < kEach; ++i) {
                std::vector<ports::Submission> one;
                const std::string nonce = std::to_string(core) + "-" + std::to_string(i);
                one.push_back(submission(nonce, core, room));
                backend->log().append(std::move(one));
            }
        });
    for (auto& core : cores) core.join();
    const auto outcomes = sink.wait_for(3 * kEach);
    ASSERT_EQ(outcomes.size(), 3 * kEach);
    std::map<std::uint64_t, std::uint64_t> next;
    model::EventId previous;
    for (const auto& outcome : outcomes) {
        const auto core = outcome.origin.responder;
        EXPECT_EQ(outcome.nonce, std::to_string(core) + "-" + std::to_string(next[core]++));
        ASSERT_TRUE(outcome.durable);
        if (previous) {
            EXPECT_EQ(outcome.durable->event().prev_id, previous);
        }
        previous = outcome.durable->event().id;
    }
}

TEST_P(RoomLogContract, ABatchLargerThanATransactionIsTakenInPieces) {
    std::vector<ports::Submission> batch;
    const std::size_t count = limits::kCommitBatch * 2 + 10;
    for (std::size_t i = 0; i < count; ++i) batch.push_back(submission(std::to_string(i), i, room));
    backend->log().append(std::move(batch));
    const auto outcomes = sink.wait_for(count);
    ASSERT_EQ(outcomes.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(outcomes[i].origin.responder, i);
        EXPECT_TRUE(outcomes[i].durable);
    }
}

TEST_P(RoomLogContract, AStoppedLogHasAnsweredAllAndRefusesMore) {
    std::vector<ports::Submission> batch;
    for (int i = 0; i < 1000; ++i) batch.push_back(submission(std::to_string(i), i, room));
    backend->log().append(std::move(batch));
    backend->stop();
    const auto stored = sink.wait_for(1000);
    EXPECT_EQ(stored.size(), 1000u);
    for (const auto& outcome : stored) EXPECT_TRUE(outcome.durable);

    std::vector<ports::Submission> late;
    late.push_back(submission("late", 7, room));
    backend->log().append(std::move(late));
    const auto refused = sink.wait_for(1);
    ASSERT_TRUE(refused[0].error);
    EXPECT_EQ(refused[0].error->code, Errc::shutting_down);
    EXPECT_EQ(refused[0].nonce, "late");
    EXPECT_EQ(refused[0].room_id, room);
}

PARLEY_ON_EACH_BACKEND(RoomLogContract);

} // namespace
} // namespace parley::contract
