// Store as ports::EventStore: the transactional side.
#include "adapters/memory/store.hpp"
#include "base/assert.hpp"

#include <algorithm>

namespace parley::memory {

Store::Store(const ports::Clock& clock) : x_clock(clock) {}

template <class Map>
void Store::assign(Map& map, const typename Map::key_type& key,
                   std::optional<typename Map::mapped_type> value) {
    std::optional<typename Map::mapped_type> old;
    if (const auto found = map.find(key); found != map.end()) old = found->second;
    const auto write = [&map, key](std::optional<typename Map::mapped_type> now) {
        if (now)
            map.insert_or_assign(key, std::move(*now));
        else
            map.erase(key);
    };
    x_undo.push_back([write, old = std::move(old)] { write(old); });
    write(std::move(value));
}

template <class T>
void Store::replace(T& place, T value) {
    x_undo.push_back([&place, old = place] { place = old; });
    place = std::move(value);
}

const model::Message* Store::RoomData::find_message(model::MessageId id) const {
    const auto found = events.find(id);
    if (found == events.end()) return nullptr;
    const auto* post = std::get_if<model::MessagePosted>(&found->second.body);
    return post ? &post->message : nullptr;
}

std::size_t Store::RoomData::owners() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        members, [](const auto& entry) { return entry.second.role == model::Role::owner; }));
}

Store::RoomData* Store::find_room(model::RoomId room) {
    const auto found = x_rooms.find(room);
    return found == x_rooms.end() || found->second.room.deleted ? nullptr : &found->second;
}

Result<void> Store::begin() {
    x_mutex.lock();
    PARLEY_ASSERT(!x_in_transaction);
    x_in_transaction = true;
    return {};
}

Result<void> Store::commit() {
    const Lock lock(x_mutex);
    PARLEY_ASSERT(x_in_transaction);
    x_undo.clear();
    x_in_transaction = false;
    x_mutex.unlock();
    return {};
}

void Store::rollback() {
    const Lock lock(x_mutex);
    if (!x_in_transaction) return;
    while (!x_undo.empty()) {
        x_undo.back()();
        x_undo.pop_back();
    }
    x_in_transaction = false;
    x_mutex.unlock();
}

Result<void> Store::put(const model::Sequenced& sequenced) {
    const Lock lock(x_mutex);
    PARLEY_ASSERT(x_in_transaction);
    const model::Event& event = sequenced.event();
    if (!x_rooms.contains(event.room_id)) assign(x_rooms, event.room_id, RoomData{});
    RoomData& room = x_rooms.at(event.room_id);
    assign(room.events, event.id, event);
    replace(x_last_id, std::max(x_last_id, event.id));
    if (const auto* post = std::get_if<model::MessagePosted>(&event.body)) {
        if (!post->nonce.empty())
            assign(room.nonces, {event.user_id, post->nonce},
                   NonceRow{event.id, sequenced.body_hash()});
        if (sequenced.paced()) assign(room.paced, event.user_id, event.at);
    } else if (const auto* edited = std::get_if<model::MessageEdited>(&event.body)) {
        apply(room, event, *edited);
    } else if (const auto* deleted = std::get_if<model::MessageDeleted>(&event.body)) {
        apply(room, event, *deleted);
    } else if (const auto* reaction = std::get_if<model::ReactionChanged>(&event.body)) {
        apply(room, event, *reaction);
    } else if (const auto* member = std::get_if<model::MemberChanged>(&event.body)) {
        apply(room, event, *member);
    } else {
        apply_room(room, sequenced);
    }
    return {};
}

void Store::set_message(RoomData& room, model::Message message) {
    model::Event post = room.events.at(message.id);
    std::get<model::MessagePosted>(post.body).message = std::move(message);
    const model::EventId id = post.id;
    assign(room.events, id, std::move(post));
}

void Store::apply(RoomData& room, const model::Event&, const model::MessageEdited& edited) {
    set_message(room, edited.message);
}

void Store::apply(RoomData& room, const model::Event&, const model::MessageDeleted& deleted) {
    const model::Message* const present = room.find_message(deleted.message_id);
    PARLEY_ASSERT(present);
    model::Message message = *present;
    message.content.clear();
    message.media_id.reset();
    message.media.reset();
    message.deleted = true;
    set_message(room, std::move(message));
    assign(room.reactions, deleted.message_id, {});
}

void Store::apply(RoomData& room, const model::Event& event,
                  const model::ReactionChanged& reaction) {
    std::vector<Reaction> all = room.reactions[reaction.message_id];
    std::erase_if(all, [&](const Reaction& one) {
        return one.user_id == event.user_id && one.emoji == reaction.emoji;
    });
    if (reaction.added) all.push_back({reaction.emoji, event.user_id});
    assign(room.reactions, reaction.message_id, std::move(all));
}

void Store::apply(RoomData& room, const model::Event& event, const model::MemberChanged& change) {
    const auto found = room.members.find(change.user_id);
    switch (change.action) {
    case model::MemberAction::joined:
        assign(room.members, change.user_id, MemberRow{change.role, event.at});
        break;
    case model::MemberAction::role:
        PARLEY_ASSERT(found != room.members.end());
        assign(room.members, change.user_id, MemberRow{change.role, found->second.joined_at});
        break;
    case model::MemberAction::left:
    case model::MemberAction::removed:
        assign(room.members, change.user_id, {});
        break;
    }
}

void Store::apply_room(RoomData& room, const model::Sequenced& sequenced) {
    const model::Event& event = sequenced.event();
    const model::Room& after = std::get<model::RoomChanged>(event.body).room;
    const std::vector<model::UserId>& first = sequenced.initial_members();
    for (const model::UserId user : first) {
        const bool owner = user == first.front();
        assign(room.members, user,
               MemberRow{owner ? model::Role::owner : model::Role::member, event.at});
    }
    if (after.kind == model::RoomKind::dm) {
        if (first.size() == 2)
            assign(x_dms, {std::min(first[0], first[1]), std::max(first[0], first[1])}, after.id);
    } else {
        if (!room.name_key.empty()) assign(x_room_by_name_key, room.name_key, {});
        if (!after.deleted) assign(x_room_by_name_key, sequenced.name_key(), after.id);
    }
    replace(room.name_key, sequenced.name_key());
    replace(room.topic_key, sequenced.topic_key());
    if (after.deleted || after.slow_mode_seconds == 0) replace(room.paced, {});
    replace(room.room, after);
}

Result<model::EventId> Store::last_id() {
    const Lock lock(x_mutex);
    return x_last_id;
}

Result<std::optional<ports::StoredRoom>> Store::room(model::RoomId id) {
    const Lock lock(x_mutex);
    const RoomData* const room = find_room(id);
    if (!room) return std::nullopt;
    ports::StoredRoom stored{
        .room = room->room, .last_id = room->last_id(), .owners = room->owners()};
    stored.room.member_count = room->members.size();
    return stored;
}

Result<std::optional<model::Role>> Store::role(model::RoomId id, model::UserId user) {
    const Lock lock(x_mutex);
    const RoomData* const room = find_room(id);
    if (!room) return std::nullopt;
    const auto found = room->members.find(user);
    if (found == room->members.end()) return std::nullopt;
    return found->second.role;
}

Result<std::optional<ports::StoredNonce>> Store::nonce(model::RoomId id, model::UserId user,
                                                       std::string_view nonce) {
    const Lock lock(x_mutex);
    const RoomData* const room = find_room(id);
    if (!room) return std::nullopt;
    const auto found = room->nonces.find({user, std::string(nonce)});
    if (found == room->nonces.end()) return std::nullopt;
    return ports::StoredNonce{.event = room->events.at(found->second.message_id),
                              .body_hash = found->second.body_hash};
}

Result<std::optional<model::Time>> Store::paced_at(model::RoomId id, model::UserId user) {
    const Lock lock(x_mutex);
    const RoomData* const room = find_room(id);
    if (!room) return std::nullopt;
    const auto found = room->paced.find(user);
    if (found == room->paced.end()) return std::nullopt;
    return found->second;
}

Result<std::optional<model::Message>> Store::message(model::RoomId id, model::MessageId message) {
    const Lock lock(x_mutex);
    const RoomData* const room = find_room(id);
    const model::Message* const found = room ? room->find_message(message) : nullptr;
    if (!found) return std::nullopt;
    return *found;
}

Result<Store::ReactionFacts> Store::reaction(model::RoomId id, model::MessageId message,
                                             model::UserId user, std::string_view emoji) {
    const Lock lock(x_mutex);
    ReactionFacts facts;
    const RoomData* const room = find_room(id);
    if (!room) return facts;
    const auto found = room->reactions.find(message);
    if (found == room->reactions.end()) return facts;
    facts.total = found->second.size();
    facts.present = std::ranges::any_of(found->second, [&](const Reaction& one) {
        return one.user_id == user && one.emoji == emoji;
    });
    return facts;
}

Result<std::optional<model::RoomId>> Store::room_by_name_key(std::string_view key) {
    const Lock lock(x_mutex);
    const auto found = x_room_by_name_key.find(key);
    if (found == x_room_by_name_key.end()) return std::nullopt;
    return found->second;
}

Result<std::optional<model::RoomId>> Store::dm_of(model::UserId a, model::UserId b) {
    const Lock lock(x_mutex);
    const auto found = x_dms.find({std::min(a, b), std::max(a, b)});
    if (found == x_dms.end()) return std::nullopt;
    return found->second;
}

Result<bool> Store::user_exists(model::UserId user) {
    const Lock lock(x_mutex);
    return x_users.contains(user) && !x_erasures.contains(user);
}

} // namespace parley::memory
