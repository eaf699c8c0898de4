#include "adapters/memory/log.hpp"
#include "tests/sim/core_fixture.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace parley::test {
namespace {

struct Sink final : ports::OutcomeSink {
    void on_outcomes(std::vector<ports::Outcome> outcomes) override {
        for (const auto& outcome : outcomes) seen.push_back(outcome.nonce + " " + code_of(outcome));
        if (then) std::exchange(then, nullptr)();
    }
    std::vector<std::string> seen;
    std::function<void()> then;
};

class MemoryLogTest : public CoreTest {
protected:
    void append(std::string nonce) {
        std::vector<ports::Submission> one;
        one.push_back(submission(post(room, alice, std::move(nonce), "text")));
        log.append(std::move(one));
    }
    model::RoomId room = make_group("general");
    Sink sink;
    memory::Log log{
        [this](std::vector<ports::Submission> batch) { return ingester->run(std::move(batch)); },
        sink};
};

TEST_F(MemoryLogTest, AnswersWithinAppend) {
    append("1");
    append("1");
    EXPECT_EQ(sink.seen, (std::vector<std::string>{"1 ok", "1 duplicate"}));
}

TEST_F(MemoryLogTest, ASinkMayAppend) {
    sink.then = [this] { append("2"); };
    append("1");
    EXPECT_EQ(sink.seen, (std::vector<std::string>{"1 ok", "2 ok"}));
}

TEST_F(MemoryLogTest, RefusesOnceItHasStopped) {
    log.stop();
    append("1");
    ASSERT_EQ(sink.seen.size(), 1u);
    EXPECT_EQ(sink.seen[0], "1 unavailable"); // the wire's name of shutting_down
    EXPECT_EQ(log_of(room).size(), 1u);
}

} // namespace
} // namespace parley::test
