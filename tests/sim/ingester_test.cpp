#include "tests/sim/core_fixture.hpp"
#include "tests/sim/faulty_store.hpp"

#include <gtest/gtest.h>

namespace parley::test {
namespace {

using sim::FaultyStore;

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
    FaultyStore failing{store};
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
    using Fault = FaultyStore::Fault;
    const std::size_t before = log_of(room).size();
    for (const auto& [fault, calls] : {std::pair(Fault::begin_fails, 0),
                                       {Fault::look_up_fails, 0},
                                       {Fault::look_up_fails, 1},
                                       {Fault::put_fails, 0},
                                       {Fault::put_fails, 1},
                                       {Fault::commit_fails, 0}}) {
        failing.set(fault, calls);
        const auto outcomes = run_two();
        ASSERT_EQ(outcomes.size(), 2u);
        for (const auto& outcome : outcomes) EXPECT_EQ(code_of(outcome), "unavailable");
        EXPECT_EQ(outcomes[0].nonce, "x");
        EXPECT_EQ(outcomes[0].origin.ref, "r");
        EXPECT_EQ(log_of(room).size(), before);
    }
}

TEST_F(IngesterTest, GoesOnWhenTheStoreWorksAgain) {
    failing.set(FaultyStore::Fault::commit_fails);
    const auto head = log_of(room).back().id;
    run_two();
    failing.set(FaultyStore::Fault::none);
    const auto outcomes = run_two();
    EXPECT_EQ(code_of(outcomes[0]), "ok");
    // Not the id that the failed transaction gave out.
    EXPECT_EQ(outcomes[0].durable->event().prev_id, head);
    EXPECT_EQ(code_of(run_two()[0]), "duplicate");
}

TEST_F(IngesterTest, ANameTakenInAFailedTransactionIsFree) {
    failing.set(FaultyStore::Fault::commit_fails);
    EXPECT_EQ(code_of(run(group(alice, "fresh"))), "unavailable");
    failing.set(FaultyStore::Fault::none);
    EXPECT_EQ(code_of(run(group(bob, "fresh"))), "ok");
}

TEST_F(IngesterTest, ARollbackUndoesEveryKindOfChange) {
    const auto first = say(room, bob, "1"), second = say(room, bob, "2");
    run(chat::Composer::react(room, alice, first, "+1", true));
    const auto before = log_of(room);
    failing.set(FaultyStore::Fault::commit_fails);
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
