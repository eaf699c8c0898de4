// Classic frames and REST values to a client: values -> bytes, written by hand as those of v1, with
// the fields, the order and the odd shapes that the clients of the Go application read. Every
// function appends one JSON object to `out` and nothing else. Ids are numbers, times RFC 3339.
// Threading: pure functions.
#pragma once

#include "model/message.hpp"
#include "model/room.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol::classic {

// What an old client calls the kind of a room: "DM" for a direct message or a pair, else "GROUP".
std::string_view type_of(const model::Room& room);

// --- frames
// {id, content, server, user_id, channel_id, message_type, event_type:"chat", media_id}; media_id
// is a string, "" for none. `server`: the node's name.
void append_message(std::string& out, const model::Message& message, std::string_view server);
// The same shape, with id 0, event_type "join_room" and "NAME joined" as its content.
void append_join_notice(std::string& out, model::RoomId room, model::UserId user,
                        std::string_view username, std::string_view server);
// {"type":"join_room","room":NAME,"success":true}
void append_joined(std::string& out, std::string_view room_name);
// {"type":"heartbeat","message":"PONG"}
void append_pong(std::string& out);
// {event_type:"error", error, code, retry_after_ms?}
void append_error(std::string& out, std::string_view code, std::string_view text,
                  std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

// --- REST
// {"error": TEXT}
void append_refusal(std::string& out, std::string_view text);
// {roomid, roomname, typ}
void append_room(std::string& out, const model::Room& room, std::string_view name);
// {id, channel_id, user_id, content:{String,Valid}, media_id:{String,Valid}, message_type,
// created_at}; what is empty (as the content of a deleted message is) is not Valid.
void append_history_message(std::string& out, const model::Message& message);
// {user_id, channel_id, username, online_at}
void append_member(std::string& out, model::RoomId room, const model::Member& member,
                   model::Time online_at);

} // namespace parley::protocol::classic
