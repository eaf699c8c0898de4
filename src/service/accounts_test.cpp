#include "base/base64url.hpp"
#include "service/accounts.hpp"
#include "service/refresh_token.hpp"
#include "tests/support/account_fixture.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::service {
namespace {

using test::AccountHouse;
using test::run;
using By = Credentials::By;

template <class T>
Errc code_of(const Result<T>& result) {
    return result ? Errc{} : result.error().code;
}

TEST(Accounts, SigningUpSignsIn) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    EXPECT_EQ(anna.user.username, "anna");
    EXPECT_EQ(anna.user.email, "anna@example.org");
    EXPECT_EQ(anna.expires_in, std::chrono::minutes(15));
    const auto claims = house.accounts.authenticate(anna.access_token);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->user_id, anna.user.id);
    EXPECT_TRUE(house.store.sessions.contains(claims->session_id));
    EXPECT_EQ(house.store.users.at(anna.user.id).keys.password_hash, "hash of correct horse");
}

TEST(Accounts, FieldsAreCheckedBeforeAnythingIsHashed) {
    AccountHouse house;
    const auto refusal = [&](std::string username, std::string email, std::string password) {
        return code_of(run(
            house.accounts.sign_up({std::move(username), std::move(email), std::move(password)})));
    };
    EXPECT_EQ(refusal("an", "anna@example.org", "correct horse"), Errc::invalid_username);
    EXPECT_EQ(refusal("anna", "anna", "correct horse"), Errc::invalid_email);
    EXPECT_EQ(refusal("anna", "anna@example.org", "short"), Errc::invalid_password);
    EXPECT_EQ(refusal("anna", "anna@example.org", std::string(129, 'x')), Errc::invalid_password);
    EXPECT_EQ(house.hasher.hashed, 0);
    EXPECT_TRUE(house.store.users.empty());
}

TEST(Accounts, Attack8_AHugePasswordIsRefusedWithoutHashing) {
    AccountHouse house;
    const std::string huge(1 << 20, 'x');
    EXPECT_EQ(code_of(run(house.accounts.sign_up({"anna", "anna@example.org", huge}))),
              Errc::invalid_password);
    house.sign_up("bert");
    EXPECT_EQ(code_of(house.log_in("bert@example.org", huge)), Errc::invalid_credentials);
    EXPECT_EQ(code_of(house.log_in("nobody@example.org", huge)), Errc::invalid_credentials);
    EXPECT_THAT(house.hasher.verified, testing::IsEmpty());
}

TEST(Accounts, Attack9_OneNameInManySpellingsIsOneAccount) {
    AccountHouse house;
    house.sign_up("admin");
    for (const char* name :
         {"Admin", "ADMIN", "\xEF\xBD\x81\xEF\xBD\x84\xEF\xBD\x8D\xEF\xBD\x89\xEF\xBD\x8E"})
        EXPECT_EQ(
            code_of(run(house.accounts.sign_up({name, "other@example.org", "correct horse"}))),
            Errc::username_taken)
            << name;
    EXPECT_EQ(code_of(run(house.accounts.sign_up({"other", "ADMIN@Example.org", "correct horse"}))),
              Errc::email_taken);
}

TEST(Accounts, LogsInByEmailOrUsernameInAnyCase) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    for (const auto& [name, by] : {std::pair{"anna@example.org", By::email},
                                   {"Anna@Example.ORG", By::email},
                                   {"anna", By::username},
                                   {"ANNA", By::username}}) {
        const auto again = house.log_in(name, "correct horse", by);
        ASSERT_TRUE(again) << name;
        EXPECT_EQ(again->user.id, anna.user.id);
        EXPECT_NE(again->refresh_token, anna.refresh_token);
    }
    EXPECT_EQ(code_of(house.log_in("anna", "correct horse", By::email)), Errc::invalid_credentials);
}

TEST(Accounts, Attack7_EveryRefusedLogInLooksAlikeAndCostsOneCheck) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    house.store.users.at(house.sign_up("bert").user.id).user.disabled = true;
    std::vector<Error> errors;
    for (const auto& [name, password] : {std::pair{"nobody@example.org", "correct horse"},
                                         {"anna@example.org", "wrong horse"},
                                         {"bert@example.org", "correct horse"}}) {
        house.hasher.verified.clear();
        const auto refused = house.log_in(name, password);
        ASSERT_FALSE(refused) << name;
        errors.push_back(refused.error());
        EXPECT_EQ(house.hasher.verified.size(), 1u) << name;
    }
    for (const Error& error : errors) {
        EXPECT_EQ(error.code, Errc::invalid_credentials);
        EXPECT_EQ(error.detail, errors[0].detail);
    }
    EXPECT_EQ(house.store.sessions.size(), 2u) << "those of the two who signed up";
}

TEST(Accounts, Attack7_WhoIsDisabledWhileThePasswordIsCheckedIsNotLetIn) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    house.store.before_session = [&] { house.store.users.at(anna.user.id).user.disabled = true; };
    EXPECT_EQ(code_of(house.log_in("anna@example.org", "correct horse")),
              Errc::invalid_credentials);
    house.store.users.at(anna.user.id).user.disabled = false;
    house.store.before_session = [&] {
        house.store.users.at(anna.user.id).keys.password_hash = "hash of another";
    };
    EXPECT_EQ(code_of(house.log_in("anna@example.org", "correct horse")),
              Errc::invalid_credentials);
}

TEST(Accounts, AnUnknownAccountIsNotLetInByAHasherThatSaysYes) {
    AccountHouse house;
    class YesHasher final : public ports::PasswordHasher {
    public:
        Task<Result<std::string>> hash(std::string) override { co_return std::string("x"); }
        Task<Result<bool>> verify(std::string, std::string) override { co_return true; }
    } yes;
    Accounts accounts(
        {house.store, house.store, yes, house.signer, house.entropy, house.clock, house.rates},
        house.revocations, limits::kAccessTokenLife, house.log, house.metrics);
    EXPECT_EQ(code_of(run(accounts.log_in({By::email, "nobody@example.org", "correct horse"}))),
              Errc::invalid_credentials);
}

TEST(Accounts, ABusyHasherAndABrokenStoreAreToldAsSuch) {
    AccountHouse house;
    house.sign_up();
    house.hasher.failure = Error(Errc::overloaded);
    EXPECT_EQ(code_of(house.log_in("anna@example.org", "correct horse")), Errc::overloaded);
    EXPECT_EQ(code_of(run(house.accounts.sign_up({"bert", "b@example.org", "correct horse"}))),
              Errc::overloaded);
    house.hasher.failure.reset();
    house.store.failure = Error(Errc::unavailable);
    EXPECT_EQ(code_of(house.log_in("anna@example.org", "correct horse")), Errc::unavailable);
}

TEST(Accounts, ARefreshTokenGivesANewPairOnce) {
    AccountHouse house;
    const SignedIn first = house.sign_up();
    house.clock.advance(std::chrono::minutes(20));
    EXPECT_EQ(code_of(house.accounts.authenticate(first.access_token)), Errc::token_expired);
    const auto second = run(house.accounts.refresh(first.refresh_token));
    ASSERT_TRUE(second);
    EXPECT_EQ(second->user.username, "anna");
    EXPECT_TRUE(house.accounts.authenticate(second->access_token));
    EXPECT_NE(second->refresh_token, first.refresh_token);
    EXPECT_TRUE(run(house.accounts.refresh(second->refresh_token)));
}

TEST(Accounts, ASecondUseEndsTheWholeSessionEverywhere) {
    AccountHouse house;
    std::vector<model::SessionId> told;
    house.revocations.listen([&](model::SessionId s) { told.push_back(s); });
    const SignedIn first = house.sign_up();
    const auto second = run(house.accounts.refresh(first.refresh_token));
    ASSERT_TRUE(second);
    EXPECT_EQ(code_of(run(house.accounts.refresh(first.refresh_token))), Errc::token_reused);
    EXPECT_EQ(told.size(), 1u);
    EXPECT_EQ(code_of(house.accounts.authenticate(second->access_token)), Errc::session_revoked);
    EXPECT_EQ(code_of(run(house.accounts.refresh(second->refresh_token))), Errc::session_revoked);
    EXPECT_EQ(code_of(run(house.accounts.refresh(first.refresh_token))), Errc::session_revoked);
    EXPECT_TRUE(house.log_in("anna@example.org", "correct horse")) << "other sessions go on";
}

TEST(Accounts, ARefreshTokenExpires) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    house.clock.advance(limits::kRefreshTokenLife);
    EXPECT_EQ(code_of(run(house.accounts.refresh(anna.refresh_token))), Errc::unauthorized);
}

TEST(Accounts, AMadeUpRefreshTokenNeverReachesTheStoreAndEndsNoSession) {
    AccountHouse house;
    const SignedIn anna = house.sign_up(), bert = house.sign_up("bert");
    const auto id = [](const SignedIn& who) {
        return who.refresh_token.substr(0, who.refresh_token.find('.'));
    };
    const auto secret = [](const SignedIn& who) {
        return who.refresh_token.substr(who.refresh_token.find('.') + 1);
    };
    const std::string token = anna.refresh_token;
    std::vector<std::string> forged{"",
                                    ".",
                                    "1",
                                    id(anna) + ".",
                                    id(anna) + "." + std::string(43, 'A'),
                                    id(anna) + "." + secret(bert),
                                    id(bert) + "." + secret(anna),
                                    "0" + token,
                                    "-" + token,
                                    "+" + token,
                                    " " + token,
                                    token + "=",
                                    token + ".",
                                    token + "A",
                                    anna.access_token,
                                    "0." + secret(anna),
                                    std::string(1 << 20, '.')};
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == '1' ? '2' : '1';
        forged.push_back(changed);
    }
    for (const std::string& text : forged)
        EXPECT_EQ(code_of(run(house.accounts.refresh(text))), Errc::unauthorized)
            << text.substr(0, 80);
    EXPECT_EQ(house.store.rotations, 0);
    EXPECT_TRUE(run(house.accounts.refresh(anna.refresh_token)));
    EXPECT_TRUE(run(house.accounts.refresh(bert.refresh_token)));
}

TEST(Accounts, TheStoreNeverSeesARefreshToken) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    const auto token = decode_refresh_token(anna.refresh_token, house.signer);
    ASSERT_TRUE(token);
    const std::string& stored = house.store.sessions.at(token->session_id).refresh_hash;
    EXPECT_EQ(stored, house.signer.digest(token->random));
    EXPECT_EQ(stored.find(token->random), std::string::npos);
    EXPECT_EQ(anna.refresh_token.size() - anna.refresh_token.find('.') - 1, 43u);
}

TEST(Accounts, LoggingOutEndsBothTokensAndIsTold) {
    AccountHouse house;
    std::vector<model::SessionId> told;
    house.revocations.listen([&](model::SessionId s) { told.push_back(s); });
    const SignedIn anna = house.sign_up();
    const auto session = house.accounts.authenticate(anna.access_token)->session_id;
    EXPECT_TRUE(run(house.accounts.log_out(session)));
    EXPECT_EQ(code_of(house.accounts.authenticate(anna.access_token)), Errc::session_revoked);
    EXPECT_EQ(code_of(run(house.accounts.refresh(anna.refresh_token))), Errc::session_revoked);
    EXPECT_EQ(told, std::vector{session});
}

TEST(Accounts, ALogOutThatIsNotStoredIsNotToldEither) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    const auto session = house.accounts.authenticate(anna.access_token)->session_id;
    house.store.failure = Error(Errc::unavailable);
    EXPECT_EQ(code_of(run(house.accounts.log_out(session))), Errc::unavailable);
    EXPECT_TRUE(house.accounts.authenticate(anna.access_token));
}

TEST(Accounts, ADisabledUserCannotRefresh) {
    AccountHouse house;
    const SignedIn anna = house.sign_up();
    house.store.users.at(anna.user.id).user.disabled = true;
    EXPECT_EQ(code_of(run(house.accounts.refresh(anna.refresh_token))), Errc::session_revoked);
    EXPECT_EQ(code_of(house.accounts.authenticate(anna.access_token)), Errc::session_revoked);
}

TEST(Accounts, TheProfileChangesFieldByField) {
    AccountHouse house;
    const model::UserId anna = house.sign_up().user.id;
    house.sign_up("bert");
    const auto change = [&](ProfileChange wanted) {
        return run(house.accounts.change_profile(anna, std::move(wanted)));
    };
    EXPECT_EQ(change({std::nullopt, "  Anna B. "})->display_name, "Anna B.");
    EXPECT_EQ(change({"annab", std::nullopt})->display_name, "Anna B.");
    EXPECT_EQ(change({"annab", std::nullopt})->username, "annab");
    EXPECT_EQ(change({})->username, "annab");
    EXPECT_EQ(change({std::nullopt, ""})->display_name, "");
    EXPECT_EQ(code_of(change({"BERT", std::nullopt})), Errc::username_taken);
    EXPECT_EQ(code_of(change({"b", std::nullopt})), Errc::invalid_username);
    EXPECT_EQ(code_of(change({std::nullopt, std::string(51, 'x')})), Errc::too_long);
    EXPECT_EQ(run(house.accounts.profile(anna))->username, "annab");
}

TEST(Accounts, AUserWhoIsGoneIsNotAuthorized) {
    AccountHouse house;
    EXPECT_EQ(code_of(run(house.accounts.profile(model::UserId{5}))), Errc::unauthorized);
    EXPECT_EQ(code_of(run(house.accounts.change_profile(model::UserId{5}, {"anna", {}}))),
              Errc::unauthorized);
}

// --- limits

TEST(Accounts, TheTwentiethWrongPasswordIsRefusedByTheNameAlone) {
    AccountHouse house;
    house.sign_up();
    for (const char* name : {"anna@example.org", "nobody@example.org"}) {
        for (int i = 0; i < 19; ++i)
            EXPECT_EQ(code_of(house.log_in(name, "wrong password")), Errc::invalid_credentials);
        const auto before = house.hasher.verified.size();
        const auto refused = house.log_in(name, "correct horse");
        ASSERT_EQ(code_of(refused), Errc::rate_limited);
        EXPECT_GT(*refused.error().retry_after, std::chrono::seconds(0));
        EXPECT_EQ(house.hasher.verified.size(), before) << "it costs no hash";
    }
    EXPECT_EQ(code_of(house.log_in("ANNA@example.org", "correct horse")), Errc::rate_limited);
    house.clock.advance(std::chrono::minutes(1));
    EXPECT_TRUE(house.log_in("anna@example.org", "correct horse"));
}

TEST(Accounts, ARightPasswordStartsTheCountAnewAndABusyServerCostsNothing) {
    AccountHouse house;
    house.sign_up();
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 18; ++i) house.log_in("anna@example.org", "wrong password");
        EXPECT_TRUE(house.log_in("anna@example.org", "correct horse"));
    }
    house.hasher.failure = Error(Errc::overloaded);
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(code_of(house.log_in("anna@example.org", "wrong password")), Errc::overloaded);
}

} // namespace
} // namespace parley::service
