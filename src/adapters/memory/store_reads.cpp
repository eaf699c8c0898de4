// Store as ports::History and ports::RoomDirectory.
#include "adapters/memory/store.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace parley::memory {

ports::HistoryMessage Store::shown(const RoomData& room, const model::Message& message) const {
    ports::HistoryMessage out{.message = message, .reactions = {}};
    const auto found = room.reactions.find(message.id);
    if (found == room.reactions.end()) return out;
    for (const Reaction& one : found->second) {
        auto summary = std::ranges::find(out.reactions, one.emoji, &model::ReactionSummary::emoji);
        if (summary == out.reactions.end())
            summary =
                out.reactions.insert(summary, {.emoji = one.emoji, .count = 0, .user_ids = {}});
        ++summary->count;
        if (summary->user_ids.size() < limits::kReactionUsersShown)
            summary->user_ids.push_back(one.user_id);
    }
    return out;
}

ports::MessagePage Store::read_before(model::RoomId id, model::MessageId before,
                                      std::size_t limit) {
    const Lock lock(x_mutex);
    ports::MessagePage page;
    const RoomData* const room = find_room(id);
    if (!room) return page;
    auto end = before ? room->events.lower_bound(before) : room->events.end();
    while (end != room->events.begin()) {
        --end;
        const auto* post = std::get_if<model::MessagePosted>(&end->second.body);
        if (!post) continue;
        if (page.messages.size() == limit) {
            page.more = true;
            break;
        }
        page.messages.push_back(shown(*room, post->message));
    }
    return page;
}

ports::MessagePage Store::read_after(model::RoomId id, model::MessageId after, std::size_t limit) {
    const Lock lock(x_mutex);
    ports::MessagePage page;
    const RoomData* const room = find_room(id);
    if (!room) return page;
    for (auto at = room->events.upper_bound(after); at != room->events.end(); ++at) {
        const auto* post = std::get_if<model::MessagePosted>(&at->second.body);
        if (!post) continue;
        if (page.messages.size() == limit) {
            page.more = true;
            break;
        }
        page.messages.push_back(shown(*room, post->message));
    }
    return page;
}

ports::EventPage Store::read_events(model::RoomId id, model::EventId since, std::size_t limit) {
    const Lock lock(x_mutex);
    ports::EventPage page;
    const RoomData* const room = find_room(id);
    if (!room) return page;
    page.last_id = room->last_id();
    for (auto at = room->events.upper_bound(since); at != room->events.end(); ++at) {
        if (page.events.size() == limit) {
            page.more = true;
            break;
        }
        model::Event event = at->second;
        if (auto* edited = std::get_if<model::MessageEdited>(&event.body)) {
            const model::MessageId id = edited->message.id;
            // Of a message that was too old to be kept, its end is shown.
            if (const model::Message* message = room->find_message(id))
                edited->message = *message;
            else
                event.body = model::MessageDeleted{id};
        }
        page.events.push_back(std::move(event));
    }
    return page;
}

Result<ports::RoomSnapshot> Store::read_room(model::RoomId id) {
    const Lock lock(x_mutex);
    const RoomData* const room = find_room(id);
    if (!room) return Error(Errc::unknown_room, "no such room");
    ports::RoomSnapshot snapshot{.room = room->room, .members = {}, .last_id = room->last_id()};
    snapshot.room.member_count = room->members.size();
    for (const auto& [user, row] : room->members) snapshot.members.push_back({user, row.role});
    return snapshot;
}

ports::RoomListItem Store::list_item(const RoomData& room, model::UserId user,
                                     MemberRow member) const {
    ports::RoomListItem item;
    item.room = room.room;
    item.room.member_count = room.members.size();
    item.my_role = member.role;
    if (const auto mark = room.read_marks.find(user); mark != room.read_marks.end())
        item.last_read_id = mark->second;
    for (auto at = room.events.rbegin(); at != room.events.rend(); ++at) {
        const auto* post = std::get_if<model::MessagePosted>(&at->second.body);
        if (!post) continue;
        if (post->message.deleted) continue;
        if (!item.last_message) item.last_message = post->message;
        if (at->first <= item.last_read_id || item.unread_count == limits::kUnreadCountMax) break;
        item.unread_count += post->message.user_id != user;
    }
    if (room.room.kind == model::RoomKind::dm)
        for (const auto& [id, row] : room.members) item.dm_user_ids.push_back(id);
    return item;
}

Task<Result<ports::MessagePage>> Store::messages_before(model::RoomId room, model::MessageId before,
                                                        std::size_t limit) {
    co_return read_before(room, before, limit);
}

Task<Result<ports::MessagePage>> Store::messages_after(model::RoomId room, model::MessageId after,
                                                       std::size_t limit) {
    co_return read_after(room, after, limit);
}

Task<Result<ports::EventPage>> Store::events_after(model::RoomId room, model::EventId since,
                                                   std::size_t limit) {
    co_return read_events(room, since, limit);
}

Task<Result<ports::RoomSnapshot>> Store::load_room(model::RoomId room) {
    co_return read_room(room);
}

Task<Result<std::vector<ports::RoomListItem>>>
Store::rooms_of(model::UserId user, model::RoomId after, std::size_t limit) {
    const Lock lock(x_mutex);
    std::vector<ports::RoomListItem> items;
    for (auto at = x_rooms.upper_bound(after); at != x_rooms.end() && items.size() < limit; ++at) {
        const RoomData& room = at->second;
        const auto member = room.members.find(user);
        if (!room.room.deleted && member != room.members.end())
            items.push_back(list_item(room, user, member->second));
    }
    co_return items;
}

Task<Result<std::vector<model::Room>>> Store::search(ports::Groups among, std::string query,
                                                     model::RoomId after, std::size_t limit) {
    const Lock lock(x_mutex);
    std::vector<model::Room> rooms;
    for (auto at = x_rooms.upper_bound(after); at != x_rooms.end() && rooms.size() < limit; ++at) {
        const RoomData& room = at->second;
        if (room.room.deleted || room.room.kind != model::RoomKind::group) continue;
        if (among == ports::Groups::open && room.room.visibility != model::Visibility::open)
            continue;
        if (room.name_key.find(query) == std::string::npos &&
            room.topic_key.find(query) == std::string::npos)
            continue;
        rooms.push_back(room.room);
        rooms.back().member_count = room.members.size();
    }
    co_return rooms;
}

Task<Result<std::vector<model::Member>>> Store::members(model::RoomId id, model::UserId after,
                                                        std::size_t limit) {
    const Lock lock(x_mutex);
    std::vector<model::Member> out;
    const RoomData* const room = find_room(id);
    if (!room) co_return out;
    for (auto at = room->members.upper_bound(after);
         at != room->members.end() && out.size() < limit; ++at) {
        const UserRow& user = x_users.at(at->first);
        out.push_back({.user_id = at->first,
                       .username = user.user.username,
                       .role = at->second.role,
                       .joined_at = at->second.joined_at,
                       .last_seen_at = user.last_seen_at,
                       .display_name = user.user.display_name,
                       .avatar_media_id = user.user.avatar_media_id});
    }
    co_return out;
}

Task<Result<bool>> Store::share_room(model::UserId one, model::UserId other) {
    const Lock lock(x_mutex);
    co_return std::ranges::any_of(x_rooms, [&](const auto& entry) {
        const auto& [id, room] = entry;
        return !room.room.deleted && room.members.contains(one) && room.members.contains(other);
    });
}

model::MessageId Store::read_mark(model::UserId user, model::RoomId id) {
    const Lock lock(x_mutex);
    RoomData* const room = find_room(id);
    return room ? room->read_marks[user] : model::MessageId();
}

Result<bool> Store::move_read_mark(model::UserId user, model::RoomId id, model::MessageId message) {
    const Lock lock(x_mutex);
    RoomData* const room = find_room(id);
    if (!room || !room->find_message(message))
        return Error(Errc::unknown_message, "no such message in this room");
    model::MessageId& mark = room->read_marks[user];
    if (mark >= message) return false;
    mark = message;
    return true;
}

Task<Result<ports::Readers>> Store::readers(model::RoomId id, model::MessageId message,
                                            std::size_t limit) {
    const Lock lock(x_mutex);
    ports::Readers readers;
    const RoomData* const room = find_room(id);
    if (!room) co_return readers;
    for (const auto& [user, mark] : room->read_marks) {
        if (mark < message || !room->members.contains(user)) continue;
        readers.more = readers.users.size() == limit;
        if (readers.more) break;
        readers.users.push_back(user);
    }
    co_return readers;
}

Task<Result<std::vector<ports::MarkOutcome>>> Store::set_read(std::vector<ports::ReadMark> marks) {
    const Lock lock(x_mutex);
    std::vector<ports::MarkOutcome> outcomes;
    for (const ports::ReadMark& mark : marks) outcomes.push_back(move_mark(mark));
    co_return outcomes;
}

ports::MarkOutcome Store::move_mark(const ports::ReadMark& mark) {
    const auto moved = move_read_mark(mark.user, mark.room, mark.message);
    if (!moved) return ports::MarkOutcome::unknown_message;
    return *moved ? ports::MarkOutcome::moved : ports::MarkOutcome::stayed;
}

} // namespace parley::memory
