// v1 frames to a client: values -> bytes, written by hand because each event is encoded on the hot
// path (once, for all recipients). Every function appends one JSON object to `out` and nothing
// else; fields stand in the order of the wire contract. Ids are strings, times RFC 3339, and a
// string is escaped as RFC 8259 asks and no more. Threading: pure functions.
#pragma once

#include "base/result.hpp"
#include "model/message.hpp"
#include "model/room.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace parley::protocol::v1 {

struct AdvertisedLimits {
    std::uint64_t content = 0, frame = 0, sends_per_second = 0; // 0 sends: no limit is in force
};

// --- parts, also used by REST
void append_string(std::string& out, std::string_view text); // with quotes, escaped
void append_id(std::string& out, std::int64_t id);           // with quotes
// {id, room_id, user_id, type, content, media_id?, reply_to?, created_at, edited_at?, deleted?}
void append_message(std::string& out, const model::Message& message);
// The same with `reactions:[{emoji,count,user_ids}]` where there are any.
void append_message(std::string& out, const model::Message& message,
                    std::span<const model::ReactionSummary> reactions);
// {id, name, kind, visibility, topic, created_at, my_role?, member_count, slow_mode_seconds,
// deleted?}; my_role where it is given, deleted:true for a room that is gone.
void append_room(std::string& out, const model::Room& room, std::optional<model::Role> my_role);
std::string_view name_of(model::Role role);
std::string_view name_of(model::MessageType type);
std::string_view name_of(model::MemberAction action);
std::optional<model::Role> role_from(std::string_view name);

// --- frames
void append_welcome(std::string& out, std::string_view ref, model::UserId user,
                    std::string_view connection_id, std::chrono::milliseconds heartbeat,
                    const AdvertisedLimits& limits);
// message | edited | deleted | reaction | member | room, by the kind of the event.
void append_event(std::string& out, const model::Event& event);
void append_sent(std::string& out, std::string_view ref, std::string_view nonce,
                 const model::Event& event); // the event is a MessagePosted
void append_done(std::string& out, std::string_view ref, model::RoomId room, model::EventId id);
void append_subscribed(std::string& out, std::string_view ref, model::RoomId room,
                       model::EventId last_id, std::span<const model::Event> events, bool recovered,
                       bool more);
void append_unsubscribed(std::string& out, std::string_view ref, model::RoomId room);
void append_pong(std::string& out, std::string_view ref);
void append_typing(std::string& out, model::RoomId room, model::UserId user);
void append_receipt(std::string& out, model::RoomId room, model::UserId user,
                    model::MessageId message);
void append_presence(std::string& out, model::RoomId room, model::UserId user, bool online,
                     std::optional<model::Time> last_seen_at);
void append_goaway(std::string& out, std::string_view reason,
                   std::chrono::milliseconds retry_after);
void append_error(std::string& out, std::string_view ref, std::string_view nonce,
                  std::string_view code, std::string_view detail,
                  std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

// The error code of the socket contract for an Errc that a socket op can end with.
std::string_view socket_code(Errc code);

} // namespace parley::protocol::v1
