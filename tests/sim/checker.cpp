#include "tests/sim/checker.hpp"

#include <limits>
#include <set>
#include <string>
#include <utility>

namespace parley::sim {

Checker::Checker(World& world, const Journal& journal, memory::Store& store,
                 const std::vector<model::RoomId>& rooms)
    : x_world(world), x_journal(journal), x_store(store) {
    for (const model::RoomId room : rooms) {
        History& history = x_history[room];
        const auto page = store.read_events(room, {}, std::numeric_limits<std::size_t>::max());
        for (const model::Event& event : page.events) history.push_back(to_wire(event));
        x_world.stats.stored += history.size();
    }
}

void Checker::check_history() {
    std::set<model::EventId> ids;
    std::set<model::MessageId> deleted;
    for (const auto& [room, history] : x_history) {
        model::EventId last;
        for (const WireEvent& event : history) {
            const std::string name = "event " + event.id.to_string();
            if (event.id <= last) x_world.violated("I4", name + " is not above the one before");
            if (event.prev != last) x_world.violated("I4", name + " has a wrong prev_id");
            if (!ids.insert(event.id).second) x_world.violated("I6", name + " is there twice");
            if (!x_journal.asked_for(event)) x_world.violated("I3", name + " was not asked for");
            last = event.id;
            if (event.kind == EventKind::deleted) deleted.insert(event.message);
            if (event.kind != EventKind::posted) continue;
            if (!x_stored.emplace(event.nonce, event.id).second)
                x_world.violated("I2", "nonce " + std::to_string(event.nonce) + " has two rows");
        }
        for (const WireEvent& event : history)
            if (event.content && deleted.contains(event.message))
                x_world.violated("I3", "deleted text is in event " + event.id.to_string());
    }
}

void Checker::check_writers() {
    for (const auto& [room, history] : x_history) {
        std::set<model::UserId> members = x_journal.first_members.at(room);
        for (const WireEvent& event : history) {
            const bool joins = event.kind == EventKind::member && event.subject == event.user &&
                               event.action == model::MemberAction::joined;
            if (!joins && !members.contains(event.user))
                x_world.violated("I8", "event " + event.id.to_string() + " is by no member");
            if (event.kind != EventKind::member) continue;
            if (event.action == model::MemberAction::joined)
                members.insert(event.subject);
            else
                members.erase(event.subject);
        }
        const auto now = x_store.read_room(room);
        bool same = now && now->members.size() == members.size();
        for (std::size_t i = 0; same && i < now->members.size(); ++i)
            same = members.contains(now->members[i].user_id);
        if (!same) x_world.violated("I8", "the store has other members than the log");
    }
}

void Checker::check_commits(const std::vector<model::EventId>& ids) {
    model::EventId last;
    for (const model::EventId id : ids) {
        if (id <= last) x_world.violated("I6", "id " + id.to_string() + " after a greater one");
        last = id;
    }
}

void Checker::check_sends() {
    for (const auto& [nonce, send] : x_journal.sends) {
        const std::string name = "nonce " + std::to_string(nonce);
        const auto stored = x_stored.find(nonce);
        const bool there = stored != x_stored.end();
        if (!send.settled()) x_world.violated("I10", name + " never got an answer");
        if (send.acknowledged && !there)
            x_world.violated("I1", name + " was acknowledged and is not in history");
        if (send.acknowledged && there && send.acknowledged != stored->second)
            x_world.violated("I1", name + " was acknowledged under another id");
        // Of several attempts one may be refused after another was stored: the sender had left.
        if (!send.refused.empty() && send.attempts == 1 && there)
            x_world.violated("I10", name + " was refused and is in history");
    }
}

void Checker::check_order_of_senders() {
    // By nonce, so in the order of sending. What was sent again may have come in by the later
    // attempt.
    std::map<std::pair<LinkId, model::RoomId>, model::EventId> last;
    for (const auto& [nonce, send] : x_journal.sends) {
        const auto stored = x_stored.find(nonce);
        if (send.attempts != 1 || stored == x_stored.end()) continue;
        model::EventId& before = last[{send.first_link, send.room}];
        if (stored->second < before)
            x_world.violated("I7", "nonce " + std::to_string(nonce) + " overtook an earlier one");
        before = stored->second;
    }
}

void Checker::check_observer(const Device& device) {
    for (const auto& [room, view] : device.views()) {
        const History& history = x_history.at(room);
        const std::string name =
            "user " + device.user().to_string() + " in room " + room.to_string();
        const auto role = x_store.role(room, device.user());
        const bool member = role && *role;
        if (member && view.state != Device::View::State::live)
            x_world.violated("I5", name + " is a member and not live");
        if (member && view.log.size() != history.size())
            x_world.violated("I5", name + " has " + std::to_string(view.log.size()) + " of " +
                                       std::to_string(history.size()) + " events");
        if (!member && view.state == Device::View::State::live)
            x_world.violated("I8", name + " is live and no member");
        // A view begins with the room, so whatever it has is the beginning of the history.
        for (std::size_t i = 0; i < view.log.size(); ++i) {
            if (i < history.size() && view.log[i].id == history[i].id &&
                view.log[i].prev == history[i].prev && view.log[i].nonce == history[i].nonce &&
                view.log[i].user == history[i].user && view.log[i].kind == history[i].kind)
                continue;
            x_world.violated("I4", name + " saw event " + view.log[i].id.to_string() +
                                       " where history has another");
            break;
        }
    }
}

std::uint64_t Checker::digest() const {
    std::uint64_t hash = 0xCBF29CE484222325ull;
    const auto add = [&hash](std::uint64_t number) { hash = (hash ^ number) * 0x100000001B3ull; };
    for (const auto& [room, history] : x_history)
        for (const WireEvent& event : history) {
            add(static_cast<std::uint64_t>(event.id.value));
            add(event.nonce);
            add(event.content);
        }
    add(static_cast<std::uint64_t>(x_world.scheduler.now_ms()));
    return hash;
}

} // namespace parley::sim
