// SpanSink: takes what this process saw of the way of a message, for a collector of traces. Stages
// of one message come from several processes; what joins them follows from the message's id alone
// (docs/adr/0012-trace-ids-follow-from-message-ids.md), so nothing of it stands in log or bus.
//
// Threading: any thread; add() never waits for the collector. Owner: app. It cannot fail: what does
// not fit is left out, and counted.
#pragma once

#include "model/ids.hpp"

#include <cstdint>

namespace parley::ports {

struct MessageSpan {
    enum class Stage : std::uint8_t {
        message,  // taken from its sender, until the answer was queued
        produce,  // given to the log, until the log had it
        sequence, // came to the log, until its event was told
        store,    // its batch was being written
        deliver   // its event came to this core's process, until it was queued for connections
    };
    Stage stage{};
    model::EventId event;
    model::RoomId room;
    std::int64_t begin_us = 0, end_us = 0;
    std::uint32_t core = 0, connections = 0; // of deliver
};

class SpanSink {
public:
    // The same in every process with the same setting.
    virtual bool takes(model::EventId event) const = 0;
    virtual std::int64_t now_us() const = 0;
    virtual void add(const MessageSpan& span) = 0;

protected:
    ~SpanSink() = default;
};

} // namespace parley::ports
