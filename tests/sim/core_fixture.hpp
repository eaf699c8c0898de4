// What the tests of sequencer and ingester share: a store in memory, a clock that stands still
// until it is told, three users, and short ways to make drafts.
#pragma once

#include "adapters/memory/store.hpp"
#include "chat/composer.hpp"
#include "chat/content_filter.hpp"
#include "chat/names.hpp"
#include "ingest/ingester.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace parley::test {

class ManualClock final : public ports::Clock {
public:
    model::Time now() const override { return {now_ms}; }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
    std::int64_t now_ms = chat::kEpochMs + 1'000'000;
};

inline std::string code_of(const ports::Outcome& outcome) {
    if (outcome.error) return std::string(name_of(outcome.error->code));
    if (!outcome.durable) return "nothing";
    return outcome.duplicate ? "duplicate" : "ok";
}

class CoreTest : public ::testing::Test {
protected:
    CoreTest() {
        reopen();
        alice = add_user("alice");
        bob = add_user("bob");
        carol = add_user("carol");
    }
    void reopen() { ingester = *ingest::Ingester::open(store, clock, 1, room_limits); }
    model::UserId add_user(const std::string& name) {
        return store.add_user({name, chat::name_key(name), name + "@x.y", name + "@x.y", ""})->id;
    }
    static ports::Submission submission(Result<model::Draft> draft) {
        static const chat::ContentFilter filter; // its tables take a while
        return {std::get<model::Filtered>(filter.apply(std::move(*draft))), {}};
    }
    ports::Outcome run(Result<model::Draft> draft) {
        std::vector<ports::Submission> batch;
        batch.push_back(submission(std::move(draft)));
        auto outcomes = ingester->run(std::move(batch));
        EXPECT_EQ(outcomes.size(), 1u);
        return std::move(outcomes.front());
    }
    static Result<model::Draft> post(model::RoomId room, model::UserId user, std::string nonce,
                                     std::string content,
                                     std::optional<model::MessageId> reply_to = {}) {
        return chat::Composer::post(room, user, {nonce, "TEXT", content, {}, reply_to});
    }
    static Result<model::Draft> member(model::RoomId room, model::UserId actor, model::UserId whom,
                                       model::MemberAction action,
                                       model::Role role = model::Role::member) {
        return chat::Composer::member(room, actor, {whom, action, role});
    }
    static Result<model::Draft> group(model::UserId creator, std::string name,
                                      std::vector<model::UserId> members = {},
                                      model::Visibility visibility = model::Visibility::open) {
        model::CreateDraft draft;
        draft.name = std::move(name);
        draft.member_ids = std::move(members);
        draft.visibility = visibility;
        return chat::Composer::create(creator, std::move(draft));
    }
    static Result<model::Draft> dm(model::UserId creator, model::UserId other) {
        model::CreateDraft draft;
        draft.kind = model::RoomKind::dm;
        draft.member_ids = {other};
        return chat::Composer::create(creator, std::move(draft));
    }
    model::RoomId make_group(std::string name, std::vector<model::UserId> members = {}) {
        return run(group(alice, std::move(name), std::move(members))).room_id;
    }
    model::MessageId say(model::RoomId room, model::UserId user, const std::string& nonce) {
        return run(post(room, user, nonce, "text of " + nonce)).durable->event().id;
    }
    std::vector<model::Event> log_of(model::RoomId room) {
        return store.read_events(room, {}, 10'000).events;
    }

    ManualClock clock;
    memory::Store store{clock};
    chat::RoomLimits room_limits;
    std::unique_ptr<ingest::Ingester> ingester;
    model::UserId alice, bob, carol;
};

} // namespace parley::test
