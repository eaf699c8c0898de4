#include "protocol/log/codec.hpp"

#include "chat/composer.hpp"
#include "chat/content_filter.hpp"

#include <gtest/gtest.h>

namespace parley::protocol::log {
namespace {

const model::RoomId kRoom{41};
const model::UserId kUser{42}, kOther{43};
const Sender kSender{"chat.1", 7};

model::Filtered filtered(Result<model::Draft> draft) {
    static const chat::ContentFilter filter;
    return std::get<model::Filtered>(filter.apply(std::move(draft).value()));
}

model::MediaFactsRef facts() {
    model::MediaFacts known{.filename = "h\xc3\xa4.mp4", .content_type = "video/mp4", .size = 1};
    known.width = 2;
    known.duration_ms = 3;
    known.small = model::PictureSize{4, 5};
    known.poster = true;
    known.stripped = false;
    return std::make_shared<const model::MediaFacts>(std::move(known));
}

std::vector<model::Filtered> drafts() {
    std::vector<model::Filtered> all;
    all.push_back(filtered(chat::Composer::post(kRoom, kUser,
                                                {.nonce = "n",
                                                 .type = "TEXT",
                                                 .content = "h\xc3\xa4llo",
                                                 .media_id = {},
                                                 .reply_to = model::MessageId{5}})));
    all.push_back(filtered(chat::Composer::post(kRoom, kUser,
                                                {.nonce = "m",
                                                 .type = "MEDIA",
                                                 .content = "",
                                                 .media_id = model::MediaId{6},
                                                 .reply_to = {},
                                                 .media = facts()})));
    all.push_back(
        filtered(chat::Composer::media(kRoom, kUser, {{5}, model::MediaId{6}, facts()})));
    all.push_back(filtered(chat::Composer::edit(kRoom, kUser, model::MessageId{5}, "other")));
    all.push_back(filtered(chat::Composer::remove(kRoom, kUser, model::MessageId{5})));
    all.push_back(filtered(chat::Composer::react(kRoom, kUser, model::MessageId{5}, "+1", true)));
    model::MemberDraft member;
    member.user_id = kOther;
    member.action = model::MemberAction::role;
    member.role = model::Role::admin;
    all.push_back(filtered(chat::Composer::member(kRoom, kUser, member)));
    model::RoomDraft room;
    room.topic = "a topic";
    room.slow_mode_seconds = 3;
    room.sets_retention = true;
    room.retention_days = 9;
    all.push_back(filtered(chat::Composer::room(kRoom, kUser, room)));
    return all;
}

model::Event event(model::EventBody body) {
    return {.id = {9}, .prev_id = {8}, .room_id = kRoom, .user_id = kUser, .at = {1000},
            .body = std::move(body)};
}

std::vector<model::Durable> events() {
    model::Message message{.id = {9},
                           .room_id = kRoom,
                           .user_id = kUser,
                           .type = model::MessageType::text,
                           .content = "text",
                           .media_id = {},
                           .reply_to = model::MessageId{5},
                           .created_at = {1000},
                           .edited_at = model::Time{2000},
                           .deleted = false};
    model::Room room;
    room.id = kRoom;
    room.name = "a room";
    room.member_count = 3;
    room.retention_days = 4;
    std::vector<model::Durable> all;
    all.push_back(Codec::read_back(event(model::MessagePosted{message, "nonce"})));
    all.push_back(Codec::read_back(event(model::MessageEdited{message})));
    message.media_id = model::MediaId{6};
    message.media = facts();
    all.push_back(Codec::read_back(event(model::MessagePosted{message, "m"})));
    all.push_back(Codec::read_back(event(model::MessageEdited{message})));
    all.push_back(Codec::read_back(event(model::MessageDeleted{{5}})));
    all.push_back(Codec::read_back(event(model::ReactionChanged{{5}, "+1", false})));
    all.push_back(Codec::read_back(
        event(model::MemberChanged{kOther, model::MemberAction::left, model::Role::admin})));
    all.push_back(Codec::read_back(event(model::RoomChanged{room})));
    return all;
}

TEST(LogCodec, DraftsComeBackAsTheyWere) {
    for (const model::Filtered& draft : drafts()) {
        const std::string record = Codec::encode(kSender, draft);
        const auto back = Codec::decode_draft(record);
        ASSERT_TRUE(back) << back.error().detail;
        EXPECT_EQ(back->sender.node, "chat.1");
        EXPECT_EQ(back->sender.number, 7u);
        EXPECT_EQ(back->draft.draft().room_id(), kRoom);
        EXPECT_EQ(back->draft.draft().user_id(), kUser);
        EXPECT_EQ(Codec::encode(kSender, back->draft), record);
    }
}

TEST(LogCodec, WhatWasFoundOutAboutAFileStaysTheServersToSay) {
    const auto draft =
        filtered(chat::Composer::media(kRoom, kUser, {{5}, model::MediaId{6}, facts()}));
    const auto back = Codec::decode_draft(Codec::encode(kSender, draft));
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_TRUE(back->draft.draft().by_server());
    const auto& media = std::get<model::MediaDraft>(back->draft.draft().body());
    EXPECT_EQ(media.message_id, model::MessageId{5});
    EXPECT_EQ(media.media_id, model::MediaId{6});
    ASSERT_TRUE(media.media);
    EXPECT_EQ(*media.media, *facts());
}

TEST(LogCodec, ANewRoomIsMadeUnderTheIdThatWasGivenOut) {
    model::CreateDraft create;
    create.name = "a new room";
    create.member_ids = {kOther};
    const std::string record = Codec::encode(
        kSender, filtered(chat::Composer::create(kUser, create)), model::RoomId{77});
    const auto back = Codec::decode_draft(record);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->draft.draft().room_id(), model::RoomId{77});
    EXPECT_EQ(std::get<model::CreateDraft>(back->draft.draft().body()).name, "a new room");
}

TEST(LogCodec, EventsComeBackAsTheyWere) {
    for (const model::Durable& durable : events()) {
        const std::string record = Codec::encode(kSender, durable);
        const auto back = Codec::decode_event(record);
        ASSERT_TRUE(back) << back.error().detail;
        EXPECT_EQ(back->durable.event().prev_id, model::EventId{8});
        EXPECT_EQ(Codec::encode(kSender, back->durable), record);
    }
}

TEST(LogCodec, AnswersComeBackAsTheyWere) {
    AnswerRecord refused{.number = 3, .room_id = kRoom, .nonce = "n", .duplicate = false,
                         .error = {}, .durable = {}};
    refused.error = Error(Errc::rate_limited, "too many", std::chrono::milliseconds(250));
    const auto back = Codec::decode_answer(Codec::encode(refused));
    ASSERT_TRUE(back);
    ASSERT_TRUE(back->error);
    EXPECT_EQ(back->error->code, Errc::rate_limited);
    EXPECT_EQ(back->error->detail, "too many");
    EXPECT_EQ(back->error->retry_after, std::chrono::milliseconds(250));

    AnswerRecord repeated{.number = 4, .room_id = kRoom, .nonce = "n", .duplicate = true,
                          .error = {}, .durable = events().front()};
    const std::string record = Codec::encode(repeated);
    const auto again = Codec::decode_answer(record);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(Codec::encode(*again), record);
}

TEST(LogCodec, WhatIsCutOrLongerIsRefused) {
    for (const model::Filtered& draft : drafts()) {
        const std::string record = Codec::encode(kSender, draft);
        for (std::size_t size = 0; size < record.size(); ++size)
            EXPECT_FALSE(Codec::decode_draft(record.substr(0, size))) << size;
        EXPECT_FALSE(Codec::decode_draft(record + "x"));
        EXPECT_FALSE(Codec::decode_event(record));
    }
    for (const model::Durable& durable : events()) {
        const std::string record = Codec::encode(kSender, durable);
        for (std::size_t size = 0; size < record.size(); ++size)
            EXPECT_FALSE(Codec::decode_event(record.substr(0, size))) << size;
    }
}

TEST(LogCodec, ADamagedByteIsNoCrash) {
    for (const model::Durable& durable : events()) {
        const std::string record = Codec::encode(kSender, durable);
        for (std::size_t at = 0; at < record.size(); ++at)
            for (const int flip : {0x01, 0x80, 0xff}) {
                std::string damaged = record;
                damaged[at] = static_cast<char>(damaged[at] ^ flip);
                static_cast<void>(Codec::decode_event(damaged));
            }
    }
}

TEST(LogCodec, ANewerVersionIsNotDamaged) {
    std::string record = Codec::encode(kSender, drafts().front());
    record[0] = 2;
    const auto newer = Codec::decode_draft(record);
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().code, Errc::unavailable);
    EXPECT_EQ(Codec::decode_draft("{}").error().code, Errc::invalid_field);
    record[0] = 'D';
    EXPECT_EQ(Codec::decode_draft(record).error().code, Errc::invalid_field);
    record[0] = 0;
    EXPECT_EQ(Codec::decode_draft(record).error().code, Errc::invalid_field);
}

} // namespace
} // namespace parley::protocol::log
