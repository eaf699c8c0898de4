#include "ingest/ingester.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <optional>
#include <string>
#include <utility>

namespace parley::ingest {

namespace {

// What became of one draft, before the commit.
struct Step {
    std::optional<model::Sequenced> event;
    bool duplicate = false;
    std::optional<Error> refusal;
};

// A refusal is about one draft and changed nothing; all else means that the store failed.
bool is_refusal(Errc code) {
    switch (code) {
    case Errc::forbidden:
    case Errc::not_a_member:
    case Errc::unknown_room:
    case Errc::unknown_user:
    case Errc::unknown_message:
    case Errc::nonce_conflict:
    case Errc::last_owner:
    case Errc::room_name_taken:
    case Errc::rate_limited:
        return true;
    default:
        return false;
    }
}

ports::Outcome blank_outcome(const model::Draft& draft, ports::Origin origin) {
    ports::Outcome outcome;
    outcome.origin = std::move(origin);
    outcome.room_id = draft.room_id();
    if (const auto* post = std::get_if<model::PostDraft>(&draft.body()))
        outcome.nonce = post->nonce;
    return outcome;
}

std::vector<ports::Outcome> nothing_stored(std::vector<ports::Submission> submissions) {
    std::vector<ports::Outcome> outcomes;
    outcomes.reserve(submissions.size());
    for (ports::Submission& submission : submissions) {
        outcomes.push_back(blank_outcome(submission.draft.draft(), std::move(submission.origin)));
        outcomes.back().error = Error(Errc::unavailable, "nothing was stored; send it again");
    }
    return outcomes;
}

// Error: the store's, so all of the batch fails.
Result<Step> step(chat::Sequencer& sequencer, ports::EventStore& store,
                  const model::Filtered& draft, model::Time now) {
    auto verdict = sequencer.sequence(draft, now);
    if (!verdict) {
        if (!is_refusal(verdict.error().code)) return std::move(verdict).error();
        return Step{.event = {}, .duplicate = false, .refusal = std::move(verdict).error()};
    }
    if (verdict->repeated)
        return Step{.event = std::move(verdict->repeated), .duplicate = true, .refusal = {}};
    if (verdict->nothing_to_do) return Step{};
    PARLEY_ASSERT(verdict->event);
    PARLEY_CHECK(store.put(*verdict->event));
    return Step{.event = std::move(verdict->event), .duplicate = false, .refusal = {}};
}

} // namespace

Ingester::Ingester(ports::EventStore& store, const ports::Clock& clock, chat::Snowflake snowflake,
                   const chat::RoomLimits& limits)
    : x_store(store), x_clock(clock), x_sequencer(store, snowflake, limits) {}

Result<std::unique_ptr<Ingester>> Ingester::open(ports::EventStore& store,
                                                 const ports::Clock& clock, std::uint16_t node,
                                                 const chat::RoomLimits& limits) {
    PARLEY_TRY(const model::EventId last_id, store.last_id());
    return std::unique_ptr<Ingester>(
        new Ingester(store, clock, chat::Snowflake(node, last_id), limits));
}

void Ingester::plant(PlantedBug bug) {
    x_bug = bug;
    x_sequencer.plant(bug == PlantedBug::no_nonce_check
                          ? chat::Sequencer::PlantedBug::no_nonce_check
                          : chat::Sequencer::PlantedBug::none);
}

std::vector<ports::Outcome> Ingester::run(std::vector<ports::Submission> submissions) {
    PARLEY_ASSERT(submissions.size() <= limits::kCommitBatch);
    if (submissions.empty()) return {};
    const auto give_up = [this] {
        x_store.rollback();
        x_sequencer.forget();
    };
    std::vector<Step> steps;
    steps.reserve(submissions.size());
    Result<void> stored = x_store.begin();
    const model::Time now = x_clock.now();
    for (std::size_t i = 0; stored && i < submissions.size(); ++i) {
        auto done = step(x_sequencer, x_store, submissions[i].draft, now);
        if (done)
            steps.push_back(std::move(*done));
        else
            stored = std::move(done).error();
    }
    if (!stored) {
        give_up();
        return nothing_stored(std::move(submissions));
    }
    if (!x_store.commit()) {
        give_up();
        if (x_bug != PlantedBug::ack_before_commit) return nothing_stored(std::move(submissions));
    }
    std::vector<ports::Outcome> outcomes;
    outcomes.reserve(submissions.size());
    for (std::size_t i = 0; i < submissions.size(); ++i) {
        ports::Outcome& outcome = outcomes.emplace_back(
            blank_outcome(submissions[i].draft.draft(), std::move(submissions[i].origin)));
        outcome.error = std::move(steps[i].refusal);
        outcome.duplicate = steps[i].duplicate;
        if (steps[i].event) set_durable(outcome, std::move(*steps[i].event));
    }
    return outcomes;
}

void Ingester::set_durable(ports::Outcome& outcome, model::Sequenced event) {
    outcome.room_id = event.event().room_id;
    outcome.durable = model::Durable(std::move(event.x_event), std::move(event.x_initial_members));
}

ports::Outcome Ingester::run_one(const model::Filtered& draft, model::Time now) {
    ports::Outcome outcome = blank_outcome(draft.draft(), {});
    Result<void> begun = x_store.begin();
    auto done = begun ? step(x_sequencer, x_store, draft, now) : Result<Step>(begun.error());
    if (!done || !x_store.commit()) {
        x_store.rollback();
        x_sequencer.forget();
        outcome.error = Error(Errc::unavailable, "the store cannot be asked");
        return outcome;
    }
    outcome.error = std::move(done->refusal);
    outcome.duplicate = done->duplicate;
    if (done->event) set_durable(outcome, std::move(*done->event));
    return outcome;
}

} // namespace parley::ingest
