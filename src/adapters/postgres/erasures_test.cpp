#include "adapters/postgres/erasures.hpp"

#include "adapters/postgres/migrations.hpp"
#include "base/limits.hpp"
#include "tests/support/directory_fixture.hpp"

#include <gmock/gmock.h>

#include <map>

namespace parley::postgres {
namespace {

using model::MessageId;
using model::RoomId;
using model::UserId;
using test::await;
using test::await_all;
using testing::ElementsAre;
using testing::IsEmpty;

// Two shards; rooms with an odd id are in the second.
class DirectoryErasures : public test::DirectoryFixture {
protected:
    DirectoryErasures() {
        for (int i = 0; i < 2; ++i) {
            const std::string shard = test::PostgresServer::instance().make_database("shard");
            rows.push_back(std::make_unique<Connection>(shard));
            migrate(*rows[i], kShardSteps);
            pools.push_back(std::make_unique<Pool>("shard" + std::to_string(i), shard, metrics));
        }
        pool = std::make_unique<Pool>("directory", target, metrics);
        store = std::make_unique<Erasures>(
            *pool, std::vector<Pool*>{pools[0].get(), pools[1].get()},
            [](RoomId room) { return static_cast<std::size_t>(room.value % 2); });
        anna = user("anna");
        bert = user("bert");
        carl = user("carl");
    }

    Connection& of(RoomId room) { return *rows[static_cast<std::size_t>(room.value % 2)]; }
    void room(RoomId id, int members, int owners, bool deleted = false) {
        of(id).query("INSERT INTO rooms (id, bucket, kind, visibility, name, name_key, topic, "
                     "topic_key, created_at, member_count, owner_count, deleted) VALUES "
                     "($1, 0, 1, 1, 'name', 'name', 'topic', 'topic', 0, $2, $3, $4)",
                     Params(id, members, owners, deleted ? 1 : 0));
    }
    void member(RoomId room, UserId who, model::Role role, std::int64_t joined_at = 0) {
        of(room).query("INSERT INTO members VALUES ($1, $2, $3, $4)",
                       Params(room, who, role, joined_at));
    }
    void message(RoomId room, UserId who, std::int64_t id) {
        of(room).query("INSERT INTO messages (id, room_id, prev_id, user_id, created_at, type, "
                       "content, deleted, nonce, body_hash) VALUES ($1, $2, 0, $3, 0, 1, 'secret', "
                       "0, 'n' || $1::text, 7)",
                       Params(id, room, who));
    }
    void event(RoomId room, UserId who, std::int64_t id, int kind, std::string_view text) {
        of(room).query("INSERT INTO events VALUES ($1, $2, 0, $3, 0, $4, 0, 0, 1, $5, 'topic')",
                       Params(room, id, who, kind, text));
    }
    void reaction(RoomId room, UserId who, std::int64_t message, std::string_view emoji) {
        of(room).query("INSERT INTO reactions VALUES ($1, $2, $3, $4, 1)",
                       Params(room, message, emoji, who));
    }
    std::int64_t count(const char* sql) {
        return rows[0]->query(sql).front().integer(0) + rows[1]->query(sql).front().integer(0);
    }
    ports::Erasure ask(UserId who) {
        return await(store->request_erasure(who, clock.now())).value();
    }

    std::vector<std::unique_ptr<Connection>> rows;
    std::vector<std::unique_ptr<Pool>> pools;
    std::unique_ptr<Pool> pool;
    std::unique_ptr<Erasures> store;
    UserId anna, bert, carl;
};

TEST_F(DirectoryErasures, AskingEndsTheSessionsAndIsRemembered) {
    const auto session = await(sessions().create_session({.user_id = anna,
                                                          .refresh_hash = "h",
                                                          .created_at = clock.now(),
                                                          .expires_at = {clock.now().ms + 1}}))
                             .value();
    EXPECT_FALSE(await(store->next_erasure()).value());
    EXPECT_EQ(await(store->find_erasure(anna)).error().code, Errc::unknown_user);
    EXPECT_EQ(await(store->request_erasure({42}, clock.now())).error().code, Errc::unknown_user);
    std::vector<Task<Result<ports::Erasure>>> tasks;
    for (int i = 0; i < 4; ++i)
        tasks.push_back(store->request_erasure(anna, {clock.now().ms + i}));
    const auto answers = await_all(std::move(tasks));
    for (const auto& answer : answers) {
        EXPECT_EQ(answer.value().requested_at, answers[0].value().requested_at);
        EXPECT_EQ(answer.value().sessions, 1u);
    }
    EXPECT_THAT(await(sessions().revoked_since(clock.now())).value(), ElementsAre(session.id));
    EXPECT_EQ(await(store->next_erasure()).value()->user_id, anna);
    EXPECT_EQ(await(users().change_standing(anna, {{}, false}, clock.now())).error().code,
              Errc::forbidden);
    ASSERT_TRUE(
        await(users().change_standing(bert, {model::ServerRole::admin, {}}, clock.now())));
    EXPECT_EQ(await(store->request_erasure(bert, clock.now())).error().code, Errc::last_admin);
    EXPECT_EQ(await(store->find_erasure(bert)).error().code, Errc::unknown_user);
}

TEST_F(DirectoryErasures, MembershipsOfAllShardsHaveSuccessors) {
    using model::Role;
    room({2}, 1, 1); // alone
    member({2}, anna, Role::owner);
    room({3}, 4, 1); // bert has been in it longest, but is disabled
    member({3}, anna, Role::owner);
    member({3}, bert, Role::member, 1);
    member({3}, carl, Role::member, 2);
    member({3}, {4242}, Role::admin, 0); // nobody
    room({4}, 2, 1); // bert's
    member({4}, anna, Role::member);
    member({4}, bert, Role::owner);
    room({5}, 2, 1); // only one who is disabled is left
    member({5}, anna, Role::owner);
    member({5}, bert, Role::member);
    ASSERT_TRUE(await(users().change_standing(bert, {{}, true}, clock.now())));
    const auto found = await(store->memberships_of(anna, 10)).value();
    ASSERT_EQ(found.size(), 4u);
    for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_EQ(found[i].room_id.value, static_cast<std::int64_t>(i + 2)) << "by id";
    EXPECT_TRUE(found[0].alone);
    EXPECT_FALSE(found[0].successor);
    EXPECT_EQ(found[1].successor, carl);
    EXPECT_FALSE(found[2].successor);
    EXPECT_FALSE(found[2].alone);
    EXPECT_EQ(found[3].successor, bert);
    EXPECT_EQ(await(store->memberships_of(anna, 3)).value().size(), 3u);
}

TEST_F(DirectoryErasures, OneCursorWalksAllShards) {
    std::vector<std::int64_t> hers;
    for (std::int64_t id = 1; id <= 200; ++id) {
        // The first shard has the lower half, and a few more above.
        const RoomId room{id <= 100 || id % 10 == 0 ? 2 : 3};
        message(room, id % 3 == 0 ? anna : bert, id);
        if (id % 3 == 0) hers.push_back(id);
    }
    for (const std::size_t step : {1u, 7u, 1'000u}) {
        std::vector<std::int64_t> seen;
        MessageId at{0};
        bool at_end = false;
        for (int calls = 0; !at_end && calls < 200; ++calls) {
            const auto found = await(store->messages_of(anna, at, step)).value();
            EXPECT_LE(found.messages.size(), step);
            EXPECT_GE(found.scanned, at);
            for (const auto& [room, id] : found.messages) {
                EXPECT_LE(id, found.scanned);
                EXPECT_EQ(room.value, id.value <= 100 || id.value % 10 == 0 ? 2 : 3);
                seen.push_back(id.value);
            }
            at = found.scanned;
            at_end = found.at_end;
        }
        EXPECT_EQ(seen, hers) << step;
    }
    EXPECT_EQ(await(store->messages_of(anna, {0}, 1'000)).value().scanned, MessageId{200});
}

TEST_F(DirectoryErasures, ASliceThatEndsFirstBoundsTheOthers) {
    const auto pair = [](std::int64_t id) { return std::pair(RoomId{1}, MessageId{id}); };
    const ShardSlice full{{pair(10), pair(30)}, {50}, false};
    const ShardSlice done{{pair(20), pair(60)}, {90}, true};
    auto merged = merge_slices({full, done}, {5}, 100);
    EXPECT_THAT(merged.messages, ElementsAre(pair(10), pair(20), pair(30)));
    EXPECT_EQ(merged.scanned, MessageId{50});
    EXPECT_FALSE(merged.at_end);
    merged = merge_slices({full, done}, {5}, 2);
    EXPECT_THAT(merged.messages, ElementsAre(pair(10), pair(20)));
    EXPECT_EQ(merged.scanned, MessageId{20});
    merged = merge_slices({done, ShardSlice{{}, {5}, true}}, {5}, 100);
    EXPECT_EQ(merged.scanned, MessageId{90});
    EXPECT_TRUE(merged.at_end);
    merged = merge_slices({}, {5}, 100);
    EXPECT_EQ(merged.scanned, MessageId{5});
}

TEST_F(DirectoryErasures, MessagesAndReactionsAreBlankedEverywhere) {
    room({2}, 2, 1);
    room({3}, 2, 1);
    message({2}, anna, 10);
    message({3}, anna, 11);
    message({3}, bert, 12);
    event({2}, anna, 20, 4, "secret");
    event({3}, anna, 21, 4, "secret");
    event({3}, bert, 22, 4, "open");
    reaction({2}, anna, 10, "secret");
    reaction({3}, anna, 12, "secret");
    reaction({3}, bert, 12, "open");
    ask(anna);
    ASSERT_TRUE(await(store->blank_messages(anna, {{10}, {11}, {12}}, {12})));
    EXPECT_EQ(count("SELECT count(*) FROM messages WHERE content = '' AND deleted = 1 AND "
                    "nonce = '' AND body_hash = 0"),
              2);
    EXPECT_THAT(await(store->messages_of(anna, {0}, 10)).value().messages, IsEmpty());
    EXPECT_EQ(await(store->find_erasure(anna)).value().scanned, MessageId{12});
    const auto reactions = await(store->reactions_of(anna, 10)).value();
    EXPECT_EQ(reactions.size(), 2u);
    EXPECT_EQ(await(store->reactions_of(anna, 1)).value().size(), 1u);
    EXPECT_FALSE(await(store->blank_reactions(anna, reactions)).value());
    EXPECT_TRUE(await(store->blank_reactions(anna, {})).value());
    EXPECT_EQ(count("SELECT count(*) FROM reactions"), 1);
    EXPECT_EQ(count("SELECT count(*) FROM events WHERE text = 'secret'"), 0);
    EXPECT_EQ(count("SELECT count(*) FROM events WHERE text = 'open'"), 1);
    EXPECT_EQ(await(store->find_erasure(anna)).value().reactions, 2u);
}

TEST_F(DirectoryErasures, ADeletedRoomHasNoNameAndNoClaim) {
    room({2}, 0, 0, true);
    room({3}, 1, 1);
    event({2}, anna, 10, 6, "name");
    auto& names = directory->names();
    ASSERT_TRUE(await(names.claim_name("name", {2}, clock.now())));
    ASSERT_TRUE(await(names.claim_name("other", {3}, clock.now())));
    ask(anna);
    ASSERT_TRUE(await(store->blank_room(anna, {2})));
    ASSERT_TRUE(await(store->blank_room(anna, {3}))) << "not deleted: nothing happens";
    ASSERT_TRUE(await(store->count_left_room(anna)));
    EXPECT_EQ(await(store->find_erasure(anna)).value().rooms, 2u);
    EXPECT_EQ(count("SELECT count(*) FROM rooms WHERE name = '' AND topic_key = ''"), 1);
    EXPECT_EQ(count("SELECT count(*) FROM events WHERE text <> ''"), 0);
    EXPECT_EQ(await(names.claim_name("name", {9}, clock.now())).value().holder, RoomId{9});
    EXPECT_EQ(await(names.claim_name("other", {9}, clock.now())).value().holder, RoomId{3});
}

TEST_F(DirectoryErasures, AtItsEndTheAccountHasNoName) {
    room({2}, 0, 0, true); // deleted by her, and a crash came before its name was blanked
    event({2}, anna, 10, 6, "name");
    for (std::int64_t i = 2; i <= 3; ++i) {
        of({i}).query("INSERT INTO held_messages (id, room_id, user_id, nonce, type, content, "
                      "body_hash, words, state, created_at) VALUES ($1, $1, $2, 'n', 1, 'secret', "
                      "0, '', 1, 0)",
                      Params(i, anna));
        of({i}).query("INSERT INTO read_marks VALUES ($1, $2, 1)", Params(anna, i));
    }
    ask(anna);
    ask(carl);
    clock.advance(5);
    const auto done = await(store->finish_erasure(anna, clock.now())).value();
    EXPECT_EQ(done.done_at, clock.now());
    EXPECT_EQ(done.held, 2u);
    EXPECT_EQ(count("SELECT (SELECT count(*) FROM held_messages) + (SELECT count(*) FROM "
                    "read_marks) + (SELECT count(*) FROM rooms WHERE name <> '')"),
              0);
    const auto left = await(users().find_user(anna)).value();
    EXPECT_EQ(left.username, "deleted-" + anna.to_string());
    EXPECT_EQ(left.email, "");
    EXPECT_TRUE(left.disabled);
    EXPECT_EQ(await(users().find_login("anna", false)).error().code, Errc::unknown_user);
    EXPECT_EQ(await(users().find_login("anna@example.org", true)).error().code,
              Errc::unknown_user);
    EXPECT_EQ(await(store->next_erasure()).value()->user_id, carl);
    user("anna"); // the name is free
}

} // namespace
} // namespace parley::postgres
