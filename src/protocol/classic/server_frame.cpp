#include "protocol/classic/server_frame.hpp"

#include "protocol/v1/json_writer.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::protocol::classic {

namespace {

using v1::JsonWriter;

std::uint64_t number_of(auto id) { return static_cast<std::uint64_t>(id.value); }

// What Go makes of a string that may be absent.
void put_nullable(JsonWriter& out, std::string_view text) {
    out.raw("{\"String\":").text(text).raw(",\"Valid\":").flag(!text.empty()).raw("}");
}

} // namespace

std::string_view type_of(const model::Room& room) {
    const bool two = room.kind == model::RoomKind::dm || room.visibility == model::Visibility::pair;
    return two ? "DM" : "GROUP";
}

void append_message(std::string& out, const model::Message& message, std::string_view server) {
    JsonWriter writer(out, message.content.size() + server.size());
    writer.raw("{\"id\":").number(number_of(message.id));
    writer.raw(",\"content\":").text(message.content).raw(",\"server\":").text(server);
    writer.raw(",\"user_id\":").number(number_of(message.user_id));
    writer.raw(",\"channel_id\":").number(number_of(message.room_id));
    writer.raw(",\"message_type\":").name(v1::name_of(message.type));
    writer.raw(",\"event_type\":\"chat\",\"media_id\":");
    message.media_id ? writer.id(*message.media_id) : writer.raw("\"\"");
    writer.raw("}");
}

void append_join_notice(std::string& out, model::RoomId room, model::UserId user,
                        std::string_view username, std::string_view server) {
    JsonWriter writer(out, username.size() + server.size());
    writer.raw("{\"id\":0,\"content\":").text(std::string(username) + " joined");
    writer.raw(",\"server\":").text(server).raw(",\"user_id\":").number(number_of(user));
    writer.raw(",\"channel_id\":").number(number_of(room));
    writer.raw(",\"message_type\":\"TEXT\",\"event_type\":\"join_room\",\"media_id\":\"\"}");
}

void append_joined(std::string& out, std::string_view room_name) {
    JsonWriter writer(out, room_name.size());
    writer.raw("{\"type\":\"join_room\",\"room\":").text(room_name).raw(",\"success\":true}");
}

void append_pong(std::string& out) {
    JsonWriter writer(out);
    writer.raw("{\"type\":\"heartbeat\",\"message\":\"PONG\"}");
}

void append_error(std::string& out, std::string_view code, std::string_view text,
                  std::optional<std::chrono::milliseconds> retry_after) {
    JsonWriter writer(out, code.size() + text.size());
    writer.raw("{\"event_type\":\"error\",\"error\":").text(text).raw(",\"code\":").text(code);
    if (retry_after)
        writer.raw(",\"retry_after_ms\":").number(static_cast<std::uint64_t>(retry_after->count()));
    writer.raw("}");
}

void append_refusal(std::string& out, std::string_view text) {
    JsonWriter writer(out, text.size());
    writer.raw("{\"error\":").text(text).raw("}");
}

void append_room(std::string& out, const model::Room& room, std::string_view name) {
    JsonWriter writer(out, name.size());
    writer.raw("{\"roomid\":").number(number_of(room.id)).raw(",\"roomname\":").text(name);
    writer.raw(",\"typ\":").name(type_of(room)).raw("}");
}

void append_history_message(std::string& out, const model::Message& message) {
    JsonWriter writer(out, message.content.size());
    writer.raw("{\"id\":").number(number_of(message.id));
    writer.raw(",\"channel_id\":").number(number_of(message.room_id));
    writer.raw(",\"user_id\":").number(number_of(message.user_id)).raw(",\"content\":");
    put_nullable(writer, message.content);
    writer.raw(",\"media_id\":");
    put_nullable(writer, message.media_id ? message.media_id->to_string() : std::string());
    writer.raw(",\"message_type\":").name(v1::name_of(message.type));
    writer.raw(",\"created_at\":").time(message.created_at).raw("}");
}

void append_member(std::string& out, model::RoomId room, const model::Member& member,
                   model::Time online_at) {
    JsonWriter writer(out, member.username.size());
    writer.raw("{\"user_id\":").number(number_of(member.user_id));
    writer.raw(",\"channel_id\":").number(number_of(room));
    writer.raw(",\"username\":").text(member.username);
    writer.raw(",\"online_at\":").time(online_at).raw("}");
}

} // namespace parley::protocol::classic
