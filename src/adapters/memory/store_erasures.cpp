// Store as ports::ErasureStore.
#include "adapters/memory/store.hpp"

#include <algorithm>
#include <tuple>

namespace parley::memory {

Result<ports::Erasure> Store::ask_for_erasure(model::UserId user, model::Time now) {
    if (const auto found = x_erasures.find(user); found != x_erasures.end()) return found->second;
    ports::Erasure erasure;
    erasure.user_id = user;
    erasure.requested_at = now;
    for (const auto& [id, session] : x_sessions)
        erasure.sessions += session.user_id == user && !session.revoked_at;
    PARLEY_CHECK(write_standing(user, {.role = {}, .disabled = true}, now));
    return x_erasures[user] = erasure;
}

Task<Result<ports::Erasure>> Store::request_erasure(model::UserId user, model::Time now) {
    const Lock lock(x_mutex);
    co_return ask_for_erasure(user, now);
}

Task<Result<ports::Erasure>> Store::find_erasure(model::UserId user) {
    const Lock lock(x_mutex);
    const auto found = x_erasures.find(user);
    if (found == x_erasures.end())
        co_return Error(Errc::unknown_user, "no erasure of this user was asked for");
    co_return found->second;
}

Task<Result<std::optional<ports::Erasure>>> Store::next_erasure() {
    const Lock lock(x_mutex);
    std::optional<ports::Erasure> next;
    for (const auto& [user, erasure] : x_erasures)
        if (!erasure.done_at && (!next || erasure.requested_at < next->requested_at))
            next = erasure;
    co_return next;
}

ports::ErasedMembership Store::erased_membership(const RoomData& room, model::UserId user) const {
    ports::ErasedMembership membership{room.room.id, room.members.size() <= 1, {}};
    const bool owner_needed = room.room.kind == model::RoomKind::group && room.owners() == 1 &&
                              room.members.at(user).role == model::Role::owner;
    if (!owner_needed || membership.alone) return membership;
    const auto rank = [&](model::UserId id) {
        const MemberRow& row = room.members.at(id);
        return std::tuple(x_users.at(id).user.disabled, -static_cast<int>(row.role), row.joined_at,
                          id);
    };
    for (const auto& [id, row] : room.members)
        if (id != user && (!membership.successor || rank(id) < rank(*membership.successor)))
            membership.successor = id;
    return membership;
}

Task<Result<std::vector<ports::ErasedMembership>>> Store::memberships_of(model::UserId user,
                                                                         std::size_t limit) {
    const Lock lock(x_mutex);
    std::vector<ports::ErasedMembership> found;
    for (const auto& [id, room] : x_rooms)
        if (found.size() < limit && !room.room.deleted && room.members.contains(user))
            found.push_back(erased_membership(room, user));
    co_return found;
}

Task<Result<ports::ErasedMessages>> Store::messages_of(model::UserId user, model::MessageId after,
                                                       std::size_t limit) {
    const Lock lock(x_mutex);
    ports::ErasedMessages found;
    found.scanned = after;
    for (const auto& [id, room] : x_rooms)
        for (const auto& [event_id, event] : room.events) {
            const auto* post = std::get_if<model::MessagePosted>(&event.body);
            if (event_id > after && event.user_id == user && post &&
                (!post->message.deleted || !post->nonce.empty()))
                found.messages.emplace_back(id, event_id);
        }
    std::ranges::sort(found.messages, {}, [](const auto& entry) { return entry.second; });
    found.at_end = found.messages.size() < limit;
    if (!found.at_end) found.messages.resize(limit);
    if (!found.messages.empty()) found.scanned = found.messages.back().second;
    co_return found;
}

Task<Result<std::vector<ports::ErasedReaction>>> Store::reactions_of(model::UserId user,
                                                                     std::size_t limit) {
    const Lock lock(x_mutex);
    std::vector<ports::ErasedReaction> found;
    for (const auto& [id, room] : x_rooms)
        for (const auto& [message, reactions] : room.reactions)
            for (const Reaction& one : reactions)
                if (one.user_id == user && found.size() < limit)
                    found.push_back({id, message, one.emoji});
    co_return found;
}

Task<Result<void>> Store::blank_messages(model::UserId user, std::vector<model::MessageId> messages,
                                         model::MessageId scanned) {
    const Lock lock(x_mutex);
    for (auto& [id, room] : x_rooms)
        for (const model::MessageId message : messages) {
            const auto event = room.events.find(message);
            if (event == room.events.end() || event->second.user_id != user) continue;
            auto& post = std::get<model::MessagePosted>(event->second.body);
            room.nonces.erase({user, post.nonce});
            post.nonce.clear();
            post.message.content.clear();
            post.message.media_id.reset();
            post.message.media.reset();
            post.message.deleted = true;
        }
    ports::Erasure& erasure = x_erasures[user];
    erasure.messages += messages.size();
    erasure.scanned = std::max(erasure.scanned, scanned);
    co_return Result<void>{};
}

Task<Result<void>> Store::blank_room(model::UserId user, model::RoomId id) {
    const Lock lock(x_mutex);
    const auto room = x_rooms.find(id);
    if (room == x_rooms.end() || !room->second.room.deleted) co_return Result<void>{};
    room->second.room.name.clear();
    room->second.room.topic.clear();
    for (auto& [event_id, event] : room->second.events)
        if (auto* change = std::get_if<model::RoomChanged>(&event.body)) {
            change->room.name.clear();
            change->room.topic.clear();
        }
    ++x_erasures[user].rooms;
    co_return Result<void>{};
}

Task<Result<void>> Store::count_left_room(model::UserId user) {
    const Lock lock(x_mutex);
    ++x_erasures[user].rooms;
    co_return Result<void>{};
}

Task<Result<bool>> Store::blank_reactions(model::UserId user,
                                          std::vector<ports::ErasedReaction> reactions) {
    const Lock lock(x_mutex);
    for (auto& [id, room] : x_rooms) {
        for (auto& [message, all] : room.reactions)
            std::erase_if(all, [&](const Reaction& one) { return one.user_id == user; });
        for (auto& [event_id, event] : room.events)
            if (auto* change = std::get_if<model::ReactionChanged>(&event.body);
                change && event.user_id == user) {
                change->emoji = "\xEF\xBF\xBD";
                change->added = false;
            }
    }
    x_erasures[user].reactions += reactions.size();
    co_return reactions.empty();
}

void Store::blank_user(UserRow& row) {
    x_user_by_name_key.erase(row.username_key);
    x_user_by_email_key.erase(row.email_key);
    const model::User old = row.user;
    row = {};
    row.user.id = old.id;
    row.user.created_at = old.created_at;
    row.user.disabled = true;
    row.user.username = row.username_key = row.email_key = "deleted-" + old.id.to_string();
    x_user_by_name_key[row.username_key] = old.id;
    x_user_by_email_key[row.email_key] = old.id;
}

Task<Result<ports::Erasure>> Store::finish_erasure(model::UserId user, model::Time now) {
    const Lock lock(x_mutex);
    ports::Erasure& erasure = x_erasures[user];
    erasure.held += std::erase_if(
        x_held, [&](const auto& entry) { return entry.second.message.user_id == user; });
    for (auto& [id, room] : x_rooms) room.read_marks.erase(user);
    end_sessions_of(user, now);
    for (auto& [id, session] : x_sessions)
        if (session.user_id == user) session.refresh_hash.clear();
    blank_user(x_users.at(user));
    erasure.done_at = now;
    co_return erasure;
}

} // namespace parley::memory
