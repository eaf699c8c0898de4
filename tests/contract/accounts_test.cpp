// What every ports::UserStore and ports::SessionStore must do.
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <algorithm>
#include <gmock/gmock.h>

namespace parley::contract {
namespace {

using testing::ElementsAre;

ports::NewUser new_user(const std::string& name, const std::string& email) {
    std::string key = name;
    std::ranges::transform(key, key.begin(), [](unsigned char c) { return std::tolower(c); });
    return {.username = name,
            .username_key = key,
            .email = email,
            .email_key = email,
            .password_hash = "hash of " + name};
}

class UserStoreContract : public SuiteOnEachBackend {
protected:
    ports::UserStore& users() { return backend->users(); }
    model::User create(const std::string& name, const std::string& email) {
        return await(users().create_user(new_user(name, email))).value();
    }
};

TEST_P(UserStoreContract, AUserIsFoundByIdNameAndEmail) {
    const auto made = create("Alice", "alice@example.org");
    EXPECT_TRUE(made.id);
    EXPECT_EQ(made.created_at, clock.now());
    const auto found = await(users().find_user(made.id)).value();
    EXPECT_EQ(found.username, "Alice");
    EXPECT_EQ(found.email, "alice@example.org");
    EXPECT_EQ(found.display_name, "");
    EXPECT_FALSE(found.avatar_media_id);
    EXPECT_FALSE(found.disabled);
    EXPECT_EQ(found.created_at, made.created_at);
    const auto by_email = await(users().find_login("alice@example.org", true)).value();
    EXPECT_EQ(by_email.user.id, made.id);
    EXPECT_EQ(by_email.password_hash, "hash of Alice");
    EXPECT_EQ(await(users().find_login("alice", false)).value().user.id, made.id);
}

TEST_P(UserStoreContract, WhoWasOnlineInACrashWasLastSeenWhenTheProcessWas) {
    const auto ann = world->user("ann"), bob = world->user("bob"), eve = world->user("eve"),
               dan = world->user("dan");
    const auto room = world->room(ann, "room one", {bob, eve, dan});
    const auto note = [&](ports::PresenceNote what) {
        ASSERT_TRUE(await(users().note_presence(std::move(what))));
    };
    note({{100}, {ann, bob, eve, ann}, {}});
    note({{200}, {}, {{bob, {150}}, {dan, {160}}, {{4242}, {170}}}});
    note({{190}, {}, {{eve, {180}}, {dan, {140}}}}); // from another core, a little older
    note({{195}, {eve}, {}});
    world.reset();
    backend->reopen();
    world = std::make_unique<World>(*backend, clock);
    world->start();
    EXPECT_EQ(await(users().settle_presence()).value(), 2u);
    EXPECT_EQ(await(users().settle_presence()).value(), 0u);
    const auto members = await(backend->rooms().members(room, {}, 10)).value();
    ASSERT_EQ(members.size(), 4u);
    EXPECT_EQ(members[0].last_seen_at, model::Time{200}) << "ann, online at the end";
    EXPECT_EQ(members[1].last_seen_at, model::Time{150}) << "bob, who left";
    EXPECT_EQ(members[2].last_seen_at, model::Time{200}) << "eve, who came back";
    EXPECT_EQ(members[3].last_seen_at, model::Time{160}) << "dan: never back in time";
}

TEST_P(UserStoreContract, NobodyIsFoundByAnotherKey) {
    const auto made = create("Alice", "alice@example.org");
    const auto code = [&](std::string key, bool by_email) {
        return await(users().find_login(std::move(key), by_email)).error().code;
    };
    EXPECT_EQ(code("alice", true), Errc::unknown_user);
    EXPECT_EQ(code("alice@example.org", false), Errc::unknown_user);
    EXPECT_EQ(code("", true), Errc::unknown_user);
    EXPECT_EQ(code("Alice", false), Errc::unknown_user) << "keys come folded";
    EXPECT_EQ(await(users().find_user({made.id.value + 77})).error().code, Errc::unknown_user);
}

TEST_P(UserStoreContract, NamesAndEmailsAreUniqueByKey) {
    create("Alice", "alice@example.org");
    const auto code = [&](const std::string& name, const std::string& email) {
        return await(users().create_user(new_user(name, email))).error().code;
    };
    EXPECT_EQ(code("ALICE", "other@example.org"), Errc::username_taken);
    EXPECT_EQ(code("bob", "alice@example.org"), Errc::email_taken);
    EXPECT_EQ(await(users().find_login("bob", false)).error().code, Errc::unknown_user)
        << "a refused sign-up leaves nothing";
    create("bob", "bob@example.org");
}

TEST_P(UserStoreContract, OneOfManyWhoSignUpWithTheSameNameAtOnceGetsIt) {
    std::vector<Task<Result<model::User>>> tasks;
    for (int i = 0; i < 8; ++i)
        tasks.push_back(users().create_user(new_user("alice", std::to_string(i) + "@example.org")));
    std::size_t made = 0;
    for (const auto& answer : await_all(std::move(tasks))) {
        if (answer)
            ++made;
        else
            EXPECT_EQ(answer.error().code, Errc::username_taken);
    }
    EXPECT_EQ(made, 1u);
}

TEST_P(UserStoreContract, ManyAtOnceGetIdsOfTheirOwn) {
    std::vector<Task<Result<model::User>>> tasks;
    for (int i = 0; i < 50; ++i) {
        const std::string name = "user" + std::to_string(i);
        tasks.push_back(users().create_user(new_user(name, name + "@example.org")));
    }
    std::vector<model::UserId> ids;
    for (const auto& answer : await_all(std::move(tasks))) ids.push_back(answer.value().id);
    std::ranges::sort(ids);
    EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

TEST_P(UserStoreContract, AChangeTouchesOnlyWhatItNames) {
    const auto made = create("Alice", "alice@example.org");
    ports::UserChange change;
    change.display_name = "Alice A.";
    const auto named = await(users().update_user(made.id, change)).value();
    EXPECT_EQ(named.display_name, "Alice A.");
    EXPECT_EQ(named.username, "Alice");
    change = {};
    change.avatar_media_id = model::MediaId{99};
    ASSERT_TRUE(await(users().update_user(made.id, change)));
    const auto found = await(users().find_user(made.id)).value();
    EXPECT_EQ(found.display_name, "Alice A.");
    EXPECT_EQ(found.avatar_media_id, model::MediaId{99});
    EXPECT_EQ(await(users().find_login("alice", false)).value().user.id, made.id);
    EXPECT_EQ(await(users().update_user({42}, change)).error().code, Errc::unknown_user);
}

TEST_P(UserStoreContract, ANewNameFreesTheOldOne) {
    const auto alice = create("Alice", "alice@example.org");
    const auto bob = create("bob", "bob@example.org");
    ports::UserChange change;
    change.username = "BOB";
    change.username_key = "bob";
    EXPECT_EQ(await(users().update_user(alice.id, change)).error().code, Errc::username_taken);
    EXPECT_EQ(await(users().find_user(alice.id)).value().username, "Alice");
    EXPECT_EQ(await(users().update_user(bob.id, change)).value().username, "BOB")
        << "one's own key is not taken";
    change.username = "carol";
    change.username_key = "carol";
    ASSERT_TRUE(await(users().update_user(bob.id, change)));
    EXPECT_EQ(await(users().find_login("bob", false)).error().code, Errc::unknown_user);
    create("bob", "bob2@example.org");
}

TEST_P(UserStoreContract, AUserSurvivesARestart) {
    const auto made = create("Alice", "alice@example.org");
    world.reset();
    backend->reopen();
    world = std::make_unique<World>(*backend, clock);
    world->start();
    EXPECT_EQ(await(users().find_user(made.id)).value().username, "Alice");
    clock.advance(-3'600'000);
    EXPECT_GT(create("bob", "bob@example.org").id, made.id) << "ids never go back";
}

std::vector<std::string> names_of(const std::vector<model::User>& users) {
    std::vector<std::string> names;
    for (const auto& user : users) names.push_back(user.username);
    return names;
}

TEST_P(UserStoreContract, UsersAreFoundByTheBeginningOfNameOrEmail) {
    const auto anna = create("Anna", "first@example.org");
    create("bert", "annabert@example.org");
    const auto carl = create("carl", "carl@example.org");
    create("an_na", "x@example.org");
    const auto find = [&](std::string prefix, model::UserId after = {}, std::size_t limit = 10) {
        return names_of(await(users().search_users(std::move(prefix), after, limit)).value());
    };
    EXPECT_THAT(find(""), ElementsAre("Anna", "bert", "carl", "an_na"));
    EXPECT_THAT(find("", {}, 2), ElementsAre("Anna", "bert"));
    EXPECT_THAT(find("", carl.id), ElementsAre("an_na"));
    EXPECT_THAT(find("anna"), ElementsAre("Anna", "bert"));
    EXPECT_THAT(find("anna", anna.id), ElementsAre("bert"));
    EXPECT_THAT(find("an_"), ElementsAre("an_na")) << "_ and % stand for themselves";
    EXPECT_THAT(find("a%"), ElementsAre());
    EXPECT_THAT(find("carl@example.org"), ElementsAre("carl"));
    EXPECT_THAT(find("nobody"), ElementsAre());
}

TEST_P(UserStoreContract, SeveralAreFoundByTheirIds) {
    const auto anna = create("anna", "a@example.org"), bert = create("bert", "b@example.org");
    create("carl", "c@example.org");
    const auto found = await(users().find_users({bert.id, {42}, anna.id})).value();
    EXPECT_THAT(names_of(found), testing::UnorderedElementsAre("anna", "bert"));
    EXPECT_TRUE(await(users().find_users({})).value().empty());
}

TEST_P(UserStoreContract, APictureIsSetAndTakenAway) {
    const auto anna = create("anna", "a@example.org");
    const auto set = [&](std::optional<model::MediaId> picture) {
        ports::UserChange change;
        change.avatar_media_id = picture;
        return await(users().update_user(anna.id, change)).value().avatar_media_id;
    };
    EXPECT_EQ(set(model::MediaId{5}), model::MediaId{5});
    EXPECT_EQ(set({}), model::MediaId{5});
    EXPECT_EQ(set(model::MediaId{}), std::nullopt);
    EXPECT_EQ(await(users().find_user(anna.id)).value().avatar_media_id, std::nullopt);
}

TEST_P(UserStoreContract, ARoleIsGivenAndTakenButNeverTheLastAdmins) {
    const auto anna = create("anna", "a@example.org"), bert = create("bert", "b@example.org");
    const auto change = [&](const model::User& user, ports::StandingChange to) {
        return await(users().change_standing(user.id, to, clock.now()));
    };
    using model::ServerRole;
    EXPECT_EQ(await(users().find_user(anna.id)).value().role, ServerRole::user);
    EXPECT_EQ(change(anna, {ServerRole::admin, {}}).value().role, ServerRole::admin);
    EXPECT_EQ(await(users().find_user(anna.id)).value().role, ServerRole::admin);
    EXPECT_EQ(change(anna, {ServerRole::moderator, {}}).error().code, Errc::last_admin);
    EXPECT_EQ(change(anna, {{}, true}).error().code, Errc::last_admin);
    EXPECT_FALSE(await(users().find_user(anna.id)).value().disabled);
    ASSERT_TRUE(change(bert, {ServerRole::admin, {}}));
    ASSERT_TRUE(change(bert, {{}, true}));
    EXPECT_EQ(change(anna, {ServerRole::user, {}}).error().code, Errc::last_admin)
        << "one who is disabled does not count";
    ASSERT_TRUE(change(bert, {{}, false}));
    EXPECT_TRUE(change(anna, {ServerRole::user, true}));
    EXPECT_EQ(await(users().change_standing({42}, {}, clock.now())).error().code,
              Errc::unknown_user);
}

PARLEY_ON_EACH_STORE(UserStoreContract);

class SessionStoreContract : public SuiteOnEachBackend {
protected:
    static std::string hash(char c) { return std::string(31, c) + '\0'; }
    model::Session create() {
        return await(sessions().create_session({.user_id = {7},
                                                .refresh_hash = hash('a'),
                                                .created_at = clock.now(),
                                                .expires_at = at(1000)}))
            .value();
    }
    model::Time at(std::int64_t ms) { return {clock.now().ms + ms}; }
    Result<model::Session> rotate(model::SessionId id, char presented, char next) {
        return await(
            sessions().rotate_session(id, hash(presented), hash(next), clock.now(), at(5000)));
    }
    ports::SessionStore& sessions() { return backend->sessions(); }
};

TEST_P(SessionStoreContract, ATokenIsExchangedForTheNext) {
    const auto made = create();
    EXPECT_TRUE(made.id);
    EXPECT_NE(create().id, made.id);
    const auto rotated = rotate(made.id, 'a', 'b').value();
    EXPECT_EQ(rotated.id, made.id);
    EXPECT_EQ(rotated.user_id, model::UserId{7});
    EXPECT_EQ(rotated.expires_at, at(5000));
    EXPECT_EQ(rotated.refresh_hash, hash('b'));
    EXPECT_TRUE(rotate(made.id, 'b', 'c'));
}

TEST_P(SessionStoreContract, AnOldTokenEndsTheSession) {
    const auto made = create();
    const auto other = create();
    ASSERT_TRUE(rotate(made.id, 'a', 'b'));
    EXPECT_EQ(rotate(made.id, 'a', 'c').error().code, Errc::token_reused);
    EXPECT_EQ(rotate(made.id, 'b', 'c').error().code, Errc::session_revoked);
    EXPECT_EQ(rotate(made.id, 'a', 'c').error().code, Errc::session_revoked);
    EXPECT_TRUE(rotate(other.id, 'a', 'b')) << "another session of the same user goes on";
    EXPECT_THAT(await(sessions().revoked_since(clock.now())).value(), ElementsAre(made.id));
}

TEST_P(SessionStoreContract, OfTwoExchangesAtOnceOneEndsTheSession) {
    const auto made = create();
    std::vector<Task<Result<model::Session>>> tasks;
    for (const char next : {'b', 'c'})
        tasks.push_back(
            sessions().rotate_session(made.id, hash('a'), hash(next), clock.now(), at(5000)));
    const auto answers = await_all(std::move(tasks));
    EXPECT_NE(answers[0].has_value(), answers[1].has_value());
    EXPECT_EQ((answers[0] ? answers[1] : answers[0]).error().code, Errc::token_reused);
}

TEST_P(SessionStoreContract, AnExpiredOrUnknownSessionIsNone) {
    const auto made = create();
    EXPECT_EQ(rotate({42}, 'a', 'b').error().code, Errc::unauthorized);
    clock.advance(1000);
    EXPECT_EQ(rotate(made.id, 'a', 'b').error().code, Errc::unauthorized);
    clock.advance(1);
    create();
    EXPECT_EQ(rotate(made.id, 'a', 'b').error().code, Errc::unauthorized);
}

TEST_P(SessionStoreContract, AnEndedSessionStaysEndedSinceTheFirstTime) {
    const auto made = create();
    const auto ended = clock.now();
    ASSERT_TRUE(await(sessions().revoke_session(made.id, ended)));
    clock.advance(100);
    ASSERT_TRUE(await(sessions().revoke_session(made.id, clock.now())));
    EXPECT_EQ(rotate(made.id, 'a', 'b').error().code, Errc::session_revoked);
    EXPECT_THAT(await(sessions().revoked_since(ended)).value(), ElementsAre(made.id));
    EXPECT_TRUE(await(sessions().revoked_since({ended.ms + 1})).value().empty());
    EXPECT_TRUE(await(sessions().revoke_session({42}, ended)))
        << "ending what is not there is done";
}

TEST_P(SessionStoreContract, WhoIsDisabledOrHasANewPasswordHasNoSession) {
    auto& users = backend->users();
    const auto anna = await(users.create_user(new_user("anna", "anna@example.org"))).value();
    const auto start = [&](std::string password_hash = {}) {
        return await(sessions().create_session({.user_id = anna.id,
                                                .refresh_hash = hash('a'),
                                                .created_at = clock.now(),
                                                .expires_at = at(1000),
                                                .password_hash = std::move(password_hash)}));
    };
    const auto other = create();
    const auto one = start().value(), two = start("hash of anna").value();
    ASSERT_TRUE(await(users.set_password(anna.id, "another hash", {}, clock.now())));
    EXPECT_EQ(await(users.find_login("anna", false)).value().password_hash, "another hash");
    EXPECT_THAT(await(sessions().revoked_since(clock.now())).value(), ElementsAre(one.id, two.id));
    EXPECT_EQ(start("hash of anna").error().code, Errc::invalid_credentials)
        << "a log-in that was on its way with the old password";
    const auto three = start("another hash").value();
    clock.advance(1);
    ASSERT_TRUE(await(users.change_standing(anna.id, {{}, true}, clock.now())));
    EXPECT_EQ(rotate(three.id, 'a', 'b').error().code, Errc::session_revoked);
    EXPECT_THAT(await(sessions().revoked_since(clock.now())).value(), ElementsAre(three.id));
    EXPECT_EQ(start("another hash").error().code, Errc::invalid_credentials);
    ASSERT_TRUE(await(users.change_standing(anna.id, {{}, false}, clock.now())));
    const auto four = start().value();
    clock.advance(1);
    ASSERT_TRUE(await(sessions().revoke_sessions_of(anna.id, {}, clock.now())));
    EXPECT_THAT(await(sessions().revoked_since(clock.now())).value(), ElementsAre(four.id));
    EXPECT_TRUE(rotate(other.id, 'a', 'b')) << "somebody else's";
    EXPECT_EQ(await(users.set_password({42}, "x", {}, clock.now())).error().code,
              Errc::unknown_user);
}

TEST_P(SessionStoreContract, ANewPasswordMayLeaveOneSession) {
    auto& users = backend->users();
    const auto anna = await(users.create_user(new_user("anna", "anna@example.org"))).value();
    const auto start = [&] {
        return await(sessions().create_session({.user_id = anna.id,
                                                .refresh_hash = hash('a'),
                                                .created_at = clock.now(),
                                                .expires_at = at(1000)}))
            .value();
    };
    const auto here = start(), there = start();
    ASSERT_TRUE(await(users.set_password(anna.id, "another hash", here.id, clock.now())));
    EXPECT_THAT(await(sessions().revoked_since(clock.now())).value(), ElementsAre(there.id));
    EXPECT_TRUE(rotate(here.id, 'a', 'b'));
    EXPECT_EQ(rotate(there.id, 'a', 'b').error().code, Errc::session_revoked);
}

TEST_P(SessionStoreContract, APersonsOpenSessionsAreListedTheNewestFirst) {
    const auto begin = [&](model::UserId user, model::Device device = {}) {
        return await(sessions().create_session({.user_id = user,
                                                .refresh_hash = hash('a'),
                                                .created_at = clock.now(),
                                                .expires_at = at(10'000),
                                                .device = std::move(device)}))
            .value()
            .id;
    };
    const model::UserId ann{7}, bob{8};
    const auto began = clock.now();
    const auto one = begin(ann, {"Firefox", "192.0.2.1"}), of_bob = begin(bob);
    const auto short_lived = create().id;
    const auto two = begin(ann);
    const auto three = begin(ann);
    const auto ids = [&](model::SessionId before = {}, std::size_t limit = 10) {
        std::vector<model::SessionId> found;
        for (const auto& each :
             await(sessions().sessions_of(ann, before, limit, clock.now())).value())
            found.push_back(each.id);
        return found;
    };
    EXPECT_THAT(ids(), ElementsAre(three, two, short_lived, one));
    EXPECT_THAT(ids({}, 2), ElementsAre(three, two));
    EXPECT_THAT(ids(two), ElementsAre(short_lived, one));
    clock.advance(2000); // one has expired, one is refreshed
    ASSERT_TRUE(rotate(one, 'a', 'b'));
    EXPECT_THAT(ids(), ElementsAre(three, two, one));
    const auto shown = await(sessions().sessions_of(ann, two, 1, clock.now())).value().at(0);
    EXPECT_EQ(shown.id, one);
    EXPECT_EQ(shown.created_at, began);
    EXPECT_EQ(shown.last_used_at, clock.now());
    EXPECT_EQ(shown.device.user_agent, "Firefox");
    EXPECT_EQ(shown.device.address, "192.0.2.1");
    const auto end = [&](model::UserId user, model::SessionId session) {
        return await(sessions().revoke_session_of(user, session, clock.now()));
    };
    EXPECT_EQ(end(ann, of_bob).error().code, Errc::unknown_session);
    EXPECT_EQ(end(ann, short_lived).error().code, Errc::unknown_session);
    EXPECT_EQ(end(ann, {42}).error().code, Errc::unknown_session);
    EXPECT_TRUE(rotate(of_bob, 'a', 'b')) << "nobody else ends it";
    ASSERT_TRUE(end(ann, two));
    EXPECT_EQ(end(ann, two).error().code, Errc::unknown_session) << "it was ended";
    EXPECT_THAT(ids(), ElementsAre(three, one));
    EXPECT_EQ(rotate(two, 'a', 'b').error().code, Errc::session_revoked);
    ASSERT_TRUE(await(sessions().revoke_sessions_of(ann, one, clock.now())));
    EXPECT_THAT(ids(), ElementsAre(one));
    EXPECT_TRUE(rotate(one, 'b', 'c'));
    EXPECT_TRUE(rotate(of_bob, 'b', 'c'));
}

PARLEY_ON_EACH_STORE(SessionStoreContract);

} // namespace
} // namespace parley::contract
