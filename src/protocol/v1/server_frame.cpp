#include "protocol/v1/server_frame.hpp"

#include "base/assert.hpp"
#include "protocol/v1/json_writer.hpp"

namespace parley::protocol::v1 {

namespace {

void put_ref(JsonWriter& out, std::string_view ref) {
    if (!ref.empty()) out.raw(",\"ref\":").text(ref);
}

Digits digits_of(auto id) { return Digits(static_cast<std::uint64_t>(id.value)); }

void put_media(JsonWriter& out, const model::Message& message) {
    out.raw(",\"media_id\":").id(*message.media_id);
    if (message.media) out.raw(",\"media\":").json(model::to_json(*message.media));
}

// All but the closing brace.
void put_open_message(JsonWriter& out, const model::Message& message, const Digits& id,
                      const Digits& room_id) {
    out.raw("{\"id\":").id(id).raw(",\"room_id\":").id(room_id);
    out.raw(",\"user_id\":").id(message.user_id).raw(",\"type\":").name(name_of(message.type));
    out.raw(",\"content\":").text(message.content);
    if (message.media_id) put_media(out, message);
    if (message.reply_to) out.raw(",\"reply_to\":").id(*message.reply_to);
    out.raw(",\"created_at\":").time(message.created_at);
    if (message.edited_at) out.raw(",\"edited_at\":").time(*message.edited_at);
    if (message.deleted) out.raw(",\"deleted\":true");
}

void put_open_message(JsonWriter& out, const model::Message& message) {
    put_open_message(out, message, digits_of(message.id), digits_of(message.room_id));
}

std::string_view kind_name(model::RoomKind kind) {
    switch (kind) {
    case model::RoomKind::group:
        return "group";
    case model::RoomKind::dm:
        return "dm";
    }
    PARLEY_ASSERT(!"a RoomKind outside its enum");
}

std::string_view visibility_name(model::Visibility visibility) {
    switch (visibility) {
    case model::Visibility::open:
        return "public";
    case model::Visibility::restricted:
    case model::Visibility::pair:
        return "private";
    }
    PARLEY_ASSERT(!"a Visibility outside its enum");
}

void put_room(JsonWriter& out, const model::Room& room, std::optional<model::Role> my_role) {
    out.raw("{\"id\":").id(room.id).raw(",\"name\":").text(room.name);
    out.raw(",\"kind\":").name(kind_name(room.kind));
    out.raw(",\"visibility\":").name(visibility_name(room.visibility));
    out.raw(",\"topic\":").text(room.topic).raw(",\"created_at\":").time(room.created_at);
    if (my_role) out.raw(",\"my_role\":").name(name_of(*my_role));
    out.raw(",\"member_count\":").number(room.member_count);
    out.raw(",\"slow_mode_seconds\":").number(room.slow_mode_seconds);
    if (room.retention_days) out.raw(",\"retention_days\":").number(*room.retention_days);
    if (room.deleted) out.raw(",\"deleted\":true");
    out.raw("}");
}

// The op of an event's frame, then the fields that all events have.
template <std::size_t N>
JsonWriter& put_head(JsonWriter& out, const char (&op)[N], const model::Event& event) {
    out.raw("{\"op\":\"").raw(op).raw("\",\"room_id\":").id(event.room_id);
    return out.raw(",\"id\":").id(event.id).raw(",\"prev_id\":").id_or_null(event.prev_id);
}

// The frame of the hot path: the message has the event's id and room, which are made into digits
// once.
void put_event(JsonWriter& out, const model::Event& event, const model::MessagePosted& body) {
    PARLEY_ASSERT(body.message.id == event.id && body.message.room_id == event.room_id);
    const Digits room_id = digits_of(event.room_id), id = digits_of(event.id);
    out.raw("{\"op\":\"message\",\"room_id\":").id(room_id).raw(",\"id\":").id(id);
    out.raw(",\"prev_id\":").id_or_null(event.prev_id).raw(",\"message\":");
    put_open_message(out, body.message, id, room_id);
    out.raw("}}");
}

void put_event(JsonWriter& out, const model::Event& event, const model::MessageEdited& body) {
    put_open_message(put_head(out, "edited", event).raw(",\"message\":"), body.message);
    out.raw("}}");
}

void put_event(JsonWriter& out, const model::Event& event, const model::MessageDeleted& body) {
    put_head(out, "deleted", event).raw(",\"message_id\":").id(body.message_id).raw("}");
}

void put_event(JsonWriter& out, const model::Event& event, const model::ReactionChanged& body) {
    put_head(out, "reaction", event).raw(",\"message_id\":").id(body.message_id);
    out.raw(",\"user_id\":").id(event.user_id).raw(",\"emoji\":").text(body.emoji);
    out.raw(",\"added\":").flag(body.added).raw("}");
}

void put_event(JsonWriter& out, const model::Event& event, const model::MemberChanged& body) {
    put_head(out, "member", event).raw(",\"user_id\":").id(body.user_id);
    out.raw(",\"action\":").name(name_of(body.action));
    out.raw(",\"role\":").name(name_of(body.role)).raw("}");
}

void put_event(JsonWriter& out, const model::Event& event, const model::RoomChanged& body) {
    put_room(put_head(out, "room", event).raw(",\"room\":"), body.room, std::nullopt);
    out.raw("}");
}

void put_event(JsonWriter& out, const model::Event& event) {
    std::visit([&](const auto& body) { put_event(out, event, body); }, event.body);
}

// Of the text that makes a frame long, so that most frames grow their string once.
std::size_t content_bytes(const model::Event& event) {
    const auto* posted = std::get_if<model::MessagePosted>(&event.body);
    return posted ? posted->message.content.size() : 0;
}

} // namespace

void append_string(std::string& out, std::string_view text) {
    JsonWriter(out, text.size()).text(text);
}

void append_id(std::string& out, std::int64_t id) { JsonWriter(out).id(model::EventId{id}); }

void append_message(std::string& out, const model::Message& message) {
    JsonWriter writer(out, message.content.size());
    put_open_message(writer, message);
    writer.raw("}");
}

void append_message(std::string& out, const model::Message& message,
                    std::span<const model::ReactionSummary> reactions) {
    JsonWriter writer(out, message.content.size());
    put_open_message(writer, message);
    if (!reactions.empty()) writer.raw(",\"reactions\":[");
    for (const model::ReactionSummary& reaction : reactions) {
        if (&reaction != reactions.data()) writer.raw(",");
        writer.raw("{\"emoji\":").text(reaction.emoji).raw(",\"count\":").number(reaction.count);
        writer.raw(",\"user_ids\":[");
        writer.ensure(24 * reaction.user_ids.size() + JsonWriter::kFixedBytes);
        for (const model::UserId& user : reaction.user_ids) {
            if (&user != reaction.user_ids.data()) writer.raw(",");
            writer.id(user);
        }
        writer.raw("]}");
    }
    if (!reactions.empty()) writer.raw("]");
    writer.raw("}");
}

void append_room(std::string& out, const model::Room& room, std::optional<model::Role> my_role) {
    JsonWriter writer(out, room.name.size() + room.topic.size());
    put_room(writer, room, my_role);
}

std::string_view name_of(model::Role role) {
    switch (role) {
    case model::Role::member:
        return "member";
    case model::Role::admin:
        return "admin";
    case model::Role::owner:
        return "owner";
    }
    PARLEY_ASSERT(!"a Role outside its enum");
}

std::string_view name_of(model::MessageType type) {
    switch (type) {
    case model::MessageType::text:
        return "TEXT";
    case model::MessageType::media:
        return "MEDIA";
    }
    PARLEY_ASSERT(!"a MessageType outside its enum");
}

std::string_view name_of(model::MemberAction action) {
    switch (action) {
    case model::MemberAction::joined:
        return "joined";
    case model::MemberAction::left:
        return "left";
    case model::MemberAction::removed:
        return "removed";
    case model::MemberAction::role:
        return "role";
    }
    PARLEY_ASSERT(!"a MemberAction outside its enum");
}

std::optional<model::Role> role_from(std::string_view name) {
    for (const auto role : {model::Role::member, model::Role::admin, model::Role::owner})
        if (name == name_of(role)) return role;
    return std::nullopt;
}

void append_welcome(std::string& out, std::string_view ref, model::UserId user,
                    std::string_view connection_id, std::chrono::milliseconds heartbeat,
                    const AdvertisedLimits& limits) {
    JsonWriter writer(out, ref.size() + connection_id.size());
    writer.raw("{\"op\":\"welcome\"");
    put_ref(writer, ref);
    writer.raw(",\"user_id\":").id(user);
    writer.raw(",\"connection_id\":").text(connection_id);
    writer.raw(",\"heartbeat_ms\":").number(static_cast<std::uint64_t>(heartbeat.count()));
    writer.raw(",\"limits\":{\"content\":").number(limits.content);
    writer.raw(",\"frame\":").number(limits.frame);
    writer.raw(",\"sends_per_second\":").number(limits.sends_per_second).raw("}}");
}

void append_event(std::string& out, const model::Event& event) {
    JsonWriter writer(out, content_bytes(event));
    put_event(writer, event);
}

void append_sent(std::string& out, std::string_view ref, std::string_view nonce,
                 const model::Event& event) {
    const auto* posted = std::get_if<model::MessagePosted>(&event.body);
    PARLEY_ASSERT(posted);
    JsonWriter writer(out, ref.size() + nonce.size() + content_bytes(event));
    writer.raw("{\"op\":\"sent\"");
    put_ref(writer, ref);
    writer.raw(",\"nonce\":").text(nonce).raw(",\"room_id\":").id(event.room_id);
    writer.raw(",\"prev_id\":").id_or_null(event.prev_id).raw(",\"message\":");
    put_open_message(writer, posted->message);
    writer.raw("}}");
}

void append_done(std::string& out, std::string_view ref, model::RoomId room, model::EventId id) {
    JsonWriter writer(out, ref.size());
    writer.raw("{\"op\":\"done\"");
    put_ref(writer, ref);
    writer.raw(",\"room_id\":").id(room).raw(",\"id\":").id(id).raw("}");
}

void append_subscribed(std::string& out, std::string_view ref, model::RoomId room,
                       model::EventId last_id, std::span<const model::Event> events, bool recovered,
                       bool more) {
    JsonWriter writer(out, ref.size());
    writer.raw("{\"op\":\"subscribed\"");
    put_ref(writer, ref);
    writer.raw(",\"room_id\":").id(room).raw(",\"last_id\":").id_or_null(last_id);
    writer.raw(",\"recovered\":").flag(recovered).raw(",\"events\":[");
    for (const model::Event& event : events) {
        if (&event != events.data()) writer.raw(",");
        writer.ensure(content_bytes(event) + 2 * JsonWriter::kFixedBytes);
        put_event(writer, event);
        writer.ensure(JsonWriter::kFixedBytes);
    }
    writer.raw("],\"more\":").flag(more).raw("}");
}

void append_unsubscribed(std::string& out, std::string_view ref, model::RoomId room) {
    JsonWriter writer(out, ref.size());
    writer.raw("{\"op\":\"unsubscribed\"");
    put_ref(writer, ref);
    writer.raw(",\"room_id\":").id(room).raw("}");
}

void append_pong(std::string& out, std::string_view ref) {
    JsonWriter writer(out, ref.size());
    writer.raw("{\"op\":\"pong\"");
    put_ref(writer, ref);
    writer.raw("}");
}

void append_typing(std::string& out, model::RoomId room, model::UserId user) {
    JsonWriter writer(out);
    writer.raw("{\"op\":\"typing\",\"room_id\":").id(room);
    writer.raw(",\"user_id\":").id(user).raw("}");
}

void append_receipt(std::string& out, model::RoomId room, model::UserId user,
                    model::MessageId message) {
    JsonWriter writer(out);
    writer.raw("{\"op\":\"receipt\",\"room_id\":").id(room).raw(",\"user_id\":").id(user);
    writer.raw(",\"message_id\":").id(message).raw("}");
}

void append_presence(std::string& out, model::RoomId room, model::UserId user, bool online,
                     std::optional<model::Time> last_seen_at) {
    JsonWriter writer(out);
    writer.raw("{\"op\":\"presence\",\"room_id\":").id(room).raw(",\"user_id\":").id(user);
    writer.raw(",\"online\":").flag(online).raw(",\"last_seen_at\":");
    last_seen_at ? writer.time(*last_seen_at) : writer.raw("null");
    writer.raw("}");
}

void append_goaway(std::string& out, std::string_view reason,
                   std::chrono::milliseconds retry_after) {
    JsonWriter writer(out, reason.size());
    writer.raw("{\"op\":\"goaway\",\"reason\":").text(reason).raw(",\"retry_after_ms\":");
    writer.number(static_cast<std::uint64_t>(retry_after.count())).raw("}");
}

void append_error(std::string& out, std::string_view ref, std::string_view nonce,
                  std::string_view code, std::string_view detail,
                  std::optional<std::chrono::milliseconds> retry_after) {
    JsonWriter writer(out, ref.size() + nonce.size() + code.size() + detail.size());
    writer.raw("{\"op\":\"error\"");
    put_ref(writer, ref);
    if (!nonce.empty()) writer.raw(",\"nonce\":").text(nonce);
    writer.raw(",\"code\":").text(code).raw(",\"detail\":").text(detail);
    if (retry_after)
        writer.raw(",\"retry_after_ms\":").number(static_cast<std::uint64_t>(retry_after->count()));
    writer.raw("}");
}

} // namespace parley::protocol::v1
