#include "adapters/crypto/argon2_hasher.hpp"

#include <argon2.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <optional>

namespace parley::crypto {
namespace {

namespace asio = boost::asio;

class CountingEntropy final : public ports::Entropy {
public:
    void fill(std::span<std::byte> out) override {
        for (std::byte& b : out) b = static_cast<std::byte>(x_next++);
    }

private:
    unsigned x_next = 1;
};

class Argon2 : public testing::Test {
protected:
    template <class T>
    T wait(Task<T> task) {
        std::optional<T> answer;
        io.restart();
        asio::co_spawn(io, std::move(task), [&answer](std::exception_ptr, T value) {
            answer.emplace(std::move(value));
        });
        io.run();
        return *std::move(answer);
    }
    static Argon2Settings light() {
        Argon2Settings settings;
        settings.passes = 1;
        settings.memory_kib = 64;
        return settings;
    }
    // Outlives each hasher: a worker still wakes it after the answer is here.
    asio::io_context io;
    Metrics metrics;
    CountingEntropy entropy;
};

TEST_F(Argon2, ThePasswordFitsItsHashAndNoOtherDoes) {
    Argon2Hasher hasher(light(), entropy, metrics);
    const auto encoded = wait(hasher.hash("correct horse"));
    ASSERT_TRUE(encoded);
    EXPECT_TRUE(*wait(hasher.verify("correct horse", *encoded)));
    EXPECT_FALSE(*wait(hasher.verify("correct horsf", *encoded)));
    EXPECT_FALSE(*wait(hasher.verify("", *encoded)));
}

TEST_F(Argon2, TheDefaultIsWhatOwaspAsksFor) {
    Argon2Hasher hasher({}, entropy, metrics);
    const auto encoded = wait(hasher.hash("correct horse"));
    ASSERT_TRUE(encoded);
    EXPECT_THAT(*encoded, testing::StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
    EXPECT_EQ(::argon2id_verify(encoded->c_str(), "correct horse", 13), ARGON2_OK);
}

TEST_F(Argon2, TheSamePasswordIsSaltedAnew) {
    Argon2Hasher hasher(light(), entropy, metrics);
    EXPECT_NE(*wait(hasher.hash("correct horse")), *wait(hasher.hash("correct horse")));
}

TEST_F(Argon2, AHashMadeWithOtherParametersStaysGood) {
    Argon2Hasher old(light(), entropy, metrics);
    const auto encoded = wait(old.hash("correct horse"));
    Argon2Settings raised = light();
    raised.passes = 2;
    Argon2Hasher hasher(raised, entropy, metrics);
    EXPECT_TRUE(*wait(hasher.verify("correct horse", *encoded)));
}

TEST_F(Argon2, Attack7_AnUnknownAccountIsCheckedAgainstAFormThatNeverFits) {
    Argon2Hasher hasher(light(), entropy, metrics);
    for (const char* password : {"", "password", "correct horse"}) {
        const auto answer = wait(hasher.verify(password, ""));
        ASSERT_TRUE(answer) << "the form must be well formed, or no work is done";
        EXPECT_FALSE(*answer);
    }
}

TEST_F(Argon2, ABrokenHashIsAnErrorAndNotAMatch) {
    Argon2Hasher hasher(light(), entropy, metrics);
    for (const char* bad :
         {"x", "$argon2id$", "$argon2i$v=19$m=64,t=1,p=1$AQIDBAUGBwg$AQIDBAUGBwg"})
        EXPECT_EQ(wait(hasher.verify("password", bad)).error().code, Errc::internal) << bad;
}

TEST_F(Argon2, APasswordMayHoldAnyByte) {
    Argon2Hasher hasher(light(), entropy, metrics);
    const std::string password("a\0b\xFF", 4);
    const auto encoded = wait(hasher.hash(password));
    EXPECT_TRUE(*wait(hasher.verify(password, *encoded)));
    EXPECT_FALSE(*wait(hasher.verify("a", *encoded)));
}

TEST_F(Argon2, Attack8_AFullQueueRefusesAtOnce) {
    Argon2Settings slow = light();
    slow.threads = 0; // nobody takes a job
    Argon2Hasher hasher(slow, entropy, metrics);
    std::size_t overloaded = 0;
    for (std::size_t i = 0; i < limits::kHasherQueue + 3; ++i)
        asio::co_spawn(io, hasher.hash("correct horse"),
                       [&overloaded](std::exception_ptr, Result<std::string> answer) {
                           overloaded += !answer && answer.error().code == Errc::overloaded;
                       });
    io.poll();
    EXPECT_EQ(overloaded, 3u);
}

TEST_F(Argon2, AfterStopNothingIsHashed) {
    Argon2Hasher hasher(light(), entropy, metrics);
    hasher.stop();
    EXPECT_EQ(wait(hasher.hash("correct horse")).error().code, Errc::shutting_down);
}

} // namespace
} // namespace parley::crypto
