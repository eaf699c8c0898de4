// The stages of a change on its way into a room's log, as types: Draft -> Filtered -> Sequenced ->
// Durable. Each can be made only by the one class that does that step, so that code which skips a
// step (acknowledges before the commit, stores unfiltered text) does not compile.
//
//   chat::Composer       validates fields            -> Draft
//   chat::ContentFilter  masks or refuses words      -> Filtered
//   chat::Sequencer      nonce, rights, id, prev_id  -> Sequenced
//   ingest::Ingester     after the store's commit    -> Durable   (only this is shown or
//   acknowledged)
//
// Values: movable, core to core and to the log's thread.
#pragma once

#include "model/message.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace parley::chat {
class Composer;
class ContentFilter;
class Sequencer;
} // namespace parley::chat
namespace parley::ingest {
class Ingester;
} // namespace parley::ingest
namespace parley::protocol::log {
class Codec; // carries each stage between the processes of a cluster
} // namespace parley::protocol::log

namespace parley::model {

struct PostDraft {
    std::string nonce; // 1..64 bytes; unique for (room, user), for ever
    MessageType type = MessageType::text;
    std::string content; // trimmed
    std::optional<MediaId> media_id;
    std::optional<MessageId> reply_to;
    std::uint64_t body_hash = 0; // of what the client sent, to tell a retry from a conflict
    MediaFactsRef media = {};    // of media_id, from the catalog
};
struct EditDraft {
    MessageId message_id;
    std::string content;
};
struct DeleteDraft {
    MessageId message_id;
};
struct ReactDraft {
    MessageId message_id;
    std::string emoji;
    bool added = true;
};
struct MemberDraft {
    UserId user_id; // about whom
    MemberAction action = MemberAction::joined;
    Role role = Role::member; // for joined and role
    std::string room_name{};  // for joined by oneself: what the joiner calls the room; opens a pair
};
struct RoomDraft { // absent: unchanged
    std::optional<std::string> name, topic;
    std::optional<Visibility> visibility;
    std::optional<std::uint32_t> slow_mode_seconds;
    bool remove = false; // deletes the room
    bool sets_retention = false;
    std::optional<std::uint32_t> retention_days = {}; // absent: as the server says
};
struct CreateDraft {
    std::string name, topic;
    RoomKind kind = RoomKind::group;
    Visibility visibility = Visibility::restricted;
    std::vector<UserId> member_ids; // besides the creator, who becomes owner; of a dm exactly one
};
// What was found out about a message's media after it was sent; by the server only.
struct MediaDraft {
    MessageId message_id;
    MediaId media_id;
    MediaFactsRef media;
};

using DraftBody = std::variant<PostDraft, EditDraft, DeleteDraft, ReactDraft, MemberDraft,
                               RoomDraft, CreateDraft, MediaDraft>;

// A change that a user asks for, its fields checked.
class Draft {
public:
    // Of a CreateDraft the room to make, where its id is given out before; else 0.
    RoomId room_id() const { return x_room_id; }
    UserId user_id() const { return x_user_id; }
    const DraftBody& body() const { return x_body; }
    // Asked for by the server itself in the user's name (an erasure), or by one of its moderators,
    // who were asked before: no rights in the room are asked.
    bool by_server() const { return x_by_server; }

private:
    friend class chat::Composer;
    friend class chat::ContentFilter;
    friend class chat::Sequencer;
    friend class protocol::log::Codec;
    Draft(RoomId room, UserId user, DraftBody body)
        : x_room_id(room), x_user_id(user), x_body(std::move(body)) {}
    RoomId x_room_id;
    UserId x_user_id;
    DraftBody x_body;
    bool x_by_server = false;
};

// A draft whose text may be stored and shown.
class Filtered {
public:
    const Draft& draft() const { return x_draft; }

private:
    friend class chat::ContentFilter;
    friend class chat::Sequencer;
    friend class protocol::log::Codec;
    explicit Filtered(Draft draft) : x_draft(std::move(draft)) {}
    Draft x_draft;
};

// An event that has its place in the room's order but is not stored yet.
class Sequenced {
public:
    const Event& event() const { return x_event; }
    // For MessagePosted: goes into the log beside the event.
    std::uint64_t body_hash() const { return x_body_hash; }
    // For MessagePosted in slow mode: remember when its author posted here (EventStore::paced_at).
    bool paced() const { return x_paced; }
    // For the first event of a room: who is in it from the start, the owner first.
    const std::vector<UserId>& initial_members() const { return x_initial_members; }
    // For RoomChanged of a group: its name and topic, folded (chat::name_key). The name's is what
    // must be unique and what EventStore::room_by_name_key finds; both are what a search looks in.
    const std::string& name_key() const { return x_name_key; }
    const std::string& topic_key() const { return x_topic_key; }

private:
    friend class chat::Sequencer;
    friend class ingest::Ingester;
    friend class protocol::log::Codec;
    explicit Sequenced(Event event) : x_event(std::move(event)) {}
    Event x_event;
    std::uint64_t x_body_hash = 0;
    bool x_paced = false;
    std::string x_name_key, x_topic_key;
    std::vector<UserId> x_initial_members;
};

// An event that survives the loss of this process. Only this may be shown or acknowledged.
class Durable {
public:
    const Event& event() const { return x_event; }
    const std::vector<UserId>& initial_members() const { return x_initial_members; }

private:
    friend class ingest::Ingester;
    friend class protocol::log::Codec;
    Durable(Event event, std::vector<UserId> initial_members)
        : x_event(std::move(event)), x_initial_members(std::move(initial_members)) {}
    Event x_event;
    std::vector<UserId> x_initial_members;
};

} // namespace parley::model
