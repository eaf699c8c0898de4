#include "chat/presence.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace parley::chat {

std::size_t Presence::connected(model::UserId user) {
    const auto [at, fresh] = x_users.try_emplace(user);
    Entry& entry = at->second;
    if (fresh)
        store(user, std::nullopt);
    else if (entry.connections == 0)
        x_deadlines.erase({entry.grace_until, user});
    return ++entry.connections;
}

bool Presence::entered(model::UserId user, model::RoomId room) {
    const auto found = x_users.find(user);
    return found != x_users.end() && found->second.rooms.insert(room).second;
}

bool Presence::left(model::UserId user, model::RoomId room) {
    const auto found = x_users.find(user);
    return found != x_users.end() && found->second.rooms.erase(room) > 0;
}

std::optional<Presence::Gone> Presence::disconnected(model::UserId user, Parting how,
                                                     model::Time at, Instant now) {
    const auto found = x_users.find(user);
    if (found == x_users.end() || found->second.connections == 0) return std::nullopt;
    Entry& entry = found->second;
    entry.dropped_at = at;
    if (how == Parting::dropped) entry.grace_until = now + x_grace;
    if (--entry.connections > 0) return std::nullopt;
    // One that said good-bye leaves another's grace as it is: that one may be about to come back.
    if (entry.grace_until <= now) return take(found);
    x_deadlines.emplace(entry.grace_until, user);
    return std::nullopt;
}

std::vector<Presence::Gone> Presence::expire(Instant now) {
    std::vector<Gone> gone;
    while (!x_deadlines.empty() && x_deadlines.begin()->first <= now) {
        gone.push_back(take(x_users.find(x_deadlines.begin()->second)));
        x_deadlines.erase(x_deadlines.begin());
    }
    return gone;
}

Presence::Gone Presence::take(std::unordered_map<model::UserId, Entry>::iterator at) {
    Gone gone{at->first, at->second.dropped_at, {at->second.rooms.begin(), at->second.rooms.end()}};
    store(gone.user, gone.last_seen_at);
    x_users.erase(at);
    return gone;
}

void Presence::store(model::UserId user, std::optional<model::Time> last_seen_at) {
    if (x_unstored.size() < limits::kPresenceUnstored || x_unstored.contains(user))
        x_unstored[user] = last_seen_at;
}

ports::PresenceNote Presence::take_changes(std::size_t most) {
    ports::PresenceNote note;
    for (std::size_t n = std::min(most, x_unstored.size()); n > 0; --n) {
        const auto& [user, last_seen_at] = *x_unstored.begin();
        if (last_seen_at)
            note.offline.push_back({user, *last_seen_at});
        else
            note.online.push_back(user);
        x_unstored.erase(x_unstored.begin());
    }
    return note;
}

void Presence::put_back(const ports::PresenceNote& note) {
    for (const model::UserId user : note.online) x_unstored.try_emplace(user, std::nullopt);
    for (const ports::LastSeen& seen : note.offline) x_unstored.try_emplace(seen.user, seen.at);
}

void Presence::end(model::Time now) {
    for (const auto& [user, entry] : x_users)
        store(user, entry.connections > 0 ? now : entry.dropped_at);
    x_users.clear();
    x_deadlines.clear();
}

} // namespace parley::chat
