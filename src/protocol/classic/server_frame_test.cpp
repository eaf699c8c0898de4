#include "protocol/classic/server_frame.hpp"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace parley::protocol::classic {
namespace {

constexpr model::Time kTime{1'767'323'045'678};

model::Message message() {
    model::Message m;
    m.id = {9223372036854775807};
    m.room_id = {7};
    m.user_id = {9};
    m.content = "a \"b\"\n";
    m.created_at = kTime;
    return m;
}

template <class... Arguments>
std::string written(void (*append)(std::string&, Arguments...),
                    std::type_identity_t<Arguments>... arguments) {
    std::string out = "before ";
    append(out, arguments...);
    return out.substr(7);
}

TEST(ClassicServerFrame, AMessageHasTheOldShape) {
    EXPECT_EQ(
        written(append_message, message(), "node \"1\""),
        R"({"id":9223372036854775807,"content":"a \"b\"\n","server":"node \"1\"","user_id":9,)"
        R"("channel_id":7,"message_type":"TEXT","event_type":"chat","media_id":""})");
    model::Message picture = message();
    picture.type = model::MessageType::media;
    picture.media_id = model::MediaId{5};
    EXPECT_NE(written(append_message, picture, "n").find(R"("media_id":"5"})"), std::string::npos);
}

TEST(ClassicServerFrame, GreetingsAndErrors) {
    EXPECT_EQ(written(append_joined, "kitchen \\"),
              R"({"type":"join_room","room":"kitchen \\","success":true})");
    EXPECT_EQ(written(append_pong), R"({"type":"heartbeat","message":"PONG"})");
    EXPECT_EQ(written(append_join_notice, model::RoomId{7}, model::UserId{9}, "anna", "n"),
              R"({"id":0,"content":"anna joined","server":"n","user_id":9,"channel_id":7,)"
              R"("message_type":"TEXT","event_type":"join_room","media_id":""})");
    EXPECT_EQ(written(append_error, "rate_limited", "slow \"down\"", std::chrono::milliseconds(20)),
              R"({"event_type":"error","error":"slow \"down\"","code":"rate_limited",)"
              R"("retry_after_ms":20})");
    EXPECT_EQ(written(append_refusal, "no \"x\""), R"({"error":"no \"x\""})");
}

TEST(ClassicServerFrame, HistoryTellsWhatIsThere) {
    model::Message gone = message();
    EXPECT_EQ(written(append_history_message, gone),
              R"({"id":9223372036854775807,"channel_id":7,"user_id":9,)"
              R"("content":{"String":"a \"b\"\n","Valid":true},)"
              R"("media_id":{"String":"","Valid":false},"message_type":"TEXT",)"
              R"("created_at":"2026-01-02T03:04:05.678Z"})");
    gone.content.clear();
    gone.deleted = true;
    EXPECT_NE(
        written(append_history_message, gone).find(R"("content":{"String":"","Valid":false})"),
        std::string::npos);
}

TEST(ClassicServerFrame, RoomsAndMembers) {
    model::Room room;
    room.id = {7};
    const auto typed = [&](model::RoomKind kind, model::Visibility visibility) {
        room.kind = kind;
        room.visibility = visibility;
        return written(append_room, room, "x");
    };
    using model::RoomKind;
    using model::Visibility;
    const std::string group = R"({"roomid":7,"roomname":"x","typ":"GROUP"})";
    const std::string dm = R"({"roomid":7,"roomname":"x","typ":"DM"})";
    EXPECT_EQ(typed(RoomKind::group, Visibility::open), group);
    EXPECT_EQ(typed(RoomKind::group, Visibility::restricted), group);
    EXPECT_EQ(typed(RoomKind::group, Visibility::pair), dm);
    EXPECT_EQ(typed(RoomKind::dm, Visibility::restricted), dm);
    model::Member member;
    member.user_id = {9};
    member.username = "anna";
    EXPECT_EQ(written(append_member, model::RoomId{7}, member, kTime),
              R"({"user_id":9,"channel_id":7,"username":"anna",)"
              R"("online_at":"2026-01-02T03:04:05.678Z"})");
}

} // namespace
} // namespace parley::protocol::classic
