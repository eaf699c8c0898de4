#include "ingest/partition_store.hpp"

#include "base/assert.hpp"
#include "base/cluster_limits.hpp"

#include <algorithm>
#include <utility>

namespace parley::ingest {

using model::MemberAction;
using model::Role;

PartitionStore::PartitionStore(ports::ShardStore& shard, model::EventId last_id,
                               std::string newest_nonce)
    : x_shard(shard), x_last_id(last_id) {
    x_new_nonces.start(std::move(newest_nonce));
}

// --- rooms

PartitionStore::Room& PartitionStore::remember(model::RoomId room) {
    const auto [at, is_new] = x_rooms.try_emplace(room);
    if (is_new) {
        x_by_use.push_front(room);
        at->second.used = x_by_use.begin();
    } else {
        x_by_use.splice(x_by_use.begin(), x_by_use, at->second.used);
    }
    return at->second;
}

void PartitionStore::fill(Room& entry, ports::ShardRoom read) {
    entry.exists = true;
    entry.stored = std::move(read.stored);
    entry.roles.reserve(read.members.size());
    for (const ports::RoomMember& member : read.members)
        entry.roles.emplace(member.user_id, member.role);
}

Result<PartitionStore::Room*> PartitionStore::find(model::RoomId room) {
    const auto known = x_rooms.find(room);
    if (known != x_rooms.end()) return &remember(room);
    PARLEY_TRY(std::vector<ports::ShardRoom> read, shard().rooms(std::span(&room, 1)));
    Room& entry = remember(room);
    if (!read.empty()) fill(entry, std::move(read.front()));
    return &entry;
}

void PartitionStore::trim() {
    std::size_t looked_at = 0;
    auto at = x_by_use.end();
    while (x_rooms.size() > limits::kWorkerRooms && at != x_by_use.begin() && looked_at++ < 64) {
        const auto room = x_rooms.find(*--at);
        if (room->second.unstored != 0) continue;
        x_rooms.erase(room);
        at = x_by_use.erase(at);
    }
}

Result<void> PartitionStore::prepare(std::span<const model::Draft* const> drafts) {
    x_prepared.clear();
    trim();
    std::vector<model::RoomId> rooms;
    std::vector<ports::NonceKey> nonces;
    for (const model::Draft* draft : drafts) {
        if (!x_rooms.contains(draft->room_id())) rooms.push_back(draft->room_id());
        const auto* post = std::get_if<model::PostDraft>(&draft->body());
        if (!post || find_unstored(draft->room_id(), draft->user_id(), post->nonce) ||
            x_new_nonces.surely_new(draft->room_id(), draft->user_id(), post->nonce))
            continue;
        nonces.push_back({draft->room_id(), draft->user_id(), post->nonce});
    }
    if (!rooms.empty()) {
        std::sort(rooms.begin(), rooms.end());
        rooms.erase(std::unique(rooms.begin(), rooms.end()), rooms.end());
        PARLEY_TRY(std::vector<ports::ShardRoom> read, shard().rooms(rooms));
        for (const model::RoomId room : rooms) remember(room);
        for (ports::ShardRoom& room : read) {
            Room& entry = remember(room.stored.room.id);
            fill(entry, std::move(room));
        }
    }
    if (!nonces.empty()) {
        PARLEY_TRY(auto found, shard().nonces(nonces));
        for (std::size_t i = 0; i < nonces.size(); ++i) {
            std::string nonce = nonces[i].nonce;
            x_prepared.emplace(std::move(nonce),
                               std::pair(std::move(nonces[i]), std::move(found[i])));
        }
    }
    return {};
}

Result<std::optional<ports::StoredRoom>> PartitionStore::room(model::RoomId room) {
    PARLEY_TRY(const Room* entry, find(room));
    if (!entry->exists) return std::optional<ports::StoredRoom>{};
    return std::optional(entry->stored);
}

Result<std::optional<Role>> PartitionStore::role(model::RoomId room, model::UserId user) {
    PARLEY_TRY(const Room* entry, find(room));
    const auto found = entry->roles.find(user);
    if (!entry->exists || found == entry->roles.end()) return std::optional<Role>{};
    return std::optional(found->second);
}

// --- messages

const PartitionStore::Nonce* PartitionStore::find_unstored(model::RoomId room, model::UserId user,
                                                           std::string_view nonce) const {
    const auto [first, last] = x_nonces.equal_range(std::string(nonce));
    for (auto at = first; at != last; ++at)
        if (at->second.room_id == room && at->second.user_id == user) return &at->second;
    return nullptr;
}

Result<std::optional<ports::StoredNonce>>
PartitionStore::nonce(model::RoomId room, model::UserId user, std::string_view nonce) {
    if (const Nonce* known = find_unstored(room, user, nonce)) {
        PARLEY_TRY(auto state, message(room, known->message_id));
        if (!state) return Error(Errc::internal, "a nonce of no message");
        ports::StoredNonce stored;
        stored.event = {.id = known->message_id,
                        .prev_id = known->prev_id,
                        .room_id = room,
                        .user_id = user,
                        .at = known->at,
                        .body = model::MessagePosted{std::move(*state), std::string(nonce)}};
        stored.body_hash = known->body_hash;
        return std::optional(std::move(stored));
    }
    if (x_new_nonces.surely_new(room, user, nonce)) return std::optional<ports::StoredNonce>{};
    std::optional<ports::StoredNonce> found;
    bool read = false;
    const auto [first, last] = x_prepared.equal_range(std::string(nonce));
    for (auto at = first; at != last && !read; ++at) {
        const auto& [key, stored] = at->second;
        if (key.room_id != room || key.user_id != user) continue;
        found = stored;
        read = true;
    }
    if (!read) {
        const ports::NonceKey key{room, user, std::string(nonce)};
        PARLEY_TRY(auto answers, shard().nonces(std::span(&key, 1)));
        found = std::move(answers.front());
    }
    if (!found) return found;
    // An edit or a deletion may not be stored yet.
    auto& posted = std::get<model::MessagePosted>(found->event.body);
    const auto changed = x_messages.find(posted.message.id);
    if (changed != x_messages.end() && changed->second.state)
        posted.message = *changed->second.state;
    return found;
}

Result<std::optional<model::Message>> PartitionStore::message(model::RoomId room,
                                                              model::MessageId message) {
    const auto known = x_messages.find(message);
    if (known == x_messages.end() || !known->second.state) {
        PARLEY_TRY(x_read, shard().message(room, message));
        return x_read;
    }
    if (known->second.state->room_id != room) return std::optional<model::Message>{};
    return known->second.state;
}

Result<std::optional<model::Time>> PartitionStore::paced_at(model::RoomId room,
                                                            model::UserId user) {
    const auto known = x_paced.find({room, user});
    if (known != x_paced.end()) return std::optional(known->second);
    PARLEY_TRY(const Room* entry, find(room));
    if (entry->ends_of_slow_mode > 0) return std::optional<model::Time>{};
    return shard().paced_at(room, user);
}

Result<PartitionStore::ReactionFacts> PartitionStore::reaction(model::RoomId room,
                                                               model::MessageId message,
                                                               model::UserId user,
                                                               std::string_view emoji) {
    const auto known = x_messages.find(message);
    std::vector<ports::ShardStore::Reaction> read;
    const std::vector<ports::ShardStore::Reaction>* reactions = &read;
    if (known != x_messages.end() && known->second.reactions) {
        reactions = &*known->second.reactions;
    } else {
        PARLEY_TRY(read, shard().reactions(room, message));
        // If the draft becomes an event, put() moves these on; else begin() lets them go.
        x_asked = message;
        Message& entry = x_messages[message];
        entry.reactions = std::move(read);
        reactions = &*entry.reactions;
    }
    const bool present = std::any_of(reactions->begin(), reactions->end(), [&](const auto& one) {
        return one.user_id == user && one.emoji == emoji;
    });
    return ReactionFacts{.present = present, .total = reactions->size()};
}

// --- what an event changes

Result<void> PartitionStore::begin() {
    x_read.reset();
    if (const auto asked = x_messages.find(std::exchange(x_asked, {}));
        asked != x_messages.end() && asked->second.unstored == 0)
        x_messages.erase(asked);
    return {};
}

Result<void> PartitionStore::put(const model::Sequenced& sequenced) {
    const model::Event& event = sequenced.event();
    std::visit([&](const auto& body) { apply(sequenced, body); }, event.body);
    Room& room = remember(event.room_id);
    room.stored.last_id = event.id;
    ++room.unstored;
    room.ends_of_slow_mode += ends_slow_mode(event);
    if (const model::MessageId subject = subject_of(event)) ++x_messages[subject].unstored;
    x_unstored.push_back(sequenced);
    return {};
}

bool PartitionStore::ends_slow_mode(const model::Event& event) {
    const auto* change = std::get_if<model::RoomChanged>(&event.body);
    return change && (change->room.deleted || change->room.slow_mode_seconds == 0);
}

model::MessageId PartitionStore::subject_of(const model::Event& event) {
    if (std::holds_alternative<model::MessagePosted>(event.body)) return event.id;
    if (const auto* edited = std::get_if<model::MessageEdited>(&event.body))
        return edited->message.id;
    if (const auto* deleted = std::get_if<model::MessageDeleted>(&event.body))
        return deleted->message_id;
    if (const auto* reaction = std::get_if<model::ReactionChanged>(&event.body))
        return reaction->message_id;
    return {};
}

void PartitionStore::apply(const model::Sequenced& sequenced, const model::MessagePosted& posted) {
    const model::Event& event = sequenced.event();
    x_new_nonces.remember(event.room_id, event.user_id, posted.nonce);
    x_nonces.emplace(posted.nonce, Nonce{event.room_id, event.user_id, event.id, event.prev_id,
                                         event.at, sequenced.body_hash()});
    Message& message = x_messages[event.id];
    message.state = posted.message;
    message.reactions.emplace(); // a new message has none
    if (sequenced.paced()) x_paced[{event.room_id, event.user_id}] = event.at;
}

void PartitionStore::apply(const model::Sequenced&, const model::MessageEdited& edited) {
    x_messages[edited.message.id].state = edited.message;
}

// The sequencer has asked for the message: memory has it, or the shard's answer. Nothing that comes
// here may ask the shard, since an event must not depend on whether that answers.
void PartitionStore::apply(const model::Sequenced&, const model::MessageDeleted& deleted) {
    Message& entry = x_messages[deleted.message_id];
    if (!entry.state) {
        PARLEY_ASSERT(x_read && x_read->id == deleted.message_id);
        entry.state = std::move(*x_read);
    }
    entry.state->content.clear();
    entry.state->media_id.reset();
    entry.state->media.reset();
    entry.state->deleted = true;
    entry.reactions.emplace();
}

void PartitionStore::apply(const model::Sequenced& sequenced,
                           const model::ReactionChanged& reaction) {
    auto& reactions = x_messages[reaction.message_id].reactions;
    PARLEY_ASSERT(reactions); // the sequencer has asked
    const model::UserId user = sequenced.event().user_id;
    if (reaction.added)
        reactions->push_back({reaction.emoji, user});
    else
        std::erase_if(*reactions, [&](const auto& one) {
            return one.user_id == user && one.emoji == reaction.emoji;
        });
}

void PartitionStore::set_role(Room& room, model::UserId user, std::optional<Role> role) {
    const auto found = room.roles.find(user);
    if (found != room.roles.end()) {
        room.stored.owners -= found->second == Role::owner;
        room.roles.erase(found);
    }
    if (role) {
        room.roles.emplace(user, *role);
        room.stored.owners += *role == Role::owner;
    }
    room.stored.room.member_count = room.roles.size();
}

void PartitionStore::apply(const model::Sequenced& sequenced, const model::MemberChanged& change) {
    Room& room = remember(sequenced.event().room_id);
    const bool stays = change.action == MemberAction::joined || change.action == MemberAction::role;
    set_role(room, change.user_id, stays ? std::optional(change.role) : std::nullopt);
}

void PartitionStore::apply(const model::Sequenced& sequenced, const model::RoomChanged& change) {
    const model::Event& event = sequenced.event();
    Room& room = remember(event.room_id);
    room.stored.room = change.room;
    if (!sequenced.initial_members().empty()) {
        room.exists = true;
        room.roles.clear();
        room.stored.owners = 0;
        for (const model::UserId user : sequenced.initial_members())
            set_role(room, user, room.roles.empty() ? Role::owner : Role::member);
    }
    room.stored.room.member_count = room.roles.size();
    if (change.room.deleted) {
        room.exists = false;
        room.roles.clear();
    }
    if (ends_slow_mode(event))
        std::erase_if(x_paced, [&](const auto& one) { return one.first.room == event.room_id; });
}

// --- storing

std::vector<model::Sequenced> PartitionStore::take_unstored() {
    return std::exchange(x_unstored, {});
}

void PartitionStore::note_stored(std::span<const model::Sequenced> events) {
    for (const model::Sequenced& sequenced : events) {
        const model::Event& event = sequenced.event();
        const auto room = x_rooms.find(event.room_id);
        if (room != x_rooms.end() && room->second.unstored > 0) {
            --room->second.unstored;
            room->second.ends_of_slow_mode -= ends_slow_mode(event);
        }
        if (const auto paced = x_paced.find({event.room_id, event.user_id});
            sequenced.paced() && paced != x_paced.end() && paced->second == event.at)
            x_paced.erase(paced);
        if (const auto* posted = std::get_if<model::MessagePosted>(&event.body)) {
            const auto [first, last] = x_nonces.equal_range(posted->nonce);
            for (auto at = first; at != last; ++at) {
                if (at->second.message_id != event.id) continue;
                x_nonces.erase(at);
                break;
            }
        }
        if (const model::MessageId subject = subject_of(event)) {
            const auto message = x_messages.find(subject);
            if (message != x_messages.end() && --message->second.unstored == 0)
                x_messages.erase(message);
        }
    }
}

} // namespace parley::ingest
