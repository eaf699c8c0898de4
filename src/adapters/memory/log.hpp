// memory::Log: a RoomLog that does its work inside append(). For tests.
//
// Threading: any thread; whoever appends first does the work of those who append meanwhile, so that
// batches and their outcomes keep one order, also when the sink appends. stop(): what comes later
// is answered shutting_down. Bounds: none but the caller's; a batch has at most
// limits::kCommitBatch.
#pragma once

#include "ports/committer.hpp"
#include "ports/room_log.hpp"

#include <deque>
#include <mutex>
#include <vector>

namespace parley::memory {

class Log final : public ports::RoomLog {
public:
    Log(ports::BatchRunner runner, ports::OutcomeSink& sink);
    void append(std::vector<ports::Submission> submissions) override;
    void stop();

private:
    std::vector<ports::Submission> take();

    ports::BatchRunner x_runner;
    ports::OutcomeSink& x_sink;
    std::mutex x_mutex;
    std::deque<ports::Submission> x_queue; // guarded by x_mutex
    bool x_running = false, x_stopped = false;
};

} // namespace parley::memory
