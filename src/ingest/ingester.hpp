// Ingester: one batch of drafts -> sequence -> store -> commit -> outcomes. The only maker of
// Durable, and so the output gate: nothing becomes visible before its commit.
//
// A refusal (forbidden, nonce_conflict, ...) concerns one draft. A store error fails the whole
// batch: roll back, every draft gets unavailable, nothing is half stored.
//
// Threading: the log's thread; run() is synchronous. Owner: the log's adapter wiring. Bound: at
// most limits::kCommitBatch submissions a call.
#pragma once

#include "chat/sequencer.hpp"
#include "ports/clock.hpp"
#include "ports/event_store.hpp"
#include "ports/room_log.hpp"

#include <memory>
#include <vector>

namespace parley::ingest {

class Ingester {
public:
    // Reads the store's last id, so that ids go on from there. Errors: unavailable.
    static Result<std::unique_ptr<Ingester>> open(ports::EventStore& store,
                                                  const ports::Clock& clock, std::uint16_t node,
                                                  const chat::RoomLimits& limits = {});

    // Outcomes in the order of the submissions, one each.
    std::vector<ports::Outcome> run(std::vector<ports::Submission> submissions);

    // One draft, at the time that the log says. unavailable: the store could not be asked; nothing
    // has changed, and the same again will do.
    ports::Outcome run_one(const model::Filtered& draft, model::Time now);

    // For tests/sim only: with ack_before_commit the outcomes are made before the commit.
    enum class PlantedBug : std::uint8_t { none, ack_before_commit, no_nonce_check };
    void plant(PlantedBug bug);

private:
    Ingester(ports::EventStore& store, const ports::Clock& clock, chat::Snowflake snowflake,
             const chat::RoomLimits& limits);
    static void set_durable(ports::Outcome& outcome, model::Sequenced event);
    ports::EventStore& x_store;
    const ports::Clock& x_clock;
    chat::Sequencer x_sequencer;
    PlantedBug x_bug = PlantedBug::none;
};

} // namespace parley::ingest
