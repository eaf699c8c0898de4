#include "base/limits.hpp"
#include "chat/composer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parley::chat {
namespace {

constexpr model::RoomId kRoom{10};
constexpr model::UserId kUser{20}, kOther{21}, kThird{22};

Result<model::Draft> post(PostFields fields) { return Composer::post(kRoom, kUser, fields); }
PostFields text(std::string_view content) {
    return {.nonce = "n", .type = "TEXT", .content = content, .media_id = {}, .reply_to = {}};
}
const model::PostDraft& body(const Result<model::Draft>& draft) {
    return std::get<model::PostDraft>(draft->body());
}
std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    while (times--) out += text;
    return out;
}

TEST(ComposerPost, TrimsAndCountsCodePoints) {
    EXPECT_EQ(body(post(text(" \u3000hi\n "))).content, "hi");
    EXPECT_TRUE(post(text(repeated("\U0001F600", 4'000))));
    EXPECT_EQ(post(text(repeated("\U0001F600", 4'001))).error().code, Errc::too_long);
    EXPECT_EQ(post(text(" \u2003\t ")).error().code, Errc::invalid_field);
    EXPECT_EQ(post(text("")).error().code, Errc::invalid_field);
}

TEST(ComposerPost, RefusesPoisonTextAndNamesTheField) {
    for (const std::string& bad :
         {std::string("a\0b", 3), std::string("a\xFF"), std::string("\0", 1)}) {
        const auto answer = post(text(bad));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::invalid_field);
        EXPECT_TRUE(answer.error().detail.starts_with("content"));
    }
}

TEST(ComposerPost, BoundsTheNonce) {
    PostFields fields = text("hi");
    const std::string longest(64, 'x'), too_long(65, 'x');
    fields.nonce = longest;
    EXPECT_TRUE(post(fields));
    for (const std::string& bad : {too_long, std::string(), std::string("a\0", 2)}) {
        fields.nonce = bad;
        const auto answer = post(fields);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::invalid_field);
        EXPECT_TRUE(answer.error().detail.starts_with("nonce"));
    }
}

TEST(ComposerPost, TakesMediaOnlyWithTheirFacts) {
    PostFields fields = text("hi");
    fields.type = "MEDIA";
    EXPECT_EQ(post(fields).error().code, Errc::invalid_field);
    fields.media_id = model::MediaId{5};
    EXPECT_EQ(post(fields).error().code, Errc::media_not_uploaded);
    const auto facts = std::make_shared<const model::MediaFacts>();
    fields.media = facts;
    fields.content = "";
    const auto draft = post(fields);
    ASSERT_TRUE(draft);
    EXPECT_EQ(std::get<model::PostDraft>(draft->body()).media, facts);
    for (const char* type : {"", "text", "VIDEO"}) {
        fields.type = type;
        EXPECT_EQ(post(fields).error().code, Errc::invalid_field);
    }
}

TEST(ComposerPost, HashesTheBodyButNotTheNonce) {
    PostFields fields = text("hello");
    const std::uint64_t hash = body(post(fields)).body_hash;
    // Stored beside messages for ever: a change of the definition would turn retries into
    // conflicts.
    EXPECT_EQ(hash, 0xD82A711669587D4Full);
    fields.nonce = "another";
    EXPECT_EQ(body(post(fields)).body_hash, hash);
    EXPECT_EQ(body(post(text(" hello "))).body_hash, hash);
    EXPECT_NE(body(post(text("hello!"))).body_hash, hash);
    fields.reply_to = model::MessageId{7};
    EXPECT_NE(body(post(fields)).body_hash, hash);
}

TEST(ComposerEdit, ChecksTheContentLikeAPost) {
    const auto draft = Composer::edit(kRoom, kUser, {3}, " new ");
    EXPECT_EQ(std::get<model::EditDraft>(draft->body()).content, "new");
    EXPECT_EQ(Composer::edit(kRoom, kUser, {3}, "  ").error().code, Errc::invalid_field);
    EXPECT_EQ(Composer::edit(kRoom, kUser, {3}, std::string(4'001, 'a')).error().code,
              Errc::too_long);
}

TEST(ComposerReact, TakesWhatMayBeAnEmoji) {
    for (const char* good :
         {"\U0001F600", "+1", "\u2764\uFE0F", "\U0001F468\u200D\U0001F469\u200D\U0001F467"})
        EXPECT_TRUE(Composer::react(kRoom, kUser, {3}, good, true)) << good;
    for (const std::string& bad :
         {std::string(), std::string("a b"), std::string("a\u00A0"), std::string("a\n"),
          std::string("\0", 1), std::string("\xF0\x9F"), std::string("a\u2028")})
        EXPECT_EQ(Composer::react(kRoom, kUser, {3}, bad, true).error().code, Errc::invalid_field);
    EXPECT_EQ(Composer::react(kRoom, kUser, {3}, std::string(17, 'a'), true).error().code,
              Errc::too_long);
    EXPECT_TRUE(Composer::react(kRoom, kUser, {3}, repeated("\U0001F600", 16), true));
    EXPECT_EQ(Composer::react(kRoom, kUser, {3}, repeated("a\U0001F600", 16), true).error().code,
              Errc::too_long);
}

TEST(ComposerMember, OneCanOnlyLeaveOneself) {
    using model::MemberAction;
    EXPECT_TRUE(Composer::member(kRoom, kUser, {kUser, MemberAction::left, {}}));
    EXPECT_EQ(Composer::member(kRoom, kUser, {kOther, MemberAction::left, {}}).error().code,
              Errc::invalid_field);
    EXPECT_TRUE(Composer::member(kRoom, kUser, {kOther, MemberAction::removed, {}}));
}

TEST(ComposerRoom, LeavesOutWhatIsNotThere) {
    model::RoomDraft draft;
    draft.topic = " news ";
    const auto answer = Composer::room(kRoom, kUser, draft);
    const auto& body = std::get<model::RoomDraft>(answer->body());
    EXPECT_EQ(body.topic, "news");
    EXPECT_FALSE(body.name);
    draft.name = "x";
    EXPECT_EQ(Composer::room(kRoom, kUser, draft).error().code, Errc::invalid_field);
}

TEST(ComposerCreate, ListsEachMemberOnceAndNotTheCreator) {
    model::CreateDraft draft;
    draft.name = " general ";
    draft.member_ids = {kOther, kUser, kThird, kOther};
    const auto answer = Composer::create(kUser, draft);
    const auto& body = std::get<model::CreateDraft>(answer->body());
    EXPECT_EQ(body.name, "general");
    EXPECT_EQ(body.member_ids, (std::vector<model::UserId>{kOther, kThird}));
    EXPECT_FALSE(answer->room_id());
}

TEST(ComposerRoom, AModeratorOfTheServerChangesOnlyPaceAndRetention) {
    model::RoomDraft draft;
    draft.slow_mode_seconds = 30;
    draft.sets_retention = true;
    draft.retention_days = 7;
    const auto answer = Composer::room_by_moderator(kRoom, kUser, draft);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->by_server());
    EXPECT_EQ(std::get<model::RoomDraft>(answer->body()).retention_days, 7U);
    EXPECT_FALSE(Composer::room(kRoom, kUser, draft)->by_server());
    draft.slow_mode_seconds = limits::kSlowModeSecondsMax + 1;
    EXPECT_EQ(Composer::room_by_moderator(kRoom, kUser, draft).error().code, Errc::invalid_field);

    const auto refused = [](auto set) {
        model::RoomDraft other;
        set(other);
        return Composer::room_by_moderator(kRoom, kUser, other).error().code == Errc::forbidden;
    };
    EXPECT_TRUE(refused([](auto& other) { other.name = "soup"; }));
    EXPECT_TRUE(refused([](auto& other) { other.topic = ""; }));
    EXPECT_TRUE(refused([](auto& other) { other.visibility = model::Visibility::open; }));
    EXPECT_TRUE(refused([](auto& other) { other.remove = true; }));
}

TEST(ComposerCreate, ADmIsPrivateNamelessAndOfTwo) {
    model::CreateDraft draft;
    draft.kind = model::RoomKind::dm;
    draft.visibility = model::Visibility::open;
    draft.name = "ignored";
    draft.member_ids = {kOther, kOther};
    const auto answer = Composer::create(kUser, draft);
    ASSERT_TRUE(answer);
    const auto& body = std::get<model::CreateDraft>(answer->body());
    EXPECT_EQ(body.visibility, model::Visibility::restricted);
    EXPECT_EQ(body.name, "");
    for (const std::vector<model::UserId>& bad :
         {std::vector<model::UserId>{}, {kUser}, {kOther, kThird}}) {
        draft.member_ids = bad;
        EXPECT_EQ(Composer::create(kUser, draft).error().code, Errc::invalid_field);
    }
}

TEST(ComposerCreate, BoundsTheFirstMembers) {
    model::CreateDraft draft;
    draft.name = "general";
    for (std::size_t i = 0; i <= limits::kInitialMembers; ++i)
        draft.member_ids.push_back({static_cast<std::int64_t>(100 + i)});
    EXPECT_EQ(Composer::create(kUser, draft).error().code, Errc::too_long);
    draft.member_ids.pop_back();
    EXPECT_TRUE(Composer::create(kUser, draft));
}

} // namespace
} // namespace parley::chat
