#include "adapters/postgres/shard_store.hpp"

#include "tests/support/shard_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace parley::postgres {
namespace {

using chat::Composer;
using testing::ElementsAre;
using testing::SizeIs;

constexpr model::UserId kAnna{11}, kBert{12}, kCleo{13};

std::int64_t count(const std::string& target, const std::string& what) {
    return Connection(target).query(("SELECT count(*) FROM " + what).c_str()).front().integer(0);
}

std::string content_of(ports::ShardStore& shard, model::RoomId room, model::MessageId message) {
    return shard.message(room, message).value().value().content;
}

TEST(PostgresShardStore, GivesBackWhatWasWritten) {
    test::ShardFixture shard;
    const auto room = shard.room(kAnna, {kBert, kBert, kAnna});
    const auto first = shard.post(room, kAnna, "it's \\ \"one\"\n\xF0\x9F\x98\x80");
    const auto second = shard.post(room, kBert, "two", "the nonce");
    shard.event(Composer::edit(room, kBert, second, "two!"));
    shard.event(Composer::react(room, kAnna, second, "\xF0\x9F\x91\x8D", true));
    shard.event(Composer::react(room, kBert, second, "x", true));
    shard.event(Composer::react(room, kBert, second, "x", false));
    shard.event(Composer::member(room, kCleo, {kCleo, model::MemberAction::joined}));
    shard.event(Composer::member(room, kAnna,
                                 {kBert, model::MemberAction::role, model::Role::owner}));
    const auto last = shard.event(Composer::member(
        room, kAnna, {kCleo, model::MemberAction::removed, model::Role::member}));
    shard.store();

    const std::vector<model::RoomId> asked{room, {99}};
    const auto rooms = shard.reads.rooms(asked).value();
    ASSERT_THAT(rooms, SizeIs(1));
    EXPECT_EQ(rooms[0].stored.room.id, room);
    EXPECT_EQ(rooms[0].stored.room.topic, "what it is for");
    EXPECT_EQ(rooms[0].stored.room.member_count, 2u);
    EXPECT_EQ(rooms[0].stored.owners, 2u);
    EXPECT_EQ(rooms[0].stored.last_id, last.id);
    EXPECT_THAT(rooms[0].members, SizeIs(2));

    EXPECT_EQ(content_of(shard.reads, room, first), "it's \\ \"one\"\n\xF0\x9F\x98\x80");
    const auto reactions = shard.reads.reactions(room, second).value();
    ASSERT_THAT(reactions, SizeIs(1));
    EXPECT_EQ(reactions[0].user_id, kAnna);
    EXPECT_EQ(reactions[0].emoji, "\xF0\x9F\x91\x8D");
    EXPECT_FALSE(shard.reads.message({99}, first).value()) << "of another room";

    const std::vector<ports::NonceKey> keys{
        {room, kAnna, "the nonce"}, {room, kBert, "the nonce"}, {room, kBert, ""}};
    const auto nonces = shard.reads.nonces(keys).value();
    ASSERT_THAT(nonces, SizeIs(3));
    EXPECT_FALSE(nonces[0]);
    EXPECT_FALSE(nonces[2]);
    ASSERT_TRUE(nonces[1]);
    EXPECT_EQ(nonces[1]->event.id, second);
    EXPECT_EQ(nonces[1]->event.prev_id, first);
    EXPECT_NE(nonces[1]->body_hash, 0u);
    EXPECT_EQ(std::get<model::MessagePosted>(nonces[1]->event.body).message.content, "two!")
        << "its present state";
}

TEST(PostgresShardStore, ADeletedRoomIsGone) {
    test::ShardFixture shard;
    const auto room = shard.room(kAnna, {kBert});
    const auto message = shard.post(room, kAnna, "one");
    shard.event(Composer::react(room, kBert, message, "x", true));
    shard.event(Composer::remove(room, kAnna, message));
    shard.store();
    EXPECT_TRUE(shard.reads.message(room, message).value()->deleted);
    EXPECT_EQ(content_of(shard.reads, room, message), "");
    EXPECT_EQ(count(shard.target, "reactions"), 0);
    model::RoomDraft removal;
    removal.remove = true;
    shard.event(Composer::room(room, kAnna, removal));
    shard.store();
    EXPECT_THAT(shard.reads.rooms(std::span(&room, 1)).value(), SizeIs(0));
    EXPECT_EQ(count(shard.target, "members"), 0);
}

TEST(PostgresShardStore, SlowModeRemembersWhoPostedWhenUntilItEnds) {
    test::ShardFixture shard;
    const auto room = shard.room(kAnna, {kBert});
    model::RoomDraft slow;
    slow.slow_mode_seconds = 5;
    shard.event(Composer::room(room, kAnna, slow));
    shard.post(room, kBert, "one");
    const auto at = shard.now;
    shard.store();
    EXPECT_EQ(shard.reads.paced_at(room, kBert).value(), at);
    EXPECT_EQ(shard.reads.paced_at(room, kAnna).value(), std::nullopt);
    shard.now.ms += 6'000;
    shard.post(room, kBert, "two");
    slow.slow_mode_seconds = 0;
    shard.event(Composer::room(room, kAnna, slow));
    shard.store();
    EXPECT_EQ(shard.reads.paced_at(room, kBert).value(), std::nullopt);
}

TEST(PostgresShardStore, ThePositionGoesOnWhereTheRowsEnd) {
    test::ShardFixture shard;
    EXPECT_EQ(shard.position.generation, 1u);
    EXPECT_EQ(shard.position.next_offset, 0);
    const auto room = shard.room(kAnna);
    const auto message = shard.post(room, kAnna, "one", "01-nonce");
    shard.store();
    shard.position.next_offset += 7; // all of them refused
    shard.store();
    shard.take_over();
    EXPECT_EQ(shard.position.generation, 2u);
    EXPECT_EQ(shard.position.next_offset, 9);
    EXPECT_EQ(shard.position.last_id, message);
    EXPECT_EQ(shard.reads.newest_nonce().value(), "01-nonce");
}

TEST(PostgresShardStore, WhoeverHasLostThePartitionWritesNothing) {
    test::ShardFixture shard;
    const auto room = shard.room(kAnna);
    shard.store();
    shard.post(room, kAnna, "too late");
    auto late = shard.batch();
    EXPECT_TRUE(shard.reads.owns(shard.kPartition, 1).value());
    EXPECT_EQ(shard.writes.take_over(shard.kPartition).value().generation, 2u);
    EXPECT_FALSE(shard.reads.owns(shard.kPartition, 1).value());
    EXPECT_TRUE(shard.reads.owns(shard.kPartition, 2).value());
    EXPECT_FALSE(shard.reads.owns(77, 1).value());
    EXPECT_FALSE(shard.writes.write(late).value());
    EXPECT_EQ(count(shard.target, "messages"), 0);
    EXPECT_EQ(count(shard.target, "partitions WHERE next_offset = 1"), 1);
    late.partition = 77; // nobody's
    EXPECT_FALSE(shard.writes.write(late).value());
}

TEST(PostgresShardStore, ATakeOverWaitsForTheWriteThatIsUnderWay) {
    test::ShardFixture shard;
    Connection other(shard.target);
    other.begin();
    other.query("SELECT 1 FROM partitions WHERE partition = $1 FOR UPDATE",
                Params(shard.kPartition));
    other.query("UPDATE partitions SET next_offset = 40 WHERE partition = $1",
                Params(shard.kPartition));
    std::jthread end([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        other.commit();
    });
    EXPECT_EQ(shard.reads.take_over(shard.kPartition).value().next_offset, 40);
}

TEST(PostgresShardStore, ABatchThatComesAgainChangesNothing) {
    test::ShardFixture shard;
    const auto room = shard.room(kAnna, {kBert});
    const auto message = shard.post(room, kAnna, "one");
    shard.event(Composer::edit(room, kAnna, message, "one!"));
    shard.event(Composer::member(room, kCleo, {kCleo, model::MemberAction::joined}));
    shard.event(Composer::react(room, kBert, message, "x", true));
    auto batch = shard.store();
    EXPECT_TRUE(shard.writes.write(batch).value());
    const auto more = shard.post(room, kBert, "two");
    for (auto& event : shard.batch().events) batch.events.push_back(std::move(event));
    batch.position = shard.position;
    EXPECT_TRUE(shard.writes.write(batch).value()) << "the old ones and a new one";
    EXPECT_TRUE(shard.writes.write(batch).value());
    EXPECT_EQ(count(shard.target, "messages"), 2);
    EXPECT_EQ(count(shard.target, "events"), 4);
    const auto rooms = shard.reads.rooms(std::span(&room, 1)).value();
    EXPECT_EQ(rooms.at(0).stored.room.member_count, 3u);
    EXPECT_EQ(rooms.at(0).stored.last_id, more);
}

TEST(PostgresShardStore, AnIdOrANonceOfAnotherMessageIsNoSilentLoss) {
    test::ShardFixture shard;
    const auto room = shard.room(kAnna);
    const auto message = shard.post(room, kAnna, "one", "mine");
    shard.post(room, kAnna, "two", "other");
    shard.store();
    Connection connection(shard.target);
    for (const char* change : {"UPDATE messages SET id = id + 1 WHERE nonce = 'three'",
                               "UPDATE messages SET nonce = 'four' WHERE nonce = 'three'"}) {
        shard.post(room, kAnna, "three", "three");
        const auto batch = shard.store();
        connection.script(change, std::chrono::seconds(5));
        connection.script("UPDATE partitions SET last_id = " + message.to_string(),
                          std::chrono::seconds(5));
        EXPECT_EQ(shard.writes.write(batch).error().code, Errc::internal) << change;
        connection.script("DELETE FROM messages WHERE content = 'three'", std::chrono::seconds(5));
    }
}

TEST(PostgresShardStore, ReportsHowFarEachPartitionIs) {
    test::ShardFixture shard;
    shard.room(kAnna);
    shard.store();
    shard.reads.take_over(5).value();
    Metrics metrics;
    Pool pool("shard0", shard.target, metrics, 1);
    auto found = test::await(positions(pool)).value();
    std::ranges::sort(found, {}, &StoredOffset::partition);
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_EQ(found[0].partition, shard.kPartition);
    EXPECT_EQ(found[0].next_offset, 1);
    EXPECT_EQ(found[1].next_offset, 0);
}

TEST(PostgresShardStore, LargeBatches) {
    test::ShardFixture shard;
    constexpr int kRooms = 100, kMessages = 5'000;
    std::vector<model::RoomId> rooms;
    for (int i = 0; i < kRooms; ++i) rooms.push_back(shard.room(kAnna));
    shard.store();
    using Micros = std::chrono::duration<double, std::micro>;
    Micros best(1e9);
    for (int round = 0; round < 6; ++round) {
        for (int i = 0; i < kMessages; ++i)
            shard.post(rooms[static_cast<std::size_t>(i) % kRooms], kAnna,
                       "a message of some forty bytes, as people write");
        const auto batch = shard.batch();
        const auto began = std::chrono::steady_clock::now();
        ASSERT_TRUE(shard.writes.write(batch).value());
        const Micros took = std::chrono::steady_clock::now() - began;
        best = std::min(best, took / kMessages);
        shard.partition->note_stored(batch.events);
    }
    EXPECT_EQ(count(shard.target, "messages"), 6 * kMessages);
    RecordProperty("us_per_message", std::to_string(best.count()));
    std::printf("stored in batches of 5,000: %.1f us for each message\n", best.count());
}

} // namespace
} // namespace parley::postgres
