// RemoteLog: the room log of a process that does not sequence: each draft becomes a record in its
// room's partition, and its outcome comes back over the bus (bus_follower.hpp).
//
// What must be unique over all partitions is claimed before the draft is written: the name of a
// group, the one room of a pair. A claim that the log refuses is given back before the answer. One
// that was left behind (a process died between) is taken by the next who wants the name, once it is
// older than limits::kClaimGrace and its room does not use it.
//
// The room's rates are kept here too: what the sequencer says must not depend on what it has seen
// before a take-over. Each process has its own, so a room may take so much from each.
//
// An outcome is unavailable when the log did not take the record (nothing was stored, or nobody
// knows), when it would forget it before its shard is back (nothing was stored), or when nobody
// answered within limits::kAnswerTimeout: the same nonce again finds out.
//
// Threading: append() on the core of its origins; settle() from any thread. Owner: app. Shutdown:
// close() waits for claims under way.
#pragma once

#include "base/core.hpp"
#include "base/gate.hpp"
#include "cluster/pending_answers.hpp"
#include "ports/clock.hpp"
#include "ports/draft_log.hpp"
#include "ports/name_registry.hpp"
#include "ports/room_directory.hpp"
#include "ports/span_sink.hpp"
#include "ports/user_store.hpp"
#include "service/rate_limits.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace parley::cluster {

struct RemoteLogParts {
    std::string node; // whose answers come back
    ports::DraftProducer& producer;
    std::function<ports::Partition(model::RoomId)> partition_of;
    std::function<Result<model::RoomId>()> next_room_id; // any core
    ports::NameRegistry& names;
    std::function<ports::RoomDirectory&(std::uint16_t core)> directory;
    ports::UserStore& users;
    const ports::Clock& clock;
    service::RateLimits& rates;
    PendingAnswers& pending;
    ports::OutcomeSink& sink;
    Metrics& metrics;
    ports::SpanSink* spans = nullptr; // null: nobody collects them
    // Whether the log would delete what is written there before it is stored. Null: never.
    std::function<bool(ports::Partition)> is_closed = {};
};

class RemoteLog final : public ports::RoomLog {
public:
    explicit RemoteLog(RemoteLogParts parts);
    // Before the first append().
    void meet(const std::vector<Core*>& cores);
    void append(std::vector<ports::Submission> submissions) override;

    // An outcome whose Pending says names: gives back what is claimed and not used, then answers.
    void settle(Pending pending, ports::Outcome outcome);
    // What the log took, for a collector of traces. Any thread.
    void add_span(const Pending& pending, const ports::Outcome& outcome) const;
    // Each second or so, on any thread: answers what nobody has.
    void expire();
    // On core 0, while the cores still run.
    Task<void> close();

private:
    Result<void> take_rate(const model::Draft& draft);
    void write(ports::Submission submission, Pending pending, model::RoomId new_room = {});
    void refuse(const Pending& pending, Error error);
    void hand_on(ports::Outcome outcome);
    Task<void> prepare(ports::Submission submission);
    Task<Result<void>> prepare_create(const model::Draft& draft, Pending& pending);
    Task<Result<void>> prepare_room(const model::Draft& draft, Pending& pending);
    Task<Result<void>> check_user(model::UserId user);
    Task<Result<void>> claim_name(std::string key, model::RoomId room, std::uint16_t core);
    Task<bool> uses_name(model::RoomId room, std::string key, std::uint16_t core);
    Task<void> give_back(Pending pending, ports::Outcome outcome);
    Gate& gate_of(const ports::Origin& origin) { return *x_gates[origin.core % x_gates.size()]; }

    const RemoteLogParts x_parts;
    std::vector<Core*> x_cores;
    std::vector<std::unique_ptr<Gate>> x_gates;
    Counter& x_written;
    Counter& x_failed;
    Counter& x_closed;
    Counter& x_claims_taken;
};

} // namespace parley::cluster
