#include "tests/sim/checker.hpp"

#include <limits>
#include <set>
#include <string>
#include <utility>

namespace parley::sim {

Checker::Checker(World& world, const Journal& journal, StoreOf store_of,
                 const std::vector<model::RoomId>& rooms)
    : x_world(world), x_journal(journal), x_store_of(std::move(store_of)) {
    for (const model::RoomId room : rooms) {
        History& history = x_history[room];
        const auto page =
            x_store_of(room).read_events(room, {}, std::numeric_limits<std::size_t>::max());
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

void Checker::check_rules() {
    for (const auto& [room, history] : x_history) {
        RoomModel& model = x_final.emplace(room, x_journal.first.at(room)).first->second;
        for (WireEvent event : history) {
            // The log has the present text; the model begins with the one that was sent.
            const auto send = x_journal.sends.find(event.nonce);
            if (event.kind == EventKind::posted && send != x_journal.sends.end())
                event.content = send->second.content;
            std::set<model::UserId>& present = x_present[event.id];
            for (const auto& [user, role] : model.roles) present.insert(user);
            if (const std::string wrong = model.apply(event); !wrong.empty())
                x_world.violated("I8", wrong + ": event " + event.id.to_string());
            for (const auto& [user, role] : model.roles) present.insert(user);
        }
        check_stored(room, model);
    }
}

void Checker::check_stored(model::RoomId room, const RoomModel& model) {
    RoomModel stored;
    const auto now = x_store_of(room).read_room(room);
    if (!now) return x_world.violated("I4", "room " + room.to_string() + " is gone");
    for (const auto& member : now->members) stored.roles[member.user_id] = member.role;
    stored.open = now->room.visibility == model::Visibility::open;
    stored.name = number_of_name(now->room.name);
    stored.pause_s = now->room.slow_mode_seconds;
    const auto page =
        x_store_of(room).read_before(room, {}, std::numeric_limits<std::size_t>::max());
    for (const auto& [message, reactions] : page.messages) {
        stored.messages[message.id] = {message.user_id, number_of(message.content),
                                       message.edited_at.has_value(), message.deleted};
        for (const auto& summary : reactions)
            for (const model::UserId user : summary.user_ids)
                if (!stored.reactions.emplace(message.id, user).second)
                    x_world.violated("I2", "a reaction is stored twice");
    }
    compare("the store", room, stored, model);
}

void Checker::compare(const std::string& who, model::RoomId room, const RoomModel& has,
                      const RoomModel& should) {
    const std::string where = " in room " + room.to_string() + " than the log makes";
    if (has.roles != should.roles) x_world.violated("I8", who + " has other members" + where);
    if (has.messages != should.messages)
        x_world.violated("I1", who + " has other messages" + where);
    if (has.reactions != should.reactions)
        x_world.violated("I1", who + " has other reactions" + where);
    if (has.open != should.open || has.name != should.name || has.pause_s != should.pause_s)
        x_world.violated("I1", who + " has another name, visibility or slow mode" + where);
}

void Checker::check_changes() {
    std::map<model::MessageId, int> edits;
    std::set<model::MessageId> deleted;
    for (const auto& [room, history] : x_history)
        for (const WireEvent& event : history) {
            edits[event.message] += event.kind == EventKind::edited;
            if (event.kind == EventKind::deleted) deleted.insert(event.message);
        }
    for (const auto& [message, count] : x_journal.edits_done)
        if (edits[message] < count)
            x_world.violated("I1", "an acknowledged edit of " + message.to_string() + " is lost");
    for (const auto& [message, count] : x_journal.edits_asked)
        if (edits[message] > count)
            x_world.violated("I2", "an edit of " + message.to_string() + " was made twice");
    for (const model::MessageId message : x_journal.deletions_done)
        if (!deleted.contains(message))
            x_world.violated("I1", "acknowledged deletion of " + message.to_string() + " is lost");
    for (const auto& [whose, furthest] : x_journal.marks_done) {
        const auto& [user, room] = whose;
        const model::MessageId mark = x_store_of(room).read_mark(user, room);
        if (mark < furthest) x_world.violated("I15", "a read mark went back");
        if (mark && !x_journal.marks_asked.contains({user, room, mark}))
            x_world.violated("I3", "a read mark where nobody put one");
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
        const auto role = x_store_of(room).role(room, device.user());
        const bool member = role && *role;
        if (member && view.state != Device::View::State::live)
            x_world.violated("I5", name + " is a member and not live");
        if (member && view.log.size() != history.size())
            x_world.violated("I5", name + " has " + std::to_string(view.log.size()) + " of " +
                                       std::to_string(history.size()) + " events");
        if (!member && view.state == Device::View::State::live)
            x_world.violated("I8", name + " is live and no member");
        if (member) check_view(name, room, view);
        for (const model::EventId id : view.live)
            if (const auto at = x_present.find(id);
                at != x_present.end() && !at->second.contains(device.user()))
                x_world.violated("I8", name + " heard event " + id.to_string() + " as no member");
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

void Checker::check_view(const std::string& name, model::RoomId room, const Device::View& view) {
    const RoomModel& final = x_final.at(room);
    RoomModel seen = x_journal.first.at(room);
    for (const WireEvent& event : view.log) {
        seen.apply(event);
        if (!view.fresh || event.kind != EventKind::posted) continue;
        const auto message = final.messages.find(event.message);
        if (message != final.messages.end() && message->second.content != event.content)
            x_world.violated("I3", name + " read an earlier text of " + event.id.to_string());
    }
    // One that was read after its deletion shows no edits.
    RoomModel should = final;
    for (RoomModel* model : {&seen, &should})
        for (auto& [id, message] : model->messages) message.edited &= !message.deleted;
    compare(name, room, seen, should);
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
