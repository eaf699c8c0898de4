#include "adapters/postgres/name_registry.hpp"

#include "tests/support/directory_fixture.hpp"

#include <gmock/gmock.h>

#include <set>

namespace parley::postgres {
namespace {

using test::await;
using test::await_all;

class DirectoryNames : public test::DirectoryFixture {
protected:
    ports::NameRegistry& names() { return directory->names(); }
    ports::NameRegistry::Claim claim(const std::string& key, model::RoomId room,
                                     std::int64_t ms = 100) {
        return await(names().claim_name(key, room, {ms})).value();
    }
};

TEST_F(DirectoryNames, WhoComesFirstHasIt) {
    EXPECT_EQ(claim("one", {1}).holder, model::RoomId{1});
    const auto second = claim("one", {2}, 200);
    EXPECT_EQ(second.holder, model::RoomId{1});
    EXPECT_EQ(second.claimed_at, model::Time{100});
    EXPECT_EQ(claim("one", {1}, 300).claimed_at, model::Time{300}) << "it uses the name again";
    EXPECT_EQ(claim("one", {1}, 250).claimed_at, model::Time{300});
    EXPECT_EQ(claim("two", {1}).holder, model::RoomId{1}) << "a room may have several";
}

TEST_F(DirectoryNames, NamesAreGivenBackAndTaken) {
    claim("one", {1});
    claim("two", {1});
    claim("three", {2});
    ASSERT_TRUE(await(names().release_names({1}, "two")));
    EXPECT_EQ(claim("one", {3}).holder, model::RoomId{3});
    EXPECT_EQ(claim("two", {3}).holder, model::RoomId{1});
    ASSERT_TRUE(await(names().release_names({1}, std::nullopt)));
    EXPECT_EQ(claim("two", {3}).holder, model::RoomId{3});
    EXPECT_EQ(claim("three", {3}).holder, model::RoomId{2}) << "another room's";
    EXPECT_FALSE(await(names().take_name("three", {1}, {3}, {400})).value());
    EXPECT_TRUE(await(names().take_name("three", {2}, {3}, {400})).value());
    EXPECT_FALSE(await(names().take_name("three", {2}, {4}, {400})).value());
    EXPECT_EQ(claim("three", {5}).claimed_at, model::Time{400});
    EXPECT_FALSE(await(names().take_name("nobody's", {2}, {3}, {400})).value());
}

TEST_F(DirectoryNames, OfManyAtOnceOnTwoNodesOneHasIt) {
    const auto other = open("node b");
    for (int round = 0; round < 10; ++round) {
        std::vector<Task<Result<ports::NameRegistry::Claim>>> tasks;
        for (int i = 1; i <= 16; ++i)
            tasks.push_back((i % 2 ? other->names() : names())
                                .claim_name("round " + std::to_string(round), {i}, {100}));
        std::set<std::int64_t> holders;
        for (const auto& answer : await_all(std::move(tasks)))
            holders.insert(answer.value().holder.value);
        EXPECT_EQ(holders.size(), 1u);
    }
}

// Claims and returns of one name by many: each answer names somebody, or says to try again.
TEST_F(DirectoryNames, ANameThatComesAndGoesIsNobodysTwice) {
    const auto use = [](ports::NameRegistry& names, model::RoomId room,
                        std::atomic<int>& holders) -> Task<Result<void>> {
        for (int i = 0; i < 10; ++i) {
            const auto claim = co_await names.claim_name("busy", room, {100});
            if (!claim || claim->holder != room) continue;
            EXPECT_EQ(++holders, 1);
            --holders;
            PARLEY_CO_CHECK(co_await names.release_names(room, std::nullopt));
        }
        co_return Result<void>{};
    };
    std::atomic<int> holders{0};
    std::vector<Task<Result<void>>> tasks;
    for (int i = 1; i <= 8; ++i) tasks.push_back(use(names(), {i}, holders));
    for (const auto& answer : await_all(std::move(tasks))) EXPECT_TRUE(answer.has_value());
}

TEST_F(DirectoryNames, TwoUsersHaveOneRoom) {
    EXPECT_EQ(await(names().claim_dm({7}, {3}, {1})).value(), model::RoomId{1});
    EXPECT_EQ(await(names().claim_dm({3}, {7}, {2})).value(), model::RoomId{1});
    EXPECT_EQ(await(names().claim_dm({3}, {8}, {2})).value(), model::RoomId{2});
    EXPECT_EQ(await(names().claim_dm({3}, {3}, {3})).value(), model::RoomId{3});
    ASSERT_TRUE(await(names().release_dm({1})));
    EXPECT_EQ(await(names().claim_dm({3}, {7}, {4})).value(), model::RoomId{4});
    std::vector<Task<Result<model::RoomId>>> tasks;
    for (int i = 1; i <= 16; ++i)
        tasks.push_back(i % 2 ? names().claim_dm({50}, {51}, {i})
                              : names().claim_dm({51}, {50}, {i}));
    std::set<std::int64_t> rooms;
    for (const auto& answer : await_all(std::move(tasks))) rooms.insert(answer.value().value);
    EXPECT_EQ(rooms.size(), 1u);
}

class DirectoryWords : public test::DirectoryFixture {};

TEST_F(DirectoryWords, EachChangeHasANewerRevision) {
    auto& words = directory->words();
    EXPECT_EQ(await(words.room_words({1})).value(), "");
    const auto first = await(words.set_room_words({1}, "a\nb")).value();
    const auto second = await(words.set_room_words({2}, "c")).value();
    const auto third = await(words.set_room_words({1}, "")).value();
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_EQ(await(words.room_words({2})).value(), "c");
    EXPECT_EQ(await(words.all_room_words()).value().size(), 2u) << "also what was taken away";
    std::vector<Task<Result<std::int64_t>>> tasks;
    for (int i = 1; i <= 16; ++i) tasks.push_back(words.set_room_words({i}, "x"));
    std::set<std::int64_t> revisions;
    for (const auto& answer : await_all(std::move(tasks))) revisions.insert(answer.value());
    EXPECT_EQ(revisions.size(), 16u);
    EXPECT_GT(*revisions.begin(), third);
}

} // namespace
} // namespace parley::postgres
