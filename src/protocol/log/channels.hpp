// The channels of the bus.
//
//   room:ID    event records of the room, and transient records (cluster/bus_follower.hpp)
//   node:NAME  answers to drafts of this node: a list of (u32 length, answer record)
//   people     events that concern people who may not listen to the room: members come and go,
//              rooms are made; and what a user's other connections, and other nodes, must hear
#pragma once

#include "model/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol::log {

inline constexpr std::string_view kPeopleChannel = "people";
inline std::string room_channel(model::RoomId room) { return "room:" + room.to_string(); }
inline std::string node_channel(std::string_view node) { return "node:" + std::string(node); }
inline std::optional<model::RoomId> room_of_channel(std::string_view channel) {
    if (!channel.starts_with("room:")) return std::nullopt;
    return model::RoomId::parse(channel.substr(5));
}

} // namespace parley::protocol::log
