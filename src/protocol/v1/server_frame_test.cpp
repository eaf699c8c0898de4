#include "protocol/v1/server_frame.hpp"

#include <gtest/gtest.h>

// Another parser than the one that reads frames, whole in this file.
#include <boost/json/src.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace parley::protocol::v1 {
namespace {

using namespace std::chrono_literals;

// 2026-01-02T03:04:05.678Z
constexpr model::Time kTime{1'767'323'045'678};

model::Message message() {
    model::Message m;
    m.id = {101};
    m.room_id = {7};
    m.user_id = {9223372036854775807};
    m.content = "hi";
    m.created_at = kTime;
    return m;
}

model::Event event(model::EventBody body) {
    model::Event e;
    e.id = {101};
    e.prev_id = {100};
    e.room_id = {7};
    e.user_id = {9};
    e.at = kTime;
    e.body = std::move(body);
    return e;
}

template <class Append, class... Arguments>
std::string text(Append append, const Arguments&... arguments) {
    std::string out = "kept:";
    append(out, arguments...);
    EXPECT_TRUE(out.starts_with("kept:"));
    return out.substr(5);
}

std::string text_of(const model::Event& e) {
    return text([](std::string& out, const model::Event& x) { append_event(out, x); }, e);
}

std::string parsed_string(const std::string& json) {
    boost::system::error_code error;
    const auto value = boost::json::parse(json, error);
    EXPECT_FALSE(error) << json << ": " << error.message();
    return error ? "" : std::string(value.as_string());
}

const std::string kMessageText =
    R"({"id":"101","room_id":"7","user_id":"9223372036854775807","type":"TEXT","content":"hi",)"
    R"("created_at":"2026-01-02T03:04:05.678Z"})";

TEST(ServerFrame, EveryEventHasItsFrame) {
    EXPECT_EQ(text_of(event(model::MessagePosted{message(), "n"})),
              R"({"op":"message","room_id":"7","id":"101","prev_id":"100","message":)" +
                  kMessageText + "}");
    auto edited = message();
    edited.edited_at = model::Time{0};
    EXPECT_EQ(
        text_of(event(model::MessageEdited{edited})),
        R"({"op":"edited","room_id":"7","id":"101","prev_id":"100","message":{"id":"101",)"
        R"("room_id":"7","user_id":"9223372036854775807","type":"TEXT","content":"hi",)"
        R"("created_at":"2026-01-02T03:04:05.678Z","edited_at":"1970-01-01T00:00:00.000Z"}})");
    EXPECT_EQ(text_of(event(model::MessageDeleted{{55}})),
              R"({"op":"deleted","room_id":"7","id":"101","prev_id":"100","message_id":"55"})");
    EXPECT_EQ(text_of(event(model::ReactionChanged{{55}, "\xF0\x9F\x98\x80", false})),
              R"({"op":"reaction","room_id":"7","id":"101","prev_id":"100","message_id":"55",)"
              "\"user_id\":\"9\",\"emoji\":\"\xF0\x9F\x98\x80\",\"added\":false}");
    EXPECT_EQ(text_of(event(
                  model::MemberChanged{{12}, model::MemberAction::removed, model::Role::admin})),
              R"({"op":"member","room_id":"7","id":"101","prev_id":"100","user_id":"12",)"
              R"("action":"removed","role":"admin"})");
    model::Room room{{7}, "a \"room\"", model::RoomKind::group, model::Visibility::open, "t", kTime,
                     3,   false};
    auto created = event(model::RoomChanged{room});
    created.prev_id = {};
    EXPECT_EQ(
        text_of(created),
        R"({"op":"room","room_id":"7","id":"101","prev_id":null,"room":{"id":"7",)"
        R"("name":"a \"room\"","kind":"group","visibility":"public","topic":"t",)"
        R"("created_at":"2026-01-02T03:04:05.678Z","member_count":3,"slow_mode_seconds":0}})");
}

TEST(ServerFrame, AMessageHasItsOptionalFieldsOnlyWhenTheyAreThere) {
    auto full = message();
    full.type = model::MessageType::media;
    full.content.clear();
    full.media_id = model::MediaId{3};
    full.reply_to = model::MessageId{4};
    full.edited_at = kTime;
    full.deleted = true;
    std::string out;
    append_message(out, full);
    EXPECT_EQ(
        out,
        R"({"id":"101","room_id":"7","user_id":"9223372036854775807","type":"MEDIA",)"
        R"("content":"","media_id":"3","reply_to":"4","created_at":"2026-01-02T03:04:05.678Z",)"
        R"("edited_at":"2026-01-02T03:04:05.678Z","deleted":true})");
    out.clear();
    append_message(out, message(), {});
    EXPECT_EQ(out, kMessageText);
    out.clear();
    const std::vector<model::ReactionSummary> reactions{{"+1", 2, {{1}, {2}}}, {"\"", 40, {}}};
    append_message(out, message(), reactions);
    EXPECT_EQ(out, kMessageText.substr(0, kMessageText.size() - 1) +
                       R"(,"reactions":[{"emoji":"+1","count":2,"user_ids":["1","2"]},)"
                       R"({"emoji":"\"","count":40,"user_ids":[]}]})");
}

TEST(ServerFrame, ARoomHasMyRoleWhereItIsGiven) {
    model::Room room;
    room.id = {7};
    room.kind = model::RoomKind::dm;
    std::string out;
    append_room(out, room, model::Role::owner);
    EXPECT_EQ(
        out,
        R"({"id":"7","name":"","kind":"dm","visibility":"private","topic":"",)"
        R"("created_at":"1970-01-01T00:00:00.000Z","my_role":"owner","member_count":0,)"
        R"("slow_mode_seconds":0})");
    out.clear();
    room.deleted = true;
    append_room(out, room, std::nullopt);
    EXPECT_TRUE(out.ends_with(R"("slow_mode_seconds":0,"deleted":true})")) << out;
}

TEST(ServerFrame, AnswersCarryTheRefOfTheirRequest) {
    std::string out;
    const auto take = [&] { return std::exchange(out, {}); };
    append_sent(out, "a\"b", "n", event(model::MessagePosted{message(), "n"}));
    EXPECT_EQ(take(),
              R"({"op":"sent","ref":"a\"b","nonce":"n","room_id":"7","prev_id":"100","message":)" +
                  kMessageText + "}");
    auto first = event(model::MessagePosted{message(), "n"});
    first.prev_id = {};
    append_sent(out, "", "n", first);
    EXPECT_EQ(take(), R"({"op":"sent","nonce":"n","room_id":"7","prev_id":null,"message":)" +
                          kMessageText + "}");
    append_done(out, "r", {7}, {8});
    EXPECT_EQ(take(), R"({"op":"done","ref":"r","room_id":"7","id":"8"})");
    append_unsubscribed(out, "r", {7});
    EXPECT_EQ(take(), R"({"op":"unsubscribed","ref":"r","room_id":"7"})");
    append_unsubscribed(out, "", {7});
    EXPECT_EQ(take(), R"({"op":"unsubscribed","room_id":"7"})");
    append_pong(out, "r");
    EXPECT_EQ(take(), R"({"op":"pong","ref":"r"})");
    append_pong(out, "");
    EXPECT_EQ(take(), R"({"op":"pong"})");
}

TEST(ServerFrame, SubscribedHoldsTheEventsAsTheyWouldHaveComeLive) {
    std::string out;
    append_subscribed(out, "r", {7}, {}, {}, false, false);
    EXPECT_EQ(out, R"({"op":"subscribed","ref":"r","room_id":"7","last_id":null,"recovered":false,)"
                   R"("events":[],"more":false})");
    const std::vector<model::Event> events{event(model::MessagePosted{message(), "n"}),
                                           event(model::MessageDeleted{{101}})};
    out.clear();
    append_subscribed(out, "", {7}, {101}, events, true, true);
    EXPECT_EQ(out,
              R"({"op":"subscribed","room_id":"7","last_id":"101","recovered":true,"events":[)" +
                  text_of(events[0]) + "," + text_of(events[1]) + R"(],"more":true})");
}

TEST(ServerFrame, TheOtherFrames) {
    std::string out;
    const auto take = [&] { return std::exchange(out, {}); };
    append_welcome(out, "r", {9}, "c-1", 25s, {4000, 65536, 0});
    EXPECT_EQ(take(), R"({"op":"welcome","ref":"r","user_id":"9","connection_id":"c-1",)"
                      R"("heartbeat_ms":25000,)"
                      R"("limits":{"content":4000,"frame":65536,"sends_per_second":0}})");
    append_typing(out, {7}, {9});
    EXPECT_EQ(take(), R"({"op":"typing","room_id":"7","user_id":"9"})");
    append_receipt(out, {7}, {9}, {5});
    EXPECT_EQ(take(), R"({"op":"receipt","room_id":"7","user_id":"9","message_id":"5"})");
    append_presence(out, {7}, {9}, true, std::nullopt);
    EXPECT_EQ(take(),
              R"({"op":"presence","room_id":"7","user_id":"9","online":true,"last_seen_at":null})");
    append_presence(out, {7}, {9}, false, kTime);
    EXPECT_EQ(take(), R"({"op":"presence","room_id":"7","user_id":"9","online":false,)"
                      R"("last_seen_at":"2026-01-02T03:04:05.678Z"})");
    append_goaway(out, "drain", 1500ms);
    EXPECT_EQ(take(), R"({"op":"goaway","reason":"drain","retry_after_ms":1500})");
    append_error(out, "", "", "bad_frame", "a \"b\"");
    EXPECT_EQ(take(), R"({"op":"error","code":"bad_frame","detail":"a \"b\""})");
    append_error(out, "r", "n", "rate_limited", "d", 250ms);
    EXPECT_EQ(take(), R"({"op":"error","ref":"r","nonce":"n","code":"rate_limited","detail":"d",)"
                      R"("retry_after_ms":250})");
}

TEST(ServerFrame, ABytePerPlaceIsEscapedExactlyWhenItMustBe) {
    // Every ASCII character at every place of texts that are shorter and longer than a word.
    for (std::size_t size = 1; size <= 20; ++size)
        for (std::size_t place = 0; place < size; ++place)
            for (int c = 0; c < 128; ++c) {
                std::string in(size, 'x');
                in[place] = static_cast<char>(c);
                std::string out;
                append_string(out, in);
                ASSERT_EQ(parsed_string(out), in) << size << " " << place << " " << c;
                const bool escaped = c < 0x20 || c == '"' || c == '\\';
                ASSERT_EQ(out.size() > size + 2, escaped) << c;
            }
}

TEST(ServerFrame, NaughtyStringsComeBackAsTheyWere) {
    std::string controls;
    for (int c = 0; c < 0x20; ++c) controls += static_cast<char>(c);
    for (const std::string& in :
         {std::string(), controls, controls + controls, std::string(5'000, '"'),
          std::string(5'000, '\\'), std::string(3'000, '\x01') + "z",
          std::string("\x7F\xC2\x80\xC2\x85"),
          std::string("\xE2\x80\xA8\xE2\x80\xA9 line separators"), std::string("</script><!--"),
          std::string("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB\xEF\xB8\x8F"),
          std::string("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D\xE2\x80\xAE rtl"),
          std::string("Z\xCC\x81\xCC\x82"), std::string("\xEF\xBF\xBD\xEF\xBF\xBF\xF4\x8F\xBF\xBF"),
          std::string("\\u0000 \\\" \\"), std::string("1;DROP TABLE users"),
          std::string("{\"op\":\"sent\"}"),
          std::string(16'000, 'a') + "\n" + std::string(16'000, 'b')}) {
        std::string out;
        append_string(out, in);
        EXPECT_EQ(parsed_string(out), in);
        auto posted = message();
        posted.content = in;
        const auto frame = boost::json::parse(text_of(event(model::MessagePosted{posted, "n"})));
        EXPECT_EQ(std::string(frame.at("message").at("content").as_string()), in);
        EXPECT_EQ(frame.at("message").at("created_at").as_string(), "2026-01-02T03:04:05.678Z");
    }
    std::string short_ones;
    append_string(short_ones, "\b\f\n\r\t\x1F/");
    EXPECT_EQ(short_ones, R"("\b\f\n\r\t\u001f/")");
}

TEST(ServerFrame, AnyNumberOfTextsGetsItsRoom) {
    auto posted = message();
    posted.content = std::string(4'000, '\x02');
    const std::vector<model::Event> events(500, event(model::MessagePosted{posted, "n"}));
    std::string out;
    append_subscribed(out, std::string(64, '\x03'), {7}, {101}, events, true, false);
    const auto frame = boost::json::parse(out);
    ASSERT_EQ(frame.at("events").as_array().size(), 500u);
    EXPECT_EQ(frame.at("events").as_array()[499].at("message").at("content").as_string(),
              posted.content);
    std::vector<model::ReactionSummary> reactions(
        300, {"e", 100, std::vector<model::UserId>(100, {9223372036854775807})});
    out.clear();
    append_message(out, message(), reactions);
    EXPECT_EQ(boost::json::parse(out).at("reactions").as_array().size(), 300u);
}

TEST(ServerFrame, IdsOfEveryLength) {
    std::vector<std::int64_t> ids{9223372036854775807};
    for (std::int64_t power = 1;; power *= 10) {
        for (const std::int64_t id : {power - 1, power, power + 1, power / 9 * 7 + 3})
            ids.push_back(id);
        if (power == 1'000'000'000'000'000'000) break;
    }
    for (const std::int64_t id : ids) {
        std::string out;
        append_id(out, id);
        EXPECT_EQ(out, '"' + std::to_string(id) + '"');
    }
}

TEST(ServerFrame, NamesOfTheWire) {
    EXPECT_EQ(name_of(model::MemberAction::joined), "joined");
    EXPECT_EQ(name_of(model::MemberAction::left), "left");
    EXPECT_EQ(name_of(model::MemberAction::role), "role");
    for (const auto role : {model::Role::member, model::Role::admin, model::Role::owner})
        EXPECT_EQ(role_from(name_of(role)), role);
    EXPECT_EQ(role_from("Owner"), std::nullopt);
    EXPECT_EQ(role_from(""), std::nullopt);
}

TEST(ServerFrame, EveryErrcHasACodeOfTheSocketContract) {
    const std::vector<std::string_view> codes{
        "bad_frame",        "unknown_op",   "invalid_field", "not_a_member",   "unknown_room",
        "unknown_message",  "forbidden",    "too_long",      "nonce_conflict", "content_held",
        "content_rejected", "rate_limited", "unavailable"};
    for (int code = static_cast<int>(Errc::unavailable); code <= static_cast<int>(Errc::internal);
         ++code) {
        const auto name = socket_code(static_cast<Errc>(code));
        EXPECT_NE(std::find(codes.begin(), codes.end(), name), codes.end()) << code;
        const auto own = name_of(static_cast<Errc>(code));
        const bool shared = std::find(codes.begin(), codes.end(), own) != codes.end();
        EXPECT_TRUE(!shared || name == own) << own;
    }
    EXPECT_EQ(socket_code(Errc::overloaded), "unavailable");
    EXPECT_EQ(socket_code(Errc::shutting_down), "unavailable");
    EXPECT_EQ(socket_code(Errc::internal), "unavailable");
    EXPECT_EQ(socket_code(Errc::bad_json), "bad_frame");
}

} // namespace
} // namespace parley::protocol::v1
