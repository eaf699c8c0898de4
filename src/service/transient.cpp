// The half of Rooms that is not in the log: presence, typing, read marks and their receipts.
#include "base/run_on.hpp"
#include "protocol/v1/server_frame.hpp"
#include "service/rooms.hpp"

#include <bit>

namespace parley::service {

namespace v1 = protocol::v1;

template <class Tell>
void Rooms::on_each_listening(model::RoomId room, Tell tell) {
    x_probe.transient.add();
    for (CoreMask rest = x_home.listeners(room); rest; rest &= rest - 1)
        on(*x_peers[static_cast<std::size_t>(std::countr_zero(rest))], tell);
}

// --- presence

void Rooms::presence_entered(model::UserId user, model::RoomId room) {
    on(home_of(user), [user, room](Rooms& home) {
        if (!home.x_presence.entered(user, room)) return;
        home.on(home.home_of(room),
                [user, room](Rooms& of_room) { of_room.show(room, user, true, std::nullopt); });
    });
}

void Rooms::tell_gone(const chat::Presence::Gone& gone) {
    if (x_ports.presence && x_gate.spawn(tell_if_gone_everywhere(gone))) return;
    for (const model::RoomId room : gone.rooms)
        on(home_of(room), [room, user = gone.user, at = gone.last_seen_at](Rooms& home) {
            home.show(room, user, false, at);
        });
}

// Of several processes the last one tells.
Task<void> Rooms::tell_if_gone_everywhere(chat::Presence::Gone gone) {
    const bool nowhere = co_await x_ports.presence->gone(gone.user);
    // Back already?
    const bool tell = nowhere && !x_presence.online(gone.user);
    for (const model::RoomId room : gone.rooms)
        on(home_of(room), [room, tell, user = gone.user, at = gone.last_seen_at](Rooms& home) {
            if (tell)
                home.show(room, user, false, at);
            else
                home.count_online(room, false);
        });
}

void Rooms::show(model::RoomId room, model::UserId user, bool online,
                 std::optional<model::Time> last_seen_at) {
    count_online(room, online);
    if (is_large(room)) return;
    std::string payload;
    v1::append_presence(payload, room, user, online, last_seen_at);
    on_each_listening(room, [room, payload](Rooms& peer) {
        peer.x_hub.publish_transient(room, peer.x_make_frame(payload));
    });
    tell_others({.room = room, .user = {}, .payload = std::move(payload)});
}

void Rooms::count_online(model::RoomId room, bool comes) {
    if (comes) {
        ++x_online_in[room];
        return;
    }
    const auto found = x_online_in.find(room);
    if (found != x_online_in.end() && --found->second == 0) x_online_in.erase(found);
}

Task<std::optional<std::size_t>> Rooms::online_in(model::RoomId room) {
    struct Ask {
        static Task<std::optional<std::size_t>> of(Rooms& home, model::RoomId room) {
            if (!home.is_large(room)) co_return std::nullopt;
            const auto found = home.x_online_in.find(room);
            co_return found == home.x_online_in.end() ? 0 : found->second;
        }
    };
    Rooms& home = home_of(room);
    co_return co_await run_on(home.x_core, Ask::of(home, room));
}

Task<std::vector<bool>> Rooms::online(std::vector<model::UserId> users) {
    std::vector<bool> answer(users.size());
    std::vector<std::vector<std::size_t>> by_core(x_peers.size());
    for (std::size_t i = 0; i < users.size(); ++i)
        by_core[std::hash<model::UserId>{}(users[i]) % x_peers.size()].push_back(i);
    struct Ask {
        static Task<std::vector<bool>> of(Rooms& peer, std::vector<model::UserId> some) {
            std::vector<bool> online;
            for (const model::UserId user : some) online.push_back(peer.x_presence.online(user));
            co_return online;
        }
    };
    for (std::size_t core = 0; core < by_core.size(); ++core) {
        if (by_core[core].empty()) continue;
        std::vector<model::UserId> some;
        for (const std::size_t i : by_core[core]) some.push_back(users[i]);
        const auto part =
            co_await run_on(x_peers[core]->x_core, Ask::of(*x_peers[core], std::move(some)));
        for (std::size_t k = 0; k < part.size(); ++k) answer[by_core[core][k]] = part[k];
    }
    if (x_ports.presence) {
        const auto elsewhere = co_await x_ports.presence->online(std::move(users));
        for (std::size_t i = 0; i < answer.size(); ++i) answer[i] = answer[i] || elsewhere[i];
    }
    co_return answer;
}

// One write at a time; what changes meanwhile waits for the next.
void Rooms::note_presence() {
    const auto steady = x_ports.clock.steady();
    if (x_writing_presence || steady < x_presence_written + limits::kPresenceWrites) return;
    ports::PresenceNote note = x_presence.take_changes(limits::kPresenceBatch);
    const bool changes = !note.online.empty() || !note.offline.empty();
    const bool says_alive =
        x_presence.size() > 0 && steady >= x_alive_written + limits::kAliveWrites;
    if (!changes && !says_alive) return;
    // A full batch is followed by the next at once.
    const bool full = note.online.size() + note.offline.size() == limits::kPresenceBatch;
    x_presence_written = full ? std::chrono::steady_clock::time_point{} : steady;
    x_alive_written = steady;
    note.alive_at = x_ports.clock.now();
    x_writing_presence = true;
    if (!x_gate.spawn(write_presence(std::move(note)))) x_writing_presence = false;
}

Task<void> Rooms::write_presence(ports::PresenceNote note) {
    x_probe.presence_writes.add();
    const auto stored = co_await x_ports.users.note_presence(note);
    if (!stored) x_presence.put_back(note);
    x_writing_presence = false;
}

// --- typing

void Rooms::typing(model::UserId user, model::RoomId room, chat::Subscriber* except) {
    const std::uint16_t from = x_core.index();
    on(home_of(room), [=](Rooms& home) {
        if (home.is_large(room)) return home.x_probe.typing_in_large_room.add();
        if (!home.x_typing.may(room, user, home.x_ports.clock.steady()))
            return home.x_probe.typing_too_soon.add();
        std::string payload;
        v1::append_typing(payload, room, user);
        home.on_each_listening(room, [=](Rooms& peer) {
            peer.x_hub.publish_transient(room, peer.x_make_frame(payload),
                                         peer.x_core.index() == from ? except : nullptr);
        });
        home.tell_others({.room = room, .user = {}, .payload = payload});
    });
}

void Rooms::tell_small_room(model::RoomId room, std::string payload, chat::Subscriber* except,
                            chat::Dialect dialect) {
    const std::uint16_t from = x_core.index();
    on(home_of(room), [=, payload = std::move(payload)](Rooms& home) {
        if (home.is_large(room)) return;
        home.on_each_listening(room, [=](Rooms& peer) {
            peer.x_hub.publish_transient(room, peer.x_make_frame(payload),
                                         peer.x_core.index() == from ? except : nullptr, dialect);
        });
        home.tell_others({.dialect = dialect, .room = room, .user = {}, .payload = payload});
    });
}

// --- read marks

Task<Result<void>> Rooms::mark_read(model::UserId user, model::RoomId room,
                                    model::MessageId message, chat::Subscriber* except) {
    PARLEY_CO_TRY(const RoomView seen, co_await require(user, room, chat::Action::send));
    static_cast<void>(seen);
    PARLEY_CO_TRY(const bool moved, co_await x_read_marks.mark(user, room, message));
    if (!moved) co_return Result<void>{};
    const OwnReceipt own{user, room, message, x_core.index(), except};
    on(home_of(user), [own](Rooms& home) {
        const auto now = home.x_ports.clock.steady();
        if (const auto receipt = home.x_own_receipts.offer(own.user, own.room, own, now))
            home.send_own_receipt(*receipt);
    });
    on(home_of(room), [=](Rooms& home) {
        if (home.is_large(room)) return;
        const auto now = home.x_ports.clock.steady();
        if (home.x_receipts.offer(room, user, {room, user, message}, now))
            home.send_receipt(room, user, message);
    });
    co_return Result<void>{};
}

void Rooms::send_receipt(model::RoomId room, model::UserId user, model::MessageId message) {
    std::string payload;
    v1::append_receipt(payload, room, user, message);
    on_each_listening(room, [=](Rooms& peer) {
        peer.x_hub.publish_to_others(room, peer.x_make_frame(payload), user);
    });
    tell_others({.room = room, .user = user, .payload = std::move(payload)});
}

void Rooms::send_own_receipt(const OwnReceipt& receipt) {
    std::string payload;
    v1::append_receipt(payload, receipt.room, receipt.user, receipt.message);
    tell_user(receipt.user, payload, receipt.core, receipt.except);
    tell_others({.kind = Transient::Kind::to_user,
                 .room = receipt.room,
                 .user = receipt.user,
                 .payload = std::move(payload)});
}

void Rooms::tell_user(model::UserId user, const std::string& payload, std::uint16_t core,
                      chat::Subscriber* except) {
    for (Rooms* each : x_peers)
        on(*each, [=](Rooms& peer) {
            peer.x_hub.for_each_of(user, [&](chat::Subscriber& subscriber) {
                if (subscriber.dialect() != chat::Dialect::v1) return;
                if (&subscriber != except || peer.x_core.index() != core)
                    subscriber.push(peer.x_make_frame(payload));
            });
        });
}

// --- time

void Rooms::tick() {
    if (x_gate.closing()) return;
    const auto now = x_ports.clock.steady();
    x_hub.flush_waiting_since(now - limits::kMemberEventsWait);
    for (const chat::Presence::Gone& gone : x_presence.expire(now)) tell_gone(gone);
    for (const Receipt& one : x_receipts.due(now)) {
        if (!is_large(one.room)) send_receipt(one.room, one.user, one.message);
    }
    for (const OwnReceipt& one : x_own_receipts.due(now)) send_own_receipt(one);
    look_at_heads();
    note_presence();
    x_probe.receipts_folded.add(x_receipts.take_folded() + x_own_receipts.take_folded());
    x_probe.receipts_dropped.add(x_receipts.take_dropped() + x_own_receipts.take_dropped());
    x_probe.receipts_waiting.set(
        static_cast<std::int64_t>(x_receipts.waiting() + x_own_receipts.waiting()));
    x_probe.users_online.set(static_cast<std::int64_t>(x_presence.size()));
    x_probe.users_in_grace.set(static_cast<std::int64_t>(x_presence.in_grace()));
}

// Everybody was last seen now, at the latest; the store is told before it stops.
Task<void> Rooms::close() {
    co_await x_gate.close();
    x_presence.end(x_ports.clock.now());
    for (;;) {
        ports::PresenceNote note = x_presence.take_changes(limits::kPresenceBatch);
        if (note.online.empty() && note.offline.empty()) co_return;
        note.alive_at = x_ports.clock.now();
        x_probe.presence_writes.add();
        // What cannot be stored now is settled at the next start.
        const auto stored = co_await x_ports.users.note_presence(std::move(note));
        if (!stored) co_return;
    }
}

} // namespace parley::service
