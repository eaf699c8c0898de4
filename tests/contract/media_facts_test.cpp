// What was found out about a file after its message was sent: an event of the log like any other,
// on every store.
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <algorithm>

namespace parley::contract {
namespace {

using chat::Composer;

constexpr model::MediaId kFile{77};

model::MediaFactsRef facts(std::string blurhash = {}) {
    model::MediaFacts known{
        .filename = "a \"b\".png", .content_type = "image/png", .size = 5'000'000'000};
    if (!blurhash.empty()) {
        known.width = 640;
        known.height = 480;
        known.duration_ms = 1;
        known.blurhash = std::move(blurhash);
        known.small = model::PictureSize{320, 240};
        known.large = model::PictureSize{640, 480};
        known.poster = true;
        known.stripped = true;
    }
    return std::make_shared<const model::MediaFacts>(std::move(known));
}

class MediaFactsContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        alice = world->user("alice");
        bob = world->user("bob");
        room = world->room(alice, "room one", {bob});
    }
    Result<model::Draft> a_post(std::string_view nonce) {
        return Composer::post(room, alice,
                              {.nonce = nonce,
                               .type = "MEDIA",
                               .content = "look",
                               .media_id = kFile,
                               .reply_to = {},
                               .media = facts()});
    }
    model::Draft found(model::MessageId message, std::string blurhash) {
        return Composer::media(room, alice, {message, kFile, facts(std::move(blurhash))});
    }
    std::vector<model::Event> events(model::EventId since) {
        return await(backend->history().events_after(room, since, 100)).value().events;
    }
    model::Message newest() {
        const auto page = await(backend->history().messages_before(room, {}, 1)).value();
        return page.messages.at(0).message;
    }

    model::UserId alice, bob;
    model::RoomId room;
};

TEST_P(MediaFactsContract, StandInTheLogInHistoryAndInAResume) {
    const model::Event posted = world->event(a_post("n"));
    ASSERT_TRUE(newest().media);
    EXPECT_EQ(*newest().media, *facts());
    const model::Event said = world->event(found(posted.id, "LEHV6nWB2yk8pyo0adR*.7kCMdnj"));
    EXPECT_EQ(said.prev_id, posted.id);
    EXPECT_GT(said.id, posted.id);

    const auto now = facts("LEHV6nWB2yk8pyo0adR*.7kCMdnj");
    EXPECT_EQ(*newest().media, *now);
    EXPECT_FALSE(newest().edited_at);
    EXPECT_EQ(newest().content, "look");
    const auto missed = events(posted.id);
    ASSERT_EQ(missed.size(), 1u);
    EXPECT_EQ(missed[0].id, said.id);
    EXPECT_EQ(missed[0].prev_id, posted.id);
    const auto& edited = std::get<model::MessageEdited>(missed[0].body);
    EXPECT_EQ(edited.message.id, posted.id);
    ASSERT_TRUE(edited.message.media);
    EXPECT_EQ(*edited.message.media, *now);
    // Who comes later sees the message as it is now.
    const auto all = events({});
    const auto first = std::ranges::find(all, posted.id, &model::Event::id);
    ASSERT_NE(first, all.end());
    EXPECT_EQ(*std::get<model::MessagePosted>(first->body).message.media, *now);
}

TEST_P(MediaFactsContract, StayThroughAnEditAndGoWithADeletion) {
    const model::Event posted = world->event(a_post("n"));
    world->event(found(posted.id, "LEHV6nWB2yk8pyo0adR*.7kCMdnj"));
    world->event(Composer::edit(room, alice, posted.id, "other"));
    EXPECT_EQ(newest().content, "other");
    EXPECT_EQ(*newest().media, *facts("LEHV6nWB2yk8pyo0adR*.7kCMdnj"));
    world->event(Composer::remove(room, alice, posted.id));
    EXPECT_FALSE(newest().media_id || newest().media);
    const auto late = world->submit(found(posted.id, "LKO2?U%2Tw=w]~RBVZRi};RPxuwH"));
    ASSERT_TRUE(late.error);
    EXPECT_EQ(late.error->code, Errc::unknown_message);
    EXPECT_FALSE(newest().media);
}

TEST_P(MediaFactsContract, ARetryOfThePostIsAnsweredWithWhatIsKnownNow) {
    const model::Event posted = world->event(a_post("n"));
    world->event(found(posted.id, "LEHV6nWB2yk8pyo0adR*.7kCMdnj"));
    const auto again = world->submit(a_post("n"));
    ASSERT_TRUE(again.durable && again.duplicate);
    const auto& message =
        std::get<model::MessagePosted>(again.durable->event().body).message;
    EXPECT_EQ(message.id, posted.id);
    EXPECT_EQ(*message.media, *facts("LEHV6nWB2yk8pyo0adR*.7kCMdnj"));
}

PARLEY_ON_EACH_STORE(MediaFactsContract);

} // namespace
} // namespace parley::contract
