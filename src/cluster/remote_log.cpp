#include "cluster/remote_log.hpp"

#include "base/run_on.hpp"
#include "chat/names.hpp"
#include "protocol/log/codec.hpp"

#include <utility>

namespace parley::cluster {

namespace plog = protocol::log;

namespace {

// Needs something of the directory before it may be written.
bool needs_directory(const model::Draft& draft) {
    if (std::holds_alternative<model::CreateDraft>(draft.body())) return true;
    if (const auto* room = std::get_if<model::RoomDraft>(&draft.body()))
        return room->name || room->remove;
    if (const auto* member = std::get_if<model::MemberDraft>(&draft.body()))
        return member->user_id != draft.user_id();
    return false;
}

Pending pending_of(const ports::Submission& submission) {
    const model::Draft& draft = submission.draft.draft();
    Pending pending{.origin = submission.origin,
                    .room_id = draft.room_id(),
                    .user_id = draft.user_id(),
                    .nonce = {},
                    .content = {}};
    if (const auto* post = std::get_if<model::PostDraft>(&draft.body())) {
        pending.nonce = post->nonce;
        pending.content = post->content;
    }
    return pending;
}

} // namespace

RemoteLog::RemoteLog(RemoteLogParts parts)
    : x_parts(std::move(parts)),
      x_written(x_parts.metrics.counter("parley_log_records_total", "Drafts given to the log")),
      x_failed(x_parts.metrics.counter("parley_log_failures_total",
                                       "Drafts that the log did not take in time")),
      x_closed(x_parts.metrics.counter("parley_log_closed_refused_total",
                                       "Drafts refused because the log would forget them")),
      x_claims_taken(x_parts.metrics.counter("parley_name_claims_taken_total",
                                             "Names taken from rooms that do not use them")) {}

void RemoteLog::meet(const std::vector<Core*>& cores) {
    x_cores = cores;
    for (Core* core : cores)
        x_gates.push_back(std::make_unique<Gate>(core->io().get_executor()));
}

void RemoteLog::append(std::vector<ports::Submission> submissions) {
    for (ports::Submission& submission : submissions) {
        if (auto allowed = take_rate(submission.draft.draft()); !allowed) {
            refuse(pending_of(submission), allowed.error());
            continue;
        }
        if (!needs_directory(submission.draft.draft())) {
            Pending pending = pending_of(submission);
            write(std::move(submission), std::move(pending));
            continue;
        }
        const Pending pending = pending_of(submission);
        if (!gate_of(pending.origin).spawn(prepare(std::move(submission))))
            refuse(pending, {Errc::shutting_down, "the server is stopping"});
    }
}

Result<void> RemoteLog::take_rate(const model::Draft& draft) {
    const bool is_member = std::holds_alternative<model::MemberDraft>(draft.body());
    const bool is_room = std::holds_alternative<model::RoomDraft>(draft.body()) ||
                         std::holds_alternative<model::CreateDraft>(draft.body());
    if (!x_parts.rates.enabled() || draft.by_server() || is_room) return {};
    const auto now = x_parts.clock.steady();
    const auto record = x_parts.rates.of_room(draft.room_id(), now);
    using service::Limit;
    return x_parts.rates.take(is_member ? Limit::room_joins : Limit::room_sends, *record, now);
}

void RemoteLog::write(ports::Submission submission, Pending pending, model::RoomId new_room) {
    const model::RoomId room = new_room ? new_room : pending.room_id;
    const ports::Partition partition = x_parts.partition_of(room);
    if (x_parts.is_closed && x_parts.is_closed(partition)) {
        x_closed.add();
        return refuse(pending, {Errc::unavailable, "the room's store has been away too long"});
    }
    const auto number = x_parts.pending.add(std::move(pending), x_parts.clock.steady());
    if (!number)
        return refuse(pending, {Errc::overloaded, "too many changes wait for their answer"});
    x_written.add();
    x_parts.producer.produce(
        partition, room.to_string(),
        plog::Codec::encode({x_parts.node, *number}, submission.draft, new_room),
        [this, room, number = *number](Result<std::int64_t> written) {
            if (written && x_parts.spans)
                x_parts.pending.note_written(number, x_parts.spans->now_us());
            if (written) return;
            x_failed.add();
            const auto waiting = x_parts.pending.take(number, room);
            if (waiting) refuse(*waiting, written.error());
        });
}

void RemoteLog::refuse(const Pending& pending, Error error) {
    ports::Outcome outcome;
    outcome.origin = pending.origin;
    outcome.room_id = pending.makes_room ? model::RoomId{} : pending.room_id;
    outcome.nonce = pending.nonce;
    outcome.error = std::move(error);
    hand_on(std::move(outcome));
}

void RemoteLog::hand_on(ports::Outcome outcome) {
    std::vector<ports::Outcome> one;
    one.push_back(std::move(outcome));
    x_parts.sink.on_outcomes(std::move(one));
}

void RemoteLog::expire() {
    for (const Pending& pending : x_parts.pending.expire(x_parts.clock.steady()))
        refuse(pending, {Errc::unavailable, "not known whether it was stored; send it again"});
}

Task<void> RemoteLog::close() {
    for (std::size_t i = 0; i < x_gates.size(); ++i)
        co_await run_on(*x_cores[i], x_gates[i]->close());
}

// --- before the log

Task<void> RemoteLog::prepare(ports::Submission submission) {
    Pending pending = pending_of(submission);
    const model::Draft& draft = submission.draft.draft();
    Result<void> prepared;
    if (std::holds_alternative<model::CreateDraft>(draft.body()))
        prepared = co_await prepare_create(draft, pending);
    else if (std::holds_alternative<model::RoomDraft>(draft.body()))
        prepared = co_await prepare_room(draft, pending);
    else
        prepared = co_await check_user(std::get<model::MemberDraft>(draft.body()).user_id);
    if (!prepared) {
        refuse(pending, prepared.error());
        co_return;
    }
    const model::RoomId new_room = pending.makes_room ? pending.room_id : model::RoomId{};
    write(std::move(submission), std::move(pending), new_room);
}

Task<Result<void>> RemoteLog::check_user(model::UserId user) {
    auto found = co_await x_parts.users.find_user(user);
    if (!found && found.error().code == Errc::unknown_user)
        co_return Error(Errc::unknown_user, "no such user");
    if (!found) co_return found.error();
    co_return Result<void>{};
}

Task<Result<void>> RemoteLog::prepare_create(const model::Draft& draft, Pending& pending) {
    const auto& create = std::get<model::CreateDraft>(draft.body());
    pending.makes_room = true;
    for (const model::UserId user : create.member_ids) PARLEY_CO_CHECK(co_await check_user(user));
    PARLEY_CO_TRY(const model::RoomId room, x_parts.next_room_id());
    if (create.kind == model::RoomKind::dm) {
        PARLEY_CO_TRY(pending.room_id, co_await x_parts.names.claim_dm(
                                           draft.user_id(), create.member_ids.at(0), room));
        co_return Result<void>{};
    }
    PARLEY_CO_CHECK(co_await claim_name(chat::name_key(create.name), room, pending.origin.core));
    pending.room_id = room;
    pending.names = true;
    co_return Result<void>{};
}

// Who may not change the room claims nothing; the log refuses the draft.
Task<Result<void>> RemoteLog::prepare_room(const model::Draft& draft, Pending& pending) {
    const auto& change = std::get<model::RoomDraft>(draft.body());
    pending.names = true;
    if (!change.name) co_return Result<void>{};
    auto room = co_await x_parts.directory(pending.origin.core).load_room(draft.room_id());
    if (!room && room.error().code == Errc::unknown_room) co_return Result<void>{};
    if (!room) co_return room.error();
    bool may = draft.by_server();
    for (const ports::RoomMember& member : room->members)
        may = may || (member.user_id == draft.user_id() && member.role != model::Role::member);
    if (!may || room->room.kind == model::RoomKind::dm) co_return Result<void>{};
    const std::string key = chat::name_key(*change.name);
    if (key == chat::name_key(room->room.name)) co_return Result<void>{};
    co_return co_await claim_name(key, draft.room_id(), pending.origin.core);
}

Task<Result<void>> RemoteLog::claim_name(std::string key, model::RoomId room,
                                         std::uint16_t core) {
    const model::Time now = x_parts.clock.now();
    PARLEY_CO_TRY(const auto claim, co_await x_parts.names.claim_name(key, room, now));
    if (claim.holder == room) co_return Result<void>{};
    const std::chrono::milliseconds age(now.ms - claim.claimed_at.ms);
    const bool may_be_left = age > limits::kClaimGrace;
    const bool left = may_be_left && !co_await uses_name(claim.holder, key, core);
    if (left) {
        PARLEY_CO_TRY(const bool taken,
                      co_await x_parts.names.take_name(key, claim.holder, room, now));
        if (taken) {
            x_claims_taken.add();
            co_return Result<void>{};
        }
    }
    co_return Error(Errc::room_name_taken, "another room has this name");
}

Task<bool> RemoteLog::uses_name(model::RoomId room, std::string key, std::uint16_t core) {
    auto found = co_await x_parts.directory(core).load_room(room);
    if (!found) co_return found.error().code != Errc::unknown_room;
    co_return chat::name_key(found->room.name) == key;
}

// --- after it

void RemoteLog::settle(Pending pending, ports::Outcome outcome) {
    if (!pending.names) return hand_on(std::move(outcome));
    Core& core = *x_cores[pending.origin.core % x_cores.size()];
    core.post([this, pending = std::move(pending), outcome = std::move(outcome)]() mutable {
        ports::Outcome late = outcome; // if the gate is closed
        Gate& gate = gate_of(pending.origin);
        if (!gate.spawn(give_back(std::move(pending), std::move(outcome))))
            hand_on(std::move(late));
    });
}

// The answer may be quicker than the log's word to the producer: then it has it by now.
void RemoteLog::add_span(const Pending& pending, const ports::Outcome& outcome) const {
    if (!x_parts.spans || !outcome.durable || outcome.error || outcome.duplicate) return;
    const model::Event& event = outcome.durable->event();
    const bool is_message = std::holds_alternative<model::MessagePosted>(event.body);
    if (!is_message || !pending.origin.at_ms || !x_parts.spans->takes(event.id)) return;
    x_parts.spans->add(
        {.stage = ports::MessageSpan::Stage::produce,
         .event = event.id,
         .room = event.room_id,
         .begin_us = pending.origin.at_ms * 1000,
         .end_us = pending.written_us ? pending.written_us : x_parts.spans->now_us()});
}

// A failure here leaves a claim that uses_name() will find unused.
Task<void> RemoteLog::give_back(Pending pending, ports::Outcome outcome) {
    const model::RoomChanged* change =
        outcome.durable ? std::get_if<model::RoomChanged>(&outcome.durable->event().body) : nullptr;
    if (change && change->room.deleted) {
        static_cast<void>(co_await x_parts.names.release_names(pending.room_id, std::nullopt));
        static_cast<void>(co_await x_parts.names.release_dm(pending.room_id));
    } else if (change && change->room.kind == model::RoomKind::group) {
        std::optional<std::string> keep = chat::name_key(change->room.name);
        static_cast<void>(co_await x_parts.names.release_names(pending.room_id, std::move(keep)));
    } else if (pending.makes_room) {
        static_cast<void>(co_await x_parts.names.release_names(pending.room_id, std::nullopt));
    } else {
        auto room = co_await x_parts.directory(pending.origin.core).load_room(pending.room_id);
        if (room && room->room.kind == model::RoomKind::group) {
            std::optional<std::string> keep = chat::name_key(room->room.name);
            static_cast<void>(
                co_await x_parts.names.release_names(pending.room_id, std::move(keep)));
        }
    }
    hand_on(std::move(outcome));
}

} // namespace parley::cluster
