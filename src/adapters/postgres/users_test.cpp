#include "base/limits.hpp"
#include "tests/support/directory_fixture.hpp"

#include <gmock/gmock.h>

namespace parley::postgres {
namespace {

using model::ServerRole;
using test::await;
using test::await_all;
using testing::ElementsAre;

class DirectoryUsers : public test::DirectoryFixture {};

TEST_F(DirectoryUsers, AnEmailIsTakenBeforeAName) {
    user("anna");
    const auto code = [&](const std::string& name, const std::string& email) {
        return await(users().create_user(new_user(name, email))).error().code;
    };
    EXPECT_EQ(code("anna", "anna@example.org"), Errc::email_taken);
    EXPECT_EQ(code("anna", "other@example.org"), Errc::username_taken);
    EXPECT_EQ(code("bert", "anna@example.org"), Errc::email_taken);
    EXPECT_EQ(await(users().find_login("bert", false)).error().code, Errc::unknown_user);
    EXPECT_EQ(await(users().find_user({42})).error().code, Errc::unknown_user);
}

TEST_F(DirectoryUsers, OfManyOnTwoNodesOneGetsTheName) {
    const auto other = open("node b");
    std::vector<Task<Result<model::User>>> tasks;
    for (int i = 0; i < 40; ++i)
        tasks.push_back((i % 2 ? other->users() : users())
                            .create_user(new_user("anna", std::to_string(i) + "@example.org")));
    std::size_t made = 0;
    for (const auto& answer : await_all(std::move(tasks))) {
        if (answer)
            ++made;
        else
            EXPECT_EQ(answer.error().code, Errc::username_taken);
    }
    EXPECT_EQ(made, 1u);
}

TEST_F(DirectoryUsers, OfManyWhoTakeANewNameOneGetsIt) {
    std::vector<Task<Result<model::User>>> tasks;
    for (int i = 0; i < 20; ++i) {
        ports::UserChange change;
        change.username = change.username_key = "wanted";
        tasks.push_back(users().update_user(user("user" + std::to_string(i)), change));
    }
    std::size_t made = 0;
    for (const auto& answer : await_all(std::move(tasks))) {
        if (answer)
            ++made;
        else
            EXPECT_EQ(answer.error().code, Errc::username_taken);
    }
    EXPECT_EQ(made, 1u);
}

TEST_F(DirectoryUsers, OfTwoAdminsWhoStepDownAtOnceOneStays) {
    for (int round = 0; round < 10; ++round) {
        const auto a = user("a" + std::to_string(round)), b = user("b" + std::to_string(round));
        for (const auto each : {a, b})
            ASSERT_TRUE(
                await(users().change_standing(each, {ServerRole::admin, {}}, clock.now())));
        std::vector<Task<Result<model::User>>> tasks;
        tasks.push_back(users().change_standing(a, {ServerRole::user, {}}, clock.now()));
        tasks.push_back(users().change_standing(b, {{}, true}, clock.now()));
        const auto answers = await_all(std::move(tasks));
        ASSERT_NE(answers[0].has_value(), answers[1].has_value());
        EXPECT_EQ((answers[0] ? answers[1] : answers[0]).error().code, Errc::last_admin);
        Connection database(target);
        database.query("UPDATE users SET role = 1");
    }
}

TEST_F(DirectoryUsers, SearchGoesByTheBytesOfTheKeys) {
    user("anna");
    user("an_na");
    user("\xC3\xA4nne");
    const auto find = [&](std::string prefix) {
        std::vector<std::string> names;
        for (const auto& one : await(users().search_users(std::move(prefix), {}, 10)).value())
            names.push_back(one.username);
        return names;
    };
    EXPECT_THAT(find(""), ElementsAre("anna", "an_na", "\xC3\xA4nne"));
    EXPECT_THAT(find("an"), ElementsAre("anna", "an_na"));
    EXPECT_THAT(find("an_"), ElementsAre("an_na"));
    EXPECT_THAT(find("\xC3\xA4"), ElementsAre("\xC3\xA4nne"));
    EXPECT_THAT(find("a%"), ElementsAre());
    EXPECT_EQ(await(users().search_users("", {}, 1)).value().size(), 1u);
}

TEST_F(DirectoryUsers, ANodeSettlesItsOwnAndWhoeverIsDead) {
    const auto anna = user("anna"), bert = user("bert"), carl = user("carl");
    const auto other = open("node b");
    ASSERT_TRUE(await(users().note_presence({{100}, {anna, bert, anna}, {}})));
    ASSERT_TRUE(await(users().note_presence({{90}, {}, {{bert, {95}}, {bert, {80}}}})));
    ASSERT_TRUE(await(other->users().note_presence({{300}, {carl, bert, {4242}}, {}})));
    const auto seen = [&](model::UserId who) {
        return await(directory->user_names().names_of({who})).value()[0].last_seen_at;
    };
    EXPECT_FALSE(seen(anna));
    EXPECT_EQ(seen(bert), model::Time{95});
    EXPECT_EQ(await(users().settle_presence()).value(), 1u);
    EXPECT_EQ(await(users().settle_presence()).value(), 0u);
    EXPECT_EQ(seen(anna), model::Time{100});
    EXPECT_FALSE(seen(carl)) << "on a node of its own, which lives";
    EXPECT_EQ(await(directory->settle_node("node b")).value(), 2u);
    EXPECT_EQ(seen(carl), model::Time{300});
    EXPECT_EQ(seen(bert), model::Time{300});
    EXPECT_EQ(await(directory->settle_node("never heard of")).value(), 0u);
}

TEST_F(DirectoryUsers, MoreThanOneStepIsSettled) {
    Connection database(target);
    database.query("INSERT INTO users (id, username, username_key, email, email_key, "
                   "password_hash, created_at) SELECT i, i::text, i::text, i::text, i::text, '', 0 "
                   "FROM generate_series(1, $1::int) AS i",
                   Params(2 * limits::kPresenceStep + 1));
    database.query("INSERT INTO online_users SELECT 'node a', id FROM users");
    database.query("INSERT INTO nodes_alive VALUES ('node a', 77)");
    EXPECT_EQ(await(users().settle_presence()).value(), 2 * limits::kPresenceStep + 1);
    EXPECT_EQ(database.query("SELECT count(*) FROM users WHERE last_seen_at = 77")
                  .front()
                  .integer(0),
              static_cast<std::int64_t>(2 * limits::kPresenceStep + 1));
    EXPECT_TRUE(database.query("SELECT 1 FROM nodes_alive").empty());
}

// Both write the same users in opposite orders.
TEST_F(DirectoryUsers, NodesThatSeeTheSameUsersGoDoNotLockEachOther) {
    const auto other = open("node b");
    std::vector<ports::LastSeen> seen;
    for (int i = 0; i < 50; ++i) seen.push_back({user("u" + std::to_string(i)), {100 + i}});
    std::vector<ports::LastSeen> reversed(seen.rbegin(), seen.rend());
    std::vector<Task<Result<void>>> tasks;
    for (int i = 0; i < 40; ++i)
        tasks.push_back(i % 2 ? users().note_presence({{100 + i}, {}, seen})
                              : other->users().note_presence({{100 + i}, {}, reversed}));
    for (const auto& answer : await_all(std::move(tasks))) EXPECT_TRUE(answer.has_value());
}

TEST_F(DirectoryUsers, NamesComeInTheOrderOfTheQuestion) {
    const auto anna = user("anna"), bert = user("bert");
    const auto names = await(directory->user_names().names_of({bert, {42}, anna, bert})).value();
    ASSERT_EQ(names.size(), 4u);
    EXPECT_EQ(names[0].username, "bert");
    EXPECT_EQ(names[1].username, "");
    EXPECT_EQ(names[2].username, "anna");
    EXPECT_EQ(names[3].username, "bert");
}

} // namespace
} // namespace parley::postgres
