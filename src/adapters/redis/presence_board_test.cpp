#include "adapters/redis/presence_board.hpp"
#include "base/cluster_limits.hpp"
#include "tests/support/await.hpp"
#include "tests/support/redis_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <gmock/gmock.h>

namespace parley::redis {
namespace {

using namespace std::chrono_literals;
using test::await;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Users = std::vector<model::UserId>;

struct RedisPresence : ::testing::Test {
    Settings settings() const {
        Settings made;
        made.addresses = {{"127.0.0.1", std::uint16_t(server.port())}};
        return made;
    }
    // A board without node or user, as FLUSHALL leaves it.
    void flush() {
        const Context context(redisConnect("127.0.0.1", server.port()));
        ASSERT_FALSE(context->err);
        Reply(static_cast<redisReply*>(redisCommand(context.get(), "FLUSHALL")));
    }
    void command(std::vector<const char*> words) {
        const Context context(redisConnect("127.0.0.1", server.port()));
        ASSERT_FALSE(context->err);
        const Reply reply(static_cast<redisReply*>(redisCommandArgv(
            context.get(), static_cast<int>(words.size()), words.data(), nullptr)));
        ASSERT_TRUE(reply && reply->type != REDIS_REPLY_ERROR);
    }
    void register_both() {
        EXPECT_FALSE(await(board.beat("n1", 10s)).value()); // not known before
        EXPECT_FALSE(await(board.beat("n2", 10s)).value());
        EXPECT_TRUE(await(board.beat("n1", 10s)).value());
    }

    Metrics metrics;
    SilentLogger logger;
    test::RedisServer server;
    PresenceBoard board{settings(), metrics, logger};
    const model::UserId a{1}, b{2}, c{3};
};

TEST_F(RedisPresence, TellsWhoCameAndWhoWentOverTwoNodes) {
    register_both();
    EXPECT_THAT(await(board.put("n1", Users{a, b})).value(), UnorderedElementsAre(a, b));
    EXPECT_THAT(await(board.put("n1", Users{a})).value(), IsEmpty());
    EXPECT_THAT(await(board.put("n2", Users{b, c})).value(), ElementsAre(c));
    EXPECT_THAT(await(board.online(Users{a, model::UserId{9}, c})).value(),
                ElementsAre(true, false, true));
    EXPECT_THAT(await(board.take_off("n1", Users{a, b})).value(), ElementsAre(a));
    EXPECT_THAT(await(board.take_off("n1", Users{b})).value(), IsEmpty()); // was not there
    EXPECT_THAT(await(board.online(Users{a, b})).value(), ElementsAre(false, true));
    EXPECT_THAT(await(board.users_of("n2", 10)).value(), UnorderedElementsAre(b, c));
    EXPECT_EQ(await(board.users_of("n2", 1)).value().size(), 1u);
    EXPECT_THAT(await(board.take_off("n2", Users{b, c})).value(), UnorderedElementsAre(b, c));
}

TEST_F(RedisPresence, TakesManyInSteps) {
    register_both();
    Users many;
    for (std::int64_t i = 1; i <= 2'500; ++i) many.push_back({i});
    EXPECT_EQ(await(board.put("n1", many)).value().size(), 2'500u);
    const auto online = await(board.online(many)).value();
    EXPECT_EQ(std::count(online.begin(), online.end(), true), 2'500);
    EXPECT_EQ(await(board.take_off("n1", many)).value(), many);
    EXPECT_THAT(await(board.put("n1", Users{})).value(), IsEmpty());
}

TEST_F(RedisPresence, GivesADeadNodeToOneSweeperAtATime) {
    await(board.beat("n1", 50ms)).value();
    await(board.beat("n2", 10s)).value();
    await(board.put("n1", Users{a, b})).value();
    await(board.put("n2", Users{b})).value();
    EXPECT_THAT(await(board.dead_nodes(10s)).value(), IsEmpty());
    std::this_thread::sleep_for(100ms);
    EXPECT_THAT(await(board.dead_nodes(200ms)).value(), ElementsAre("n1"));
    EXPECT_THAT(await(board.dead_nodes(200ms)).value(), IsEmpty()); // somebody has it
    std::this_thread::sleep_for(250ms);
    EXPECT_THAT(await(board.dead_nodes(10s)).value(), ElementsAre("n1")); // who had it is gone
    const Users left = await(board.users_of("n1", 10)).value();
    EXPECT_THAT(await(board.take_off("n1", left)).value(), ElementsAre(a));
    await(board.removed("n1")).value();
    EXPECT_THAT(await(board.dead_nodes(10s)).value(), IsEmpty());
    EXPECT_THAT(await(board.online(Users{a, b})).value(), ElementsAre(false, true));
}

TEST_F(RedisPresence, ANodeThatComesBackWhileItIsSweptPutsAllOnAgain) {
    await(board.beat("n1", 20ms)).value();
    await(board.put("n1", Users{a, b})).value();
    std::this_thread::sleep_for(50ms);
    ASSERT_THAT(await(board.dead_nodes(10s)).value(), ElementsAre("n1"));
    EXPECT_FALSE(await(board.beat("n1", 10s)).value());
    await(board.put("n1", Users{a, b})).value();
    // The sweeper has one step behind it, and does not know.
    await(board.take_off("n1", Users{a})).value();
    await(board.removed("n1")).value();
    EXPECT_FALSE(await(board.beat("n1", 10s)).value());
    EXPECT_THAT(await(board.put("n1", Users{a, b})).value(), ElementsAre(a));
    EXPECT_TRUE(await(board.beat("n1", 10s)).value());
    EXPECT_THAT(await(board.dead_nodes(10s)).value(), IsEmpty());
}

TEST_F(RedisPresence, ABoardThatWasEmptiedAsksForAllUsersOnce) {
    register_both();
    await(board.put("n1", Users{a})).value();
    flush();
    await(board.put("n1", Users{b})).value(); // between the loss and the beat
    EXPECT_FALSE(await(board.beat("n1", 10s)).value());
    EXPECT_THAT(await(board.put("n1", Users{a, b})).value(), ElementsAre(a));
    EXPECT_TRUE(await(board.beat("n1", 10s)).value());
    EXPECT_FALSE(await(board.beat("n2", 10s)).value());
    EXPECT_TRUE(await(board.beat("n2", 10s)).value());
    server.kill();
    EXPECT_EQ(await(board.beat("n1", 10s)).error().code, Errc::unavailable);
    server.start();
    std::this_thread::sleep_for(limits::kPresenceBreak + 50ms);
    EXPECT_FALSE(await(board.beat("n1", 10s)).value());
}

// As if the machine's clock had been so far behind until now.
TEST_F(RedisPresence, AStepOfItsClockLogsNobodyOffAndKeepsNobodyOn) {
    for (const std::int64_t step_ms : {3'600'000, -3'600'000}) {
        flush();
        register_both();
        ASSERT_FALSE(await(board.put("n1", Users{a})).value().empty());
        EXPECT_THAT(await(board.dead_nodes(3s)).value(), IsEmpty());
        const std::string by = std::to_string(-step_ms);
        command({"EVAL",
                 "redis.call('INCRBY', 'parley:clock', ARGV[1]) "
                 "for _, node in ipairs(redis.call('ZRANGE', 'parley:nodes', 0, -1)) do "
                 "redis.call('ZINCRBY', 'parley:nodes', ARGV[1], node) end",
                 "0", by.c_str()});
        EXPECT_THAT(await(board.dead_nodes(1s)).value(), IsEmpty()) << step_ms;
        EXPECT_TRUE(await(board.beat("n1", 1min)).value());
        std::vector<std::string> dead;
        for (int i = 0; i < 100 && dead.empty(); ++i) {
            std::this_thread::sleep_for(50ms);
            dead = await(board.dead_nodes(1s)).value();
        }
        EXPECT_THAT(dead, ElementsAre("n2")) << step_ms;
    }
}

TEST_F(RedisPresence, ADeadRedisCostsItsCallersLittle) {
    register_both();
    server.freeze(true);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(await(board.beat("n1", 10s)).error().code, Errc::unavailable);
    const auto once = std::chrono::steady_clock::now();
    EXPECT_LT(once - begun, limits::kBusCallTimeout + 400ms);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(await(board.online(Users{a})).error().code, Errc::unavailable);
    EXPECT_LT(std::chrono::steady_clock::now() - once, 200ms);
    server.freeze(false);
    std::this_thread::sleep_for(limits::kPresenceBreak);
    EXPECT_TRUE(await(board.beat("n1", 10s)).value());
}

TEST(RedisPresenceRefused, SaysSoWithAWrongPassword) {
    Metrics metrics;
    SilentLogger logger;
    test::RedisServer server("secret");
    Settings settings;
    settings.addresses = {{"127.0.0.1", std::uint16_t(server.port())}};
    settings.password = "wrong";
    PresenceBoard wrong(settings, metrics, logger);
    EXPECT_EQ(await(wrong.beat("n1", 1s)).error().code, Errc::unavailable);
    settings.password = "secret";
    PresenceBoard right(settings, metrics, logger);
    EXPECT_FALSE(await(right.beat("n1", 1s)).value());
}

} // namespace
} // namespace parley::redis
