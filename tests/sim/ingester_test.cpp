#include "tests/sim/core_fixture.hpp"

#include <gtest/gtest.h>

namespace parley::test {
namespace {

// A store that fails when told, as a full disk does.
class FailingStore final : public ports::EventStore {
public:
    enum class At { nowhere, begin, put, commit, look_up };
    explicit FailingStore(ports::EventStore& inner) : x_inner(inner) {}

    At at = At::nowhere;
    int after = 0; // that many calls of this kind still work

    Result<void> begin() override {
        if (fails(At::begin)) return error();
        return x_inner.begin();
    }
    Result<void> put(const model::Sequenced& event) override {
        if (fails(At::put)) return error();
        return x_inner.put(event);
    }
    Result<void> commit() override {
        if (fails(At::commit)) return error();
        return x_inner.commit();
    }
    void rollback() override { x_inner.rollback(); }
    Result<model::EventId> last_id() override { return x_inner.last_id(); }
    Result<std::optional<ports::StoredRoom>> room(model::RoomId room) override {
        return x_inner.room(room);
    }
    Result<std::optional<model::Role>> role(model::RoomId room, model::UserId user) override {
        if (fails(At::look_up)) return error();
        return x_inner.role(room, user);
    }
    Result<std::optional<ports::StoredNonce>> nonce(model::RoomId room, model::UserId user,
                                                    std::string_view nonce) override {
        return x_inner.nonce(room, user, nonce);
    }
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override {
        return x_inner.message(room, message);
    }
    Result<ReactionFacts> reaction(model::RoomId room, model::MessageId message, model::UserId user,
                                   std::string_view emoji) override {
        return x_inner.reaction(room, message, user, emoji);
    }
    Result<std::optional<model::RoomId>> room_by_name_key(std::string_view key) override {
        return x_inner.room_by_name_key(key);
    }
    Result<std::optional<model::RoomId>> dm_of(model::UserId a, model::UserId b) override {
        return x_inner.dm_of(a, b);
    }
    Result<bool> user_exists(model::UserId user) override { return x_inner.user_exists(user); }

private:
    bool fails(At here) { return at == here && after-- <= 0; }
    static Error error() { return Error(Errc::unavailable, "the disk is full"); }
    ports::EventStore& x_inner;
};

class IngesterTest : public CoreTest {
protected:
    IngesterTest() : room(make_group("general", {bob})) {
        ingester = *ingest::Ingester::open(failing, clock, 1);
    }
    std::vector<ports::Outcome> run_two() {
        std::vector<ports::Submission> batch;
        batch.push_back(submission(post(room, bob, "x", "one")));
        batch.back().origin = {.core = 3, .responder = 44, .ref = "r"};
        batch.push_back(submission(post(room, alice, "y", "two")));
        return ingester->run(std::move(batch));
    }
    FailingStore failing{store};
    model::RoomId room;
};

TEST_F(IngesterTest, AnswersInOrderAndGivesTheOriginBack) {
    const auto outcomes = run_two();
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(outcomes[0].nonce, "x");
    EXPECT_EQ(outcomes[0].origin.core, 3);
    EXPECT_EQ(outcomes[0].origin.responder, 44u);
    EXPECT_EQ(outcomes[0].origin.ref, "r");
    EXPECT_EQ(outcomes[1].durable->event().prev_id, outcomes[0].durable->event().id);
}

TEST_F(IngesterTest, ARefusalConcernsItsDraftAlone) {
    std::vector<ports::Submission> batch;
    batch.push_back(submission(post(room, bob, "1", "a")));
    batch.push_back(submission(post(room, carol, "2", "b")));
    batch.push_back(submission(post(room, alice, "3", "c")));
    const auto outcomes = ingester->run(std::move(batch));
    EXPECT_EQ(code_of(outcomes[0]), "ok");
    EXPECT_EQ(code_of(outcomes[1]), "not_a_member");
    EXPECT_EQ(outcomes[1].nonce, "2");
    EXPECT_EQ(outcomes[1].room_id, room);
    EXPECT_EQ(code_of(outcomes[2]), "ok");
    EXPECT_EQ(outcomes[2].durable->event().prev_id, outcomes[0].durable->event().id);
}

TEST_F(IngesterTest, ARetryInTheSameBatchIsADuplicate) {
    std::vector<ports::Submission> batch;
    batch.push_back(submission(post(room, bob, "1", "a")));
    batch.push_back(submission(post(room, bob, "1", "a")));
    batch.push_back(submission(post(room, bob, "1", "b")));
    const auto outcomes = ingester->run(std::move(batch));
    EXPECT_EQ(code_of(outcomes[0]), "ok");
    EXPECT_EQ(code_of(outcomes[1]), "duplicate");
    EXPECT_EQ(outcomes[1].durable->event().id, outcomes[0].durable->event().id);
    EXPECT_EQ(code_of(outcomes[2]), "nonce_conflict");
}

TEST_F(IngesterTest, WhereverTheStoreFailsNothingIsStored) {
    using At = FailingStore::At;
    const std::size_t before = log_of(room).size();
    for (const auto& [at, after] : {std::pair(At::begin, 0),
                                    {At::look_up, 0},
                                    {At::look_up, 1},
                                    {At::put, 0},
                                    {At::put, 1},
                                    {At::commit, 0}}) {
        failing.at = at;
        failing.after = after;
        const auto outcomes = run_two();
        ASSERT_EQ(outcomes.size(), 2u);
        for (const auto& outcome : outcomes) EXPECT_EQ(code_of(outcome), "unavailable");
        EXPECT_EQ(outcomes[0].nonce, "x");
        EXPECT_EQ(outcomes[0].origin.ref, "r");
        EXPECT_EQ(log_of(room).size(), before);
    }
}

TEST_F(IngesterTest, GoesOnWhenTheStoreWorksAgain) {
    failing.at = FailingStore::At::commit;
    const auto head = log_of(room).back().id;
    run_two();
    failing.at = FailingStore::At::nowhere;
    const auto outcomes = run_two();
    EXPECT_EQ(code_of(outcomes[0]), "ok");
    // Not the id that the failed transaction gave out.
    EXPECT_EQ(outcomes[0].durable->event().prev_id, head);
    EXPECT_EQ(code_of(run_two()[0]), "duplicate");
}

TEST_F(IngesterTest, ANameTakenInAFailedTransactionIsFree) {
    failing.at = FailingStore::At::commit;
    EXPECT_EQ(code_of(run(group(alice, "fresh"))), "unavailable");
    failing.at = FailingStore::At::nowhere;
    EXPECT_EQ(code_of(run(group(bob, "fresh"))), "ok");
}

TEST_F(IngesterTest, ARollbackUndoesEveryKindOfChange) {
    const auto first = say(room, bob, "1"), second = say(room, bob, "2");
    run(chat::Composer::react(room, alice, first, "+1", true));
    const auto before = log_of(room);
    failing.at = FailingStore::At::commit;
    std::vector<ports::Submission> batch;
    batch.push_back(submission(chat::Composer::edit(room, bob, first, "changed")));
    batch.push_back(submission(chat::Composer::remove(room, bob, second)));
    batch.push_back(submission(chat::Composer::react(room, bob, first, "+1", true)));
    batch.push_back(submission(chat::Composer::react(room, alice, first, "+1", false)));
    batch.push_back(submission(member(room, alice, carol, model::MemberAction::joined)));
    batch.push_back(submission(member(room, alice, bob, model::MemberAction::removed)));
    batch.push_back(submission(dm(alice, bob)));
    model::RoomDraft rename;
    rename.name = "renamed";
    batch.push_back(submission(chat::Composer::room(room, alice, rename)));
    rename.remove = true;
    batch.push_back(submission(chat::Composer::room(room, alice, rename)));
    for (const auto& outcome : ingester->run(std::move(batch)))
        EXPECT_EQ(code_of(outcome), "unavailable");

    const auto after = log_of(room);
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(std::get<model::MessagePosted>(after[1].body).message.content, "text of 1");
    EXPECT_FALSE(std::get<model::MessagePosted>(after[2].body).message.deleted);
    EXPECT_FALSE(store.reaction(room, first, bob, "+1")->present);
    EXPECT_TRUE(store.reaction(room, first, alice, "+1")->present);
    EXPECT_EQ(*store.role(room, bob), model::Role::member);
    EXPECT_FALSE(*store.role(room, carol));
    EXPECT_FALSE(*store.dm_of(alice, bob));
    EXPECT_EQ(*store.room_by_name_key("general"), room);
    EXPECT_FALSE(*store.room_by_name_key("renamed"));
    EXPECT_EQ(store.read_room(room)->room.name, "general");
    EXPECT_EQ(*store.last_id(), after.back().id);
}

} // namespace
} // namespace parley::test
