// A message and the events of a room's log. Plain values.
//
// Every durable change to a room is one Event. The log keeps a message's present state in the event
// that made it: an edit or a deletion is an event of its own and changes that state in the same
// transaction, so that a deleted text is nowhere in the log (docs/adr/0004).
#pragma once

#include "model/ids.hpp"
#include "model/media.hpp"
#include "model/room.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace parley::model {

enum class MessageType : std::uint8_t { text = 1, media = 2 };

struct Message {
    MessageId id;
    RoomId room_id;
    UserId user_id;
    MessageType type = MessageType::text;
    std::string content; // "" once deleted
    std::optional<MediaId> media_id;
    std::optional<MessageId> reply_to;
    Time created_at;
    std::optional<Time> edited_at;
    bool deleted = false;
    MediaFactsRef media = {}; // of media_id; null: not known
};

struct ReactionSummary {
    std::string emoji;
    std::uint64_t count = 0;
    std::vector<UserId> user_ids; // the first few, oldest first
};

enum class MemberAction : std::uint8_t { joined = 1, left = 2, removed = 3, role = 4 };

struct MessagePosted {
    Message message;
    std::string nonce; // what its sender called it; "" only for imported messages
};
struct MessageEdited {
    Message message;
};
struct MessageDeleted {
    MessageId message_id;
};
struct ReactionChanged {
    MessageId message_id;
    std::string emoji;
    bool added = true;
};
struct MemberChanged {
    UserId user_id; // about whom; the event's user_id is who did it
    MemberAction action = MemberAction::joined;
    Role role = Role::member;
};
struct RoomChanged {
    Room room; // as it is after the change; room.deleted when it is gone
};

using EventBody = std::variant<MessagePosted, MessageEdited, MessageDeleted, ReactionChanged,
                               MemberChanged, RoomChanged>;

struct Event {
    EventId id;
    EventId prev_id; // 0: the first event of the room
    RoomId room_id;
    UserId user_id; // who did it
    Time at;
    EventBody body;
};

} // namespace parley::model
