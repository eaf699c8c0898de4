// What the clients asked for and what they were told: the checker's side of the story.
#pragma once

#include "tests/sim/room_model.hpp"
#include "tests/sim/wire.hpp"
#include "tests/sim/world.hpp"

#include <map>
#include <set>
#include <string>
#include <tuple>

namespace parley::sim {

// A message that a client wants in the room, under its nonce. It ends acknowledged, refused or
// given up; until then it is unknown and is sent again.
struct Send {
    model::RoomId room;
    model::UserId user;
    std::uint64_t content = 0;
    LinkId first_link = 0;
    int attempts = 0;
    model::EventId acknowledged; // 0: not yet
    std::string refused;         // the code of a definite refusal
    bool given_up = false;

    bool settled() const { return acknowledged || !refused.empty() || given_up; }
};

struct Journal {
    struct Edit {
        model::RoomId room;
        model::UserId user;
        model::MessageId message;
    };
    struct RoomChange {
        model::RoomId room;
        model::UserId user;
        bool open = false;
    };
    // kind, room, who, message or (for members) user id
    using Operation = std::tuple<EventKind, model::RoomId, model::UserId, std::int64_t>;

    std::map<std::uint64_t, Send> sends;                     // by nonce, which rises with time
    std::map<std::uint64_t, Edit> edits;                     // by content
    std::map<std::uint64_t, RoomChange> room_changes;        // by name
    std::map<model::MessageId, int> edits_asked, edits_done; // done: acknowledged
    std::set<model::MessageId> deletions_done;
    std::map<std::pair<model::UserId, model::RoomId>, model::MessageId> marks_done; // the furthest
    std::set<std::tuple<model::UserId, model::RoomId, model::MessageId>> marks_asked;
    std::set<Operation> operations;
    std::map<model::RoomId, RoomModel> first; // as they were made
    std::uint64_t last_nonce = 0, last_content = 0;

    // I3: nothing is seen or stored that nobody asked for.
    bool asked_for(const WireEvent& event) const {
        switch (event.kind) {
        case EventKind::posted: {
            const auto send = sends.find(event.nonce);
            return send != sends.end() && send->second.room == event.room &&
                   send->second.user == event.user && event.message == event.id &&
                   (event.content == send->second.content || is_later_state(event));
        }
        case EventKind::edited:
            return is_later_state(event);
        case EventKind::deleted:
        case EventKind::reaction:
            return operations.contains({event.kind, event.room, event.user, event.message.value});
        case EventKind::member:
            return operations.contains({event.kind, event.room, event.user, event.subject.value});
        case EventKind::room:
            return !event.prev || is_room_change(event);
        }
        return false;
    }

private:
    bool is_room_change(const WireEvent& event) const {
        const auto change = room_changes.find(event.content);
        return change != room_changes.end() && change->second.room == event.room &&
               change->second.user == event.user && change->second.open == event.open;
    }
    bool is_later_state(const WireEvent& event) const {
        if (event.content == 0) return true; // deleted since
        const auto edit = edits.find(event.content);
        return edit != edits.end() && edit->second.room == event.room &&
               edit->second.user == event.user && edit->second.message == event.message;
    }
};

} // namespace parley::sim
