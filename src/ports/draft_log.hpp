// The cluster's log of drafts: partitions, each with one order. A draft is in the log when
// produce() answers with its offset, and from then on it will be sequenced.
//
// Producer: from any thread; bounded (limits::kDraftQueue records, kDraftQueueBytes); `done` comes
// exactly once, on the producer's own thread, or on the caller's with overloaded (nothing was
// written). unavailable: not within limits::kProduceTimeout; it may be in the log all the same.
//
// Consumer: one thread of its own calls the handler. A partition that was assigned stands still
// until start() says from which offset; what was read for a partition that has been taken away
// meanwhile is dropped. pause()/resume() bound what is in flight. An offset that the log no longer
// has is reported by on_lost_records, and the partition stands still: nothing is skipped in
// silence.
#pragma once

#include "base/result.hpp"
#include "base/task.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::ports {

using Partition = std::uint32_t;

struct DraftRecord {
    std::int64_t offset = 0;
    model::Time at;    // log-append time: the same for whoever reads it, ever
    std::string value; // protocol/log: a draft record
};

class DraftProducer {
public:
    using Done = std::function<void(Result<std::int64_t> offset)>;
    virtual void produce(Partition partition, std::string key, std::string value, Done done) = 0;

protected:
    ~DraftProducer() = default;
};

class DraftLogEnds {
public:
    // For each partition the offset after its newest record, read after this call began: whatever
    // was in the log before the call is below. Calls that come while one is under way share the
    // next. Errors: unavailable.
    virtual Task<Result<std::vector<std::int64_t>>> ends() = 0;

protected:
    ~DraftLogEnds() = default;
};

class DraftHandler {
public:
    virtual void on_assigned(std::vector<Partition> partitions) = 0;
    // After it returns the records of these partitions belong to somebody else.
    virtual void on_revoked(std::vector<Partition> partitions) = 0;
    virtual void on_records(Partition partition, std::vector<DraftRecord> records) = 0;
    // The log begins at `first_offset`, after the one asked for.
    virtual void on_lost_records(Partition partition, std::int64_t first_offset) = 0;

protected:
    ~DraftHandler() = default;
};

class DraftConsumer {
public:
    // From any thread.
    virtual void start(Partition partition, std::int64_t offset) = 0;
    virtual void pause(Partition partition) = 0;
    virtual void resume(Partition partition) = 0;
    // How far the store is; for displays of lag only.
    virtual void note_stored(Partition partition, std::int64_t next_offset) = 0;

protected:
    ~DraftConsumer() = default;
};

} // namespace parley::ports
