#include "adapters/postgres/node_lease.hpp"

#include "adapters/postgres/id_source.hpp"
#include "model/bucket.hpp"
#include "tests/support/directory_fixture.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace parley::postgres {
namespace {

using namespace std::chrono_literals;
using test::await;

constexpr LeaseTimes kShort{600ms, 100ms, 200ms};

class NodeLeases : public test::DirectoryFixture {
protected:
    std::unique_ptr<NodeLease> take(LeaseTimes times = kShort) {
        return std::make_unique<NodeLease>(std::make_unique<Connection>(target), "a node", entropy,
                                           logger, metrics, times);
    }
    static bool wait_for(const std::function<bool()>& condition) {
        for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
        return condition();
    }
    // Leaves `count` numbers free, with leases that ended at different times.
    void leave_free(int count) {
        Connection(target).query("UPDATE node_leases SET holder = 'somebody', expires_at = "
                                 "CASE WHEN id >= 1024 - $1::int THEN '2020-01-01'::timestamptz + "
                                 "id * interval '1 day' ELSE 'infinity' END",
                                 Params(count));
    }
};

TEST_F(NodeLeases, ProcessesHaveNumbersOfTheirOwn) {
    std::set<std::uint16_t> numbers{directory->node_number()};
    std::vector<std::unique_ptr<NodeLease>> leases;
    for (int i = 0; i < 5; ++i) {
        leases.push_back(take());
        EXPECT_TRUE(leases.back()->held());
        EXPECT_TRUE(numbers.insert(leases.back()->number()).second);
        EXPECT_GE(leases.back()->number(), limits::kFirstLeasedNode);
    }
}

TEST_F(NodeLeases, TheOneThatEndedLongestAgoIsTakenFirst) {
    leave_free(3);
    const auto first = take();
    EXPECT_EQ(first->number(), 1021);
    EXPECT_EQ(take()->number(), 1022) << "and is given back at once";
    EXPECT_EQ(take()->number(), 1023);
    EXPECT_EQ(take()->number(), 1022);
}

TEST_F(NodeLeases, WhereNoneIsFreeNobodyStarts) {
    leave_free(1);
    const auto last = take();
    EXPECT_THROW(take(), DatabaseError);
}

TEST_F(NodeLeases, ALeaseThatIsRenewedLasts) {
    leave_free(1);
    const auto lease = take();
    std::atomic<bool> lost{false};
    lease->start([] { return 0; }, [&] { lost = true; });
    std::this_thread::sleep_for(1'000ms);
    EXPECT_TRUE(lease->held());
    EXPECT_FALSE(lost);
    EXPECT_THROW(take(), DatabaseError) << "nobody else has it";
}

// A process that is not renewed has no number before another can have it.
TEST_F(NodeLeases, ADeadProcessIsFollowedByAnother) {
    leave_free(1);
    const auto dead = take(); // never started: as one that stands still
    EXPECT_TRUE(dead->held());
    EXPECT_THROW(take(), DatabaseError);
    std::unique_ptr<NodeLease> next;
    ASSERT_TRUE(wait_for([&] {
        try {
            next = take();
        } catch (const DatabaseError&) {
        }
        return next != nullptr;
    }));
    EXPECT_FALSE(dead->held());
    EXPECT_TRUE(next->held());
    EXPECT_EQ(next->number(), dead->number());
    dead->stop();
    EXPECT_THROW(take(), DatabaseError) << "the dead one gave back what was no longer its own";
}

TEST_F(NodeLeases, WhoseNumberAnotherHasIsToldOnce) {
    const auto lease = take();
    std::atomic<int> lost{0};
    lease->start([] { return 0; }, [&] { ++lost; });
    Connection(target).query("UPDATE node_leases SET holder = 'another' WHERE id = $1",
                             Params(lease->number()));
    ASSERT_TRUE(wait_for([&] { return lost != 0; }));
    EXPECT_FALSE(lease->held());
    lease->stop();
    EXPECT_EQ(lost, 1);
}

TEST_F(NodeLeases, WithoutADatabaseItIsLostInTime) {
    const auto lease = take();
    std::atomic<bool> lost{false};
    lease->start([] { return 0; }, [&] { lost = true; });
    auto& server = test::PostgresServer::instance();
    server.crash();
    const bool told = wait_for([&] { return lost.load(); });
    EXPECT_TRUE(told);
    EXPECT_TRUE(wait_for([&] { return !lease->held(); }));
    server.start();
}

TEST_F(NodeLeases, ANumbersIdsNeverGoBack) {
    leave_free(1);
    std::int64_t given = 0;
    {
        const auto lease = take();
        IdSource ids(lease->number(), lease->first_id() - 1);
        given = ids.next(clock.now()).value();
        lease->start([&] { return ids.last(); }, [] {});
        lease->stop();
    }
    clock.advance(-3'600'000);
    const auto lease = take();
    IdSource ids(lease->number(), lease->first_id() - 1);
    EXPECT_GT(ids.next(clock.now()).value(), given);
}

TEST(IdSource, NeverUsesAnotherNodesNumber) {
    const auto node_of = [](std::int64_t id) { return id >> 12 & 1023; };
    const model::Time now{1'767'323'045'678};
    IdSource ids(700);
    std::int64_t last = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto id = ids.next(now).value();
        ASSERT_EQ(node_of(id), 700);
        ASSERT_GT(id, last);
        last = id;
    }
    EXPECT_EQ(ids.last(), last);
    IdSource after(701, last);
    EXPECT_GT(after.next(now).value(), last);
    EXPECT_EQ(node_of(after.next(now).value()), 701);
    IdSource none(700, 0, [] { return false; });
    EXPECT_EQ(none.next(now).error().code, Errc::unavailable);
}

// --- the directory as a whole

TEST_F(NodeLeases, WithoutANumberNobodyIsMade) {
    directory->start([] {});
    Connection(target).query("UPDATE node_leases SET expires_at = '-infinity', holder = ''");
    const auto anna = user("anna"); // still within its time
    EXPECT_TRUE(anna);
    directory->stop();
    const auto late = await(users().create_user(new_user("bert", "bert@example.org")));
    EXPECT_EQ(late.error().code, Errc::shutting_down);
}

TEST_F(NodeLeases, ANodeThatStartsAgainGivesNewerIds) {
    const auto before = user("anna");
    directory.reset();
    clock.advance(-3'600'000);
    directory = open("node a");
    EXPECT_GT(user("bert"), before);
}

TEST_F(NodeLeases, ASecretIsMadeOnce) {
    const auto other = open("node b");
    const std::string secret = directory->secret("tokens");
    EXPECT_EQ(secret.size(), 32u);
    EXPECT_EQ(other->secret("tokens"), secret);
    EXPECT_NE(other->secret("another"), secret);
}

TEST_F(NodeLeases, TheFirstProcessDecidesTheLayout) {
    const auto& layout = directory->layout();
    EXPECT_EQ(layout.shards, 1u);
    EXPECT_EQ(layout.partitions(), 8u);
    DirectorySettings settings;
    settings.target = test::PostgresServer::instance().make_database("layout");
    settings.node = "x";
    settings.partitions = 12;
    settings.shards = 3;
    const Directory first(settings, clock, entropy, logger, metrics);
    settings.node = "y";
    settings.partitions = 16;
    settings.shards = 2;
    const Directory second(settings, clock, entropy, logger, metrics);
    EXPECT_EQ(second.layout().partitions(), 12u);
    EXPECT_EQ(second.layout().shards, 3u);
    std::set<std::uint32_t> partitions;
    for (std::int64_t i = 1; i < 2'000; ++i) {
        const model::RoomId room{i << 12};
        EXPECT_EQ(first.layout().partition_of(room), second.layout().partition_of(room));
        EXPECT_EQ(first.layout().shard_of(room), first.layout().partition_of(room) % 3);
        EXPECT_EQ(first.layout().shard_of_bucket()[model::bucket_of(room)],
                  first.layout().shard_of(room));
        partitions.insert(first.layout().partition_of(room));
    }
    EXPECT_EQ(partitions.size(), 12u);
}

TEST_F(NodeLeases, ALayoutWithAHoleIsRefused) {
    Connection database(target);
    database.query("UPDATE partitions SET shard = 5 WHERE partition = 3");
    EXPECT_THROW(load_layout(database, 8, 1), DatabaseError);
    database.query("DELETE FROM partitions WHERE partition = 3");
    EXPECT_THROW(load_layout(database, 8, 1), DatabaseError);
    database.query("INSERT INTO partitions VALUES (3, 0)");
    EXPECT_EQ(load_layout(database, 8, 1).partitions(), 8u);
    database.query("DELETE FROM buckets WHERE bucket = 9");
    EXPECT_THROW(load_layout(database, 8, 1), DatabaseError);
}

} // namespace
} // namespace parley::postgres
