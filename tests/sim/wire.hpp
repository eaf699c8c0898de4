// What travels between the clients of the simulator and its server, in place of the protocol.
//
// Contents and nonces are numbers: content "c17" is 17, and each is used for one request only, so
// that the checker can tell who asked for what it sees.
#pragma once

#include "base/frame.hpp"
#include "model/message.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace parley::sim {

using LinkId = std::uint64_t;

enum class EventKind : std::uint8_t { posted, edited, deleted, reaction, member, room };

// An event as an observer sees it. Its bytes are a frame of the hub.
struct WireEvent {
    model::RoomId room;
    model::EventId id, prev;
    model::UserId user;
    EventKind kind = EventKind::room;
    model::MemberAction action = model::MemberAction::joined; // of member
    model::UserId subject;                                    // of member
    model::Role role = model::Role::member;                   // of member
    bool added = false;                                       // of reaction
    bool open = false;                                        // of room: who likes may join
    model::MessageId message;                                 // of all but member and room
    std::uint64_t nonce = 0;                                  // of posted
    std::uint64_t content = 0; // of posted and edited, 0: deleted; of room: its name
    std::uint32_t pause_s = 0; // of room: slow mode
    std::int64_t at_ms = 0;

    bool operator==(const WireEvent&) const = default;
};
static_assert(std::is_trivially_copyable_v<WireEvent>);

inline std::uint64_t number_of(const std::string& text) {
    return text.size() < 2 ? 0 : std::stoull(text.substr(1));
}

// Every other nonce grows with time, as UUIDv7 and ULID do (model/new_nonces.hpp).
inline std::string nonce_text(std::uint64_t nonce) {
    if (nonce % 2 == 0) return "n" + std::to_string(nonce);
    const std::string digits = std::to_string(nonce);
    return "01" + std::string(12 - digits.size(), '0') + digits;
}
inline std::uint64_t number_of_nonce(const std::string& text) {
    return number_of(text.starts_with("01") ? text.substr(1) : text);
}

// Rooms begin as "room 1" and are called "n17" once somebody has renamed them.
inline std::uint64_t number_of_name(const std::string& name) {
    return name.starts_with('n') ? number_of(name) : 0;
}

inline WireEvent to_wire(const model::Event& event) {
    WireEvent wire{.room = event.room_id,
                   .id = event.id,
                   .prev = event.prev_id,
                   .user = event.user_id,
                   .kind = static_cast<EventKind>(event.body.index()),
                   .action = {},
                   .subject = {},
                   .role = {},
                   .added = false,
                   .open = false,
                   .message = {},
                   .nonce = 0,
                   .content = 0,
                   .pause_s = 0,
                   .at_ms = event.at.ms};
    if (const auto* post = std::get_if<model::MessagePosted>(&event.body)) {
        wire.message = post->message.id;
        wire.nonce = number_of_nonce(post->nonce);
        wire.content = number_of(post->message.content);
    } else if (const auto* edited = std::get_if<model::MessageEdited>(&event.body)) {
        wire.message = edited->message.id;
        wire.content = number_of(edited->message.content);
    } else if (const auto* deleted = std::get_if<model::MessageDeleted>(&event.body)) {
        wire.message = deleted->message_id;
    } else if (const auto* reaction = std::get_if<model::ReactionChanged>(&event.body)) {
        wire.message = reaction->message_id;
        wire.added = reaction->added;
    } else if (const auto* member = std::get_if<model::MemberChanged>(&event.body)) {
        wire.subject = member->user_id;
        wire.action = member->action;
        wire.role = member->role;
    } else if (const auto* room = std::get_if<model::RoomChanged>(&event.body)) {
        wire.content = number_of_name(room->room.name);
        wire.open = room->room.visibility == model::Visibility::open;
        wire.pause_s = room->room.slow_mode_seconds;
    }
    return wire;
}

inline FrameRef to_frame(const WireEvent& event) {
    return FrameRef::copy_of({reinterpret_cast<const char*>(&event), sizeof event});
}
inline WireEvent from_frame(const FrameRef& frame) {
    WireEvent event;
    std::memcpy(static_cast<void*>(&event), frame.bytes().data(), sizeof event);
    return event;
}

struct Request {
    enum class Kind : std::uint8_t { subscribe, send, edit, remove, react, member, room, mark };
    Kind kind = Kind::send;
    std::uint64_t ref = 0;
    model::RoomId room;
    model::EventId since;      // of subscribe
    std::uint64_t nonce = 0;   // of send
    std::uint64_t content = 0; // of send and edit; of room: the new name
    model::MessageId message;  // of edit, remove, react, mark
    bool added = false;        // of react
    model::UserId subject;     // of member
    model::MemberAction action = model::MemberAction::joined;
    model::Role role = model::Role::member; // of member
    bool open = false;                      // of room
    std::uint32_t pause_s = 0;              // of room: slow mode
};

struct Packet {
    enum class Kind : std::uint8_t { subscribed, event, sent, done, error, ended };
    Kind kind = Kind::event;
    std::uint64_t ref = 0; // of the request that it answers
    model::RoomId room;
    std::vector<WireEvent> events; // of subscribed: those missed; of event and sent: one
    bool more = false;
    std::string code;           // of error
    model::MessageId mark = {}; // of done after mark: where it is now
};

} // namespace parley::sim
