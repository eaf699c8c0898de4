// What every ports::MediaCatalog and ports::ReleasedMedia must do.
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <gmock/gmock.h>

namespace parley::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::int64_t kDay = 86'400'000;

class MediaContract : public SuiteOnEachBackend {
protected:
    void SetUp() override {
        SuiteOnEachBackend::SetUp();
        anna = world->user("anna");
        bert = world->user("bert");
        // In both shards of those that have two.
        for (int i = 0; i < 4; ++i)
            rooms.push_back(world->room(anna, "room " + std::to_string(i), {bert}));
    }
    ports::NewMedia fresh(std::uint64_t size = 100) {
        ports::NewMedia media;
        media.room_id = rooms[0];
        media.user_id = anna;
        media.facts.filename = "Grüße \"1\".png";
        media.facts.content_type = "image/png";
        media.facts.size = size;
        media.key = "a/" + std::to_string(++x_keys);
        media.sha256 = std::string(32, '\7');
        media.created_at = clock.now();
        media.ticket_expires_at = model::Time{clock.now().ms + 60'000};
        return media;
    }
    Result<model::Media> create(std::uint64_t size, ports::MediaQuota quota = {}) {
        return await(catalog().create_media(fresh(size), quota));
    }
    model::Media made(std::uint64_t size = 100) { return create(size).value(); }
    model::Media attached(model::RoomId room) {
        const model::Media media = made();
        EXPECT_TRUE(await(catalog().note_stored(media.id, "", media.facts)));
        EXPECT_TRUE(await(catalog().attach_media(media.id, room, clock.now())));
        return media;
    }
    model::MessageId post(model::RoomId room, const model::Media& media) {
        return world
            ->event(chat::Composer::post(
                room, anna,
                {.nonce = "media-" + std::to_string(++x_keys),
                 .type = "MEDIA",
                 .content = "",
                 .media_id = media.id,
                 .reply_to = {},
                 .media = std::make_shared<const model::MediaFacts>(media.facts)}))
            .id;
    }
    void remove_message(model::RoomId room, model::MessageId message) {
        world->event(chat::Composer::remove(room, anna, message));
    }
    std::vector<model::MediaId> released() {
        return await(backend->released()->released_media(50)).value();
    }
    bool in_use(model::MediaId media) {
        return await(backend->released()->media_in_use(media)).value();
    }
    bool remove(model::MediaId media) {
        return await(catalog().remove_media(media, clock.now())).value();
    }
    static std::vector<model::MediaId> ids(const Result<std::vector<model::Media>>& many) {
        std::vector<model::MediaId> found;
        for (const model::Media& each : many.value()) found.push_back(each.id);
        return found;
    }
    Task<bool> attaches(model::MediaId media, model::RoomId room, model::Time now) {
        const auto done = co_await catalog().attach_media(media, room, now);
        co_return done.has_value();
    }
    Task<bool> removes(model::MediaId media, model::Time before) {
        const auto removed = co_await catalog().remove_media(media, before);
        co_return removed.value();
    }
    ports::MediaCatalog& catalog() { return *backend->media(); }

    model::UserId anna, bert;
    std::vector<model::RoomId> rooms;

private:
    int x_keys = 0;
};

TEST_P(MediaContract, ARecordIsReadAsItWasMade) {
    const model::Media media = made();
    const model::Media found = await(catalog().find_media(media.id)).value();
    EXPECT_EQ(found.room_id, rooms[0]);
    EXPECT_EQ(found.user_id, anna);
    EXPECT_EQ(found.facts, fresh().facts);
    EXPECT_EQ(found.key, media.key);
    EXPECT_EQ(found.sha256, std::string(32, '\7'));
    EXPECT_EQ(found.state, model::MediaState::ticketed);
    EXPECT_EQ(found.created_at, clock.now());
    EXPECT_EQ(found.ticket_expires_at.ms, clock.now().ms + 60'000);
    EXPECT_EQ(await(catalog().find_media(model::MediaId{media.id.value + 1})).error().code,
              Errc::unknown_media);
    EXPECT_GT(made().id, media.id);
}

TEST_P(MediaContract, WhatWasFoundOutIsKept) {
    const model::Media media = made();
    model::MediaFacts facts = media.facts;
    facts.size = 7;
    ASSERT_TRUE(await(catalog().note_stored(media.id, std::string(32, '\1'), facts)));
    model::Media found = await(catalog().find_media(media.id)).value();
    EXPECT_EQ(found.state, model::MediaState::stored);
    EXPECT_EQ(found.facts.size, 7u);
    EXPECT_EQ(found.sha256, std::string(32, '\1'));
    ASSERT_TRUE(await(catalog().note_stored(media.id, "", facts)));
    EXPECT_EQ(await(catalog().find_media(media.id)).value().sha256, std::string(32, '\1'));
    EXPECT_THAT(ids(await(catalog().media_to_examine(10))), IsEmpty()) << "not attached";
    ASSERT_TRUE(await(catalog().attach_media(media.id, rooms[0], clock.now())));
    EXPECT_THAT(ids(await(catalog().media_to_examine(10))), ElementsAre(media.id));
    facts.width = 3;
    ASSERT_TRUE(await(catalog().note_facts(media.id, facts)));
    EXPECT_THAT(ids(await(catalog().media_to_examine(10))), IsEmpty());
    EXPECT_EQ(await(catalog().find_media(media.id)).value().facts.width, 3u);
    EXPECT_EQ(await(catalog().upload_of(media.id)).value(), "");
    ASSERT_TRUE(await(catalog().note_upload(media.id, "3:an id")));
    EXPECT_EQ(await(catalog().upload_of(media.id)).value(), "3:an id");
}

TEST_P(MediaContract, QuotasCountWhatTicketsSay) {
    const ports::MediaQuota day{.user_bytes_per_day = 250, .server_bytes = 0};
    ASSERT_TRUE(create(100, day));
    ASSERT_TRUE(create(150, day));
    const auto refused = create(1, day);
    ASSERT_EQ(refused.error().code, Errc::media_quota);
    ASSERT_TRUE(refused.error().retry_after);
    EXPECT_GT(refused.error().retry_after->count(), 0);
    EXPECT_LE(refused.error().retry_after->count(), kDay);
    clock.advance(kDay);
    EXPECT_EQ(create(251, day).error().code, Errc::media_quota);
    EXPECT_TRUE(create(250, day));
}

TEST_P(MediaContract, TheServersQuotaIsOfWhatIsThere) {
    const ports::MediaQuota server{.user_bytes_per_day = 0, .server_bytes = 300};
    const model::Media open = create(200, server).value();
    const model::Media other = create(100, server).value();
    EXPECT_EQ(create(1, server).error().code, Errc::media_quota);
    model::MediaFacts facts = open.facts;
    facts.size = 50;
    ASSERT_TRUE(await(catalog().note_stored(open.id, "", facts)));
    EXPECT_EQ(create(151, server).error().code, Errc::media_quota);
    ASSERT_TRUE(create(150, server));
    EXPECT_TRUE(remove(other.id));
    EXPECT_TRUE(remove(other.id));
    EXPECT_EQ(create(101, server).error().code, Errc::media_quota);
    EXPECT_TRUE(create(100, server));
}

TEST_P(MediaContract, ManyTicketsAtOnceDoNotPassTheQuota) {
    const ports::MediaQuota quota{.user_bytes_per_day = 500, .server_bytes = 450};
    std::vector<Task<Result<model::Media>>> asking;
    for (int i = 0; i < 12; ++i) asking.push_back(catalog().create_media(fresh(), quota));
    int given = 0;
    for (const auto& media : await_all(std::move(asking))) {
        if (media)
            ++given;
        else
            EXPECT_EQ(media.error().code, Errc::media_quota);
    }
    EXPECT_EQ(given, 4);
}

TEST_P(MediaContract, WhatWasAttachedStaysUntilThatHasSettled) {
    const model::Media media = attached(rooms[0]);
    ASSERT_TRUE(await(catalog().attach_media(media.id, rooms[1], clock.now())));
    ASSERT_TRUE(await(catalog().attach_media(media.id, rooms[1], clock.now())));
    EXPECT_THAT(await(catalog().media_rooms(media.id)).value(),
                UnorderedElementsAre(rooms[0], rooms[1]));
    EXPECT_FALSE(remove(media.id));
    clock.advance(1);
    EXPECT_TRUE(remove(media.id));
    EXPECT_EQ(await(catalog().find_media(media.id)).error().code, Errc::unknown_media);
    EXPECT_EQ(await(catalog().attach_media(media.id, rooms[2], clock.now())).error().code,
              Errc::unknown_media);
    EXPECT_EQ(await(catalog().note_facts(media.id, media.facts)).error().code,
              Errc::unknown_media);
    EXPECT_THAT(ids(await(catalog().media_to_delete(10))), ElementsAre(media.id));
    ASSERT_TRUE(await(catalog().note_deleted(media.id)));
    EXPECT_THAT(ids(await(catalog().media_to_delete(10))), IsEmpty());
    EXPECT_THAT(await(catalog().media_rooms(media.id)).value(), IsEmpty());
}

TEST_P(MediaContract, ATicketThatNobodyUploadedMayNotBeAttached) {
    const model::Media media = made();
    EXPECT_EQ(await(catalog().attach_media(media.id, rooms[0], clock.now())).error().code,
              Errc::unknown_media);
}

TEST_P(MediaContract, AttachedAndRemovedAtOnceOnlyOneHappens) {
    for (int i = 0; i < 20; ++i) {
        const model::Media media = attached(rooms[0]);
        clock.advance(1'000);
        std::vector<Task<bool>> both;
        both.push_back(attaches(media.id, rooms[1], clock.now()));
        both.push_back(removes(media.id, clock.now()));
        const auto happened = await_all(std::move(both));
        EXPECT_NE(happened[0], happened[1]);
    }
}

TEST_P(MediaContract, WhatNobodyPostedIsFoundOldestFirst) {
    const model::Media first = made();
    clock.advance(10);
    const model::Media second = made();
    attached(rooms[0]);
    clock.advance(10);
    EXPECT_THAT(ids(await(catalog().unused_media(clock.now(), 10))),
                ElementsAre(first.id, second.id));
    EXPECT_THAT(ids(await(catalog().unused_media(second.created_at, 10))), ElementsAre(first.id));
    EXPECT_THAT(ids(await(catalog().unused_media(clock.now(), 1))), ElementsAre(first.id));
    EXPECT_TRUE(remove(first.id));
    EXPECT_THAT(ids(await(catalog().unused_media(clock.now(), 10))), ElementsAre(second.id));
}

TEST_P(MediaContract, ADeletedMessageReleasesItsFile) {
    const model::Media media = attached(rooms[0]);
    std::vector<model::MessageId> messages;
    for (const model::RoomId room : rooms) messages.push_back(post(room, media));
    EXPECT_EQ(await(backend->released()->media_carriers(media.id, 10)).value().size(), 4u);
    EXPECT_EQ(await(backend->released()->media_carriers(media.id, 3)).value().size(), 3u);
    EXPECT_THAT(released(), IsEmpty());
    for (std::size_t i = 0; i < rooms.size(); ++i) {
        EXPECT_TRUE(in_use(media.id)) << i;
        remove_message(rooms[i], messages[i]);
        EXPECT_THAT(released(), ElementsAre(media.id)) << "each file once";
    }
    EXPECT_FALSE(in_use(media.id));
    ASSERT_TRUE(await(catalog().remove_media(media.id, model::Time{clock.now().ms + 1})).value());
    ASSERT_TRUE(await(backend->released()->forget_released({media.id})));
    EXPECT_THAT(released(), IsEmpty());
}

TEST_P(MediaContract, ADeletedRoomReleasesItsFiles) {
    const model::Media one = attached(rooms[1]), two = attached(rooms[1]);
    post(rooms[1], one);
    post(rooms[1], two);
    post(rooms[2], two);
    model::RoomDraft draft;
    draft.remove = true;
    world->event(chat::Composer::room(rooms[1], anna, draft));
    EXPECT_THAT(released(), UnorderedElementsAre(one.id, two.id));
    EXPECT_FALSE(in_use(one.id));
    EXPECT_TRUE(in_use(two.id));
    ASSERT_TRUE(await(backend->released()->forget_released({two.id})));
    EXPECT_THAT(released(), ElementsAre(one.id));
}

TEST_P(MediaContract, WhatIsReleasedWhileItIsLookedAtIsLookedAtAgain) {
    const model::Media media = attached(rooms[0]);
    const auto first = post(rooms[0], media), second = post(rooms[1], media);
    remove_message(rooms[0], first);
    ASSERT_THAT(released(), ElementsAre(media.id));
    ASSERT_TRUE(in_use(media.id));
    remove_message(rooms[1], second);
    ASSERT_TRUE(await(backend->released()->forget_released({media.id})));
    EXPECT_THAT(released(), ElementsAre(media.id));
}

TEST_P(MediaContract, AnAvatarIsAUse) {
    const model::Media media = attached({});
    EXPECT_FALSE(in_use(media.id));
    ports::UserChange change;
    change.avatar_media_id = media.id;
    ASSERT_TRUE(await(backend->users().update_user(anna, change)));
    EXPECT_TRUE(in_use(media.id));
    change.avatar_media_id = model::MediaId{1};
    ASSERT_TRUE(await(backend->users().update_user(anna, change)));
    EXPECT_FALSE(in_use(media.id));
    EXPECT_THAT(released(), ElementsAre(media.id));
}

TEST_P(MediaContract, WhatWaitsForAModeratorIsAUse) {
    const model::Media media = attached(rooms[0]);
    ports::HeldMessage held;
    held.room_id = rooms[0];
    held.user_id = bert;
    held.draft.nonce = "n1";
    held.draft.type = model::MessageType::media;
    held.draft.media_id = media.id;
    held.draft.body_hash = 1;
    held.words = {"word"};
    held.created_at = clock.now();
    ASSERT_TRUE(await(backend->held().hold(held)));
    EXPECT_TRUE(in_use(media.id));
    const auto waiting = await(backend->held().waiting(rooms[0], {}, 1)).value().at(0);
    ASSERT_TRUE(await(backend->held().decide(rooms[0], waiting.id, false, clock.now())));
    EXPECT_FALSE(in_use(media.id));
    EXPECT_THAT(released(), ElementsAre(media.id));
}

TEST_P(MediaContract, AnErasedUsersFilesAreReleased) {
    const model::Media posted = attached(rooms[0]), waiting = attached(rooms[0]);
    const auto message = post(rooms[0], posted);
    ports::HeldMessage held;
    held.room_id = rooms[0];
    held.user_id = anna;
    held.draft.nonce = "n1";
    held.draft.type = model::MessageType::media;
    held.draft.media_id = waiting.id;
    held.draft.body_hash = 1;
    held.words = {"word"};
    held.created_at = clock.now();
    ASSERT_TRUE(await(backend->held().hold(held)));
    ASSERT_TRUE(await(backend->erasures().request_erasure(anna, clock.now())));
    ASSERT_TRUE(await(backend->erasures().blank_messages(anna, {message}, message)));
    ASSERT_TRUE(await(backend->erasures().finish_erasure(anna, clock.now())));
    EXPECT_THAT(released(), UnorderedElementsAre(posted.id, waiting.id));
    EXPECT_FALSE(in_use(posted.id));
    EXPECT_FALSE(in_use(waiting.id));
}

TEST_P(MediaContract, WhatIsTooOldIsReleased) {
    const model::Media media = attached(rooms[0]);
    post(rooms[0], media);
    clock.advance(3 * kDay);
    model::RoomId next;
    do next = await(backend->retention().remove_old(next, 1, clock.now())).value().room_id;
    while (next);
    EXPECT_THAT(released(), ElementsAre(media.id));
    EXPECT_FALSE(in_use(media.id));
}

PARLEY_ON_EACH_CATALOG(MediaContract);

} // namespace
} // namespace parley::contract
