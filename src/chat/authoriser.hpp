// authorise(): the ONE function that says who may do what in a room, for REST, socket, resume,
// history and the sequencer alike. Denies by default. Pure.
//
// A private room does not exist for those who are not in it: unknown_room, the same as for a room
// that is absent. A pair (model::Visibility::pair) is a private room but for one who joins it by
// its name. In a public room the same people get not_a_member.
#pragma once

#include "base/result.hpp"
#include "model/room.hpp"

#include <optional>

namespace parley::chat {

enum class Action : std::uint8_t {
    view,           // the room, its members, history, resume, live events
    send,           // messages, reactions, typing, read marks
    edit_message,   // subject: the author. Author only
    moderate,       // held messages: admin or owner; not a dm
    delete_message, // subject: the author. Author, admin or owner
    change_room,    // name, topic, visibility: admin or owner; not a dm
    delete_room,    // owner; not a dm
    set_retention,  // owner; not a dm
    join,           // open groups, by oneself; a pair, by one who knows its name
    leave,          // by oneself; not a dm; not the last owner: last_owner
    add_member,     // admin or owner; not a dm; `role` at most one's own
    change_role,    // the same; and the target's present role at most one's own; last owner:
                    // last_owner
    remove_member,  // as change_role
};

// The facts. `role` is the actor's, absent when not in the room.
struct Standing {
    bool room_exists = false;
    model::RoomKind kind = model::RoomKind::group;
    model::Visibility visibility = model::Visibility::restricted;
    std::optional<model::Role> role;
    std::size_t owners = 0;
};

struct Subject {
    bool is_self = false;                    // the author, or the member, is the actor
    std::optional<model::Role> present_role; // of the member that the action is about
    std::optional<model::Role> new_role;
    bool knows_name = false; // of a pair that has a place left
};

Result<void> authorise(const Standing& standing, Action action, const Subject& subject = {});

} // namespace parley::chat
