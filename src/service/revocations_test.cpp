#include "service/revocations.hpp"
#include "tests/support/account_fixture.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace parley::service {
namespace {

using model::SessionId;

TEST(Revocations, ARevokedSessionIsKnownAndToldOnce) {
    Metrics metrics;
    test::StillClock clock;
    Revocations revocations(clock, metrics);
    std::vector<SessionId> first, second;
    revocations.listen([&](SessionId s) { first.push_back(s); });
    revocations.listen([&](SessionId s) { second.push_back(s); });
    EXPECT_FALSE(revocations.is_revoked(SessionId{7}));
    revocations.revoke(SessionId{7});
    revocations.revoke(SessionId{7});
    EXPECT_TRUE(revocations.is_revoked(SessionId{7}));
    EXPECT_FALSE(revocations.is_revoked(SessionId{8}));
    EXPECT_EQ(first, std::vector{SessionId{7}});
    EXPECT_EQ(second, first);
}

TEST(Revocations, ASessionIsKeptUntilItsTokensHaveExpired) {
    Metrics metrics;
    test::StillClock clock;
    Revocations revocations(clock, metrics);
    revocations.revoke(SessionId{1});
    clock.advance(limits::kAccessTokenLife);
    revocations.revoke(SessionId{2});
    EXPECT_TRUE(revocations.is_revoked(SessionId{1}));
    clock.advance(limits::kClockLeeway);
    revocations.revoke(SessionId{3});
    EXPECT_FALSE(revocations.is_revoked(SessionId{1}));
    EXPECT_EQ(revocations.size(), 2u);
}

TEST(Revocations, ARestartTakesInWhatWasRevokedBeforeAndTellsNobody) {
    test::AccountHouse house;
    const auto old = house.sign_up("anna"), recent = house.sign_up("bert"),
               live = house.sign_up("cleo");
    const auto session = [&](const SignedIn& who) {
        return house.signer.verify(who.access_token, house.clock.now())->session_id;
    };
    const SessionId old_id = session(old), recent_id = session(recent), live_id = session(live);
    ASSERT_TRUE(test::run(house.accounts.log_out(old_id)));
    house.clock.advance(limits::kAccessTokenLife + limits::kClockLeeway + std::chrono::seconds(1));
    ASSERT_TRUE(test::run(house.accounts.log_out(recent_id)));

    Revocations after_restart(house.clock, house.metrics);
    int told = 0;
    after_restart.listen([&](SessionId) { ++told; });
    ASSERT_TRUE(test::run(after_restart.load(house.store)));
    EXPECT_TRUE(after_restart.is_revoked(recent_id));
    EXPECT_FALSE(after_restart.is_revoked(live_id));
    EXPECT_FALSE(after_restart.is_revoked(old_id)) << "its tokens have expired";
    EXPECT_EQ(told, 0);

    house.store.failure = Error(Errc::unavailable);
    EXPECT_EQ(test::run(after_restart.load(house.store)).error().code, Errc::unavailable);
}

TEST(Revocations, ALookFindsWhatAnotherProcessHasRevokedAndTellsOnce) {
    test::AccountHouse house;
    std::vector<SessionId> told;
    house.revocations.listen([&](SessionId session) { told.push_back(session); });
    const auto anna = house.sign_up("anna");
    const auto session = house.signer.verify(anna.access_token, house.clock.now())->session_id;
    ASSERT_TRUE(test::run(house.revocations.look(house.store)));
    EXPECT_TRUE(told.empty());
    house.clock.advance(std::chrono::seconds(-3)); // its clock was read before the last look
    ASSERT_TRUE(test::run(house.store.revoke_sessions_of(anna.user.id, {}, house.clock.now())));
    house.clock.advance(std::chrono::seconds(4));
    ASSERT_TRUE(test::run(house.revocations.look(house.store)));
    ASSERT_TRUE(test::run(house.revocations.look(house.store)));
    EXPECT_EQ(told, std::vector{session});
    EXPECT_EQ(house.accounts.authenticate(anna.access_token).error().code, Errc::session_revoked);
    house.store.failure = Error(Errc::unavailable);
    EXPECT_FALSE(test::run(house.revocations.look(house.store)));
}

TEST(Revocations, TheNumberKeptIsBounded) {
    Metrics metrics;
    test::StillClock clock;
    Revocations revocations(clock, metrics);
    for (std::size_t i = 1; i <= limits::kRevokedSessions + 5; ++i)
        revocations.revoke(SessionId{static_cast<std::int64_t>(i)});
    EXPECT_EQ(revocations.size(), limits::kRevokedSessions);
    EXPECT_FALSE(revocations.is_revoked(SessionId{5}));
    EXPECT_TRUE(revocations.is_revoked(SessionId{6}));
    EXPECT_EQ(metrics.counter("parley_revocations_forgotten_total", "").value(), 5u);
}

TEST(Revocations, ManyThreadsMayRevokeAndAsk) {
    Metrics metrics;
    test::StillClock clock;
    Revocations revocations(clock, metrics);
    std::atomic<int> told{0};
    revocations.listen([&](SessionId) { ++told; });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (std::int64_t i = 1; i <= 500; ++i) {
                revocations.revoke(SessionId{i});
                EXPECT_TRUE(revocations.is_revoked(SessionId{i}));
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(told, 500);
}

} // namespace
} // namespace parley::service
