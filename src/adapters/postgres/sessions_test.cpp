#include "tests/support/directory_fixture.hpp"

#include <gmock/gmock.h>

namespace parley::postgres {
namespace {

using test::await;
using test::await_all;
using testing::ElementsAre;

class DirectorySessions : public test::DirectoryFixture {
protected:
    static std::string hash(char c) { return std::string(31, c) + '\0'; }
    model::Time at(std::int64_t ms) { return {clock.now().ms + ms}; }
    ports::NewSession fresh(model::UserId who, std::string password_hash = {}) {
        return {.user_id = who,
                .refresh_hash = hash('a'),
                .created_at = clock.now(),
                .expires_at = at(1000),
                .password_hash = std::move(password_hash)};
    }
    auto rotate(model::SessionId id, char presented, char next) {
        return sessions().rotate_session(id, hash(presented), hash(next), clock.now(), at(5000));
    }
};

TEST_F(DirectorySessions, EachRefusalHasItsCode) {
    const auto anna = user("anna");
    const auto made = await(sessions().create_session(fresh(anna))).value();
    EXPECT_EQ(await(rotate({42}, 'a', 'b')).error().code, Errc::unauthorized);
    const auto rotated = await(rotate(made.id, 'a', 'b')).value();
    EXPECT_EQ(rotated.refresh_hash, hash('b'));
    EXPECT_EQ(rotated.expires_at, at(5000));
    EXPECT_EQ(await(rotate(made.id, 'a', 'c')).error().code, Errc::token_reused);
    EXPECT_EQ(await(rotate(made.id, 'b', 'c')).error().code, Errc::session_revoked);
    EXPECT_THAT(await(sessions().revoked_since(clock.now())).value(), ElementsAre(made.id));
    const auto other = await(sessions().create_session(fresh(anna))).value();
    clock.advance(1000);
    EXPECT_EQ(await(rotate(other.id, 'a', 'b')).error().code, Errc::unauthorized) << "expired";
    EXPECT_EQ(await(sessions().create_session(fresh(anna, "an older hash"))).error().code,
              Errc::invalid_credentials);
}

// On two nodes, many times: whoever comes second has an old token.
TEST_F(DirectorySessions, OfTwoExchangesAtOnceOneEndsTheSession) {
    const auto other = open("node b");
    for (int round = 0; round < 30; ++round) {
        const auto made = await(sessions().create_session(fresh({7}))).value();
        std::vector<Task<Result<model::Session>>> tasks;
        tasks.push_back(rotate(made.id, 'a', 'b'));
        tasks.push_back(
            other->sessions().rotate_session(made.id, hash('a'), hash('c'), clock.now(), at(5000)));
        const auto answers = await_all(std::move(tasks));
        ASSERT_NE(answers[0].has_value(), answers[1].has_value());
        EXPECT_EQ((answers[0] ? answers[1] : answers[0]).error().code, Errc::token_reused);
        EXPECT_EQ(await(rotate(made.id, 'b', 'd')).error().code, Errc::session_revoked);
    }
}

// A log-in with the old password that runs beside the change never leaves a session that works.
TEST_F(DirectorySessions, ANewPasswordEndsALogInThatIsUnderWay) {
    const auto anna = user("anna");
    std::string now = "hash of anna";
    for (int round = 0; round < 30; ++round) {
        const std::string next = "hash " + std::to_string(round);
        std::vector<Task<Result<model::Session>>> tasks;
        for (int i = 0; i < 3; ++i) tasks.push_back(sessions().create_session(fresh(anna, now)));
        const auto change = [](ports::UserStore& users, model::UserId who, std::string hash,
                               model::Time at) -> Task<Result<model::Session>> {
            PARLEY_CO_CHECK(co_await users.set_password(who, std::move(hash), {}, at));
            co_return model::Session{};
        };
        tasks.push_back(change(users(), anna, next, clock.now()));
        const auto answers = await_all(std::move(tasks));
        for (int i = 0; i < 3; ++i) {
            if (!answers[i]) {
                EXPECT_EQ(answers[i].error().code, Errc::invalid_credentials);
                continue;
            }
            EXPECT_EQ(await(rotate(answers[i]->id, 'a', 'b')).error().code, Errc::session_revoked);
        }
        now = next;
    }
}

TEST_F(DirectorySessions, ExpiredOnesGoWithLaterLogIns) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(await(sessions().create_session(fresh({7}))));
    clock.advance(1001);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(await(sessions().create_session(fresh({7}))));
    Connection database(target);
    EXPECT_EQ(database.query("SELECT count(*) FROM sessions").front().integer(0), 2);
}

} // namespace
} // namespace parley::postgres
