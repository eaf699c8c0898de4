// What the thread that owns a store runs for a batch of drafts. ingest::Ingester stands behind it
// (app/wiring joins the two), so that an adapter need not know the rules.
#pragma once

#include "ports/event_store.hpp"
#include "ports/room_log.hpp"

#include <functional>
#include <vector>

namespace parley::ports {

// Called on the store's thread; begins, puts and commits by itself; at most limits::kCommitBatch.
using BatchRunner = std::function<std::vector<Outcome>(std::vector<Submission>)>;

} // namespace parley::ports
