// Runs the media worker, a process of this same program, on one file at a time
// (app/media_worker.hpp) and believes it only what is plausible: its report is parsed strictly, and
// a thumbnail is taken when it is a WebP of the size that was reported.
//
// A job that crashes, runs out of memory or time, or is killed is `unavailable` for its caller and
// nothing else. At most limits::kMediaWorkers run at a time; limits::kMediaWorkerQueue wait.
//
// Threading: examine() from any core; threads of its own wait for the children. Owner: app/wiring.
// Shutdown: stop() kills the children that run, and waits for them.
#pragma once

#include "base/metrics.hpp"
#include "base/worker_pool.hpp"
#include "ports/media_examiner.hpp"

#include <atomic>
#include <string>

namespace parley::app {

class MediaProcess final : public ports::MediaExaminer {
public:
    // `program`: its path; it is started with the one argument media-worker.
    MediaProcess(std::string program, Metrics& metrics);
    ~MediaProcess() { stop(); }
    MediaProcess(const MediaProcess&) = delete;
    MediaProcess& operator=(const MediaProcess&) = delete;

    Task<Result<ports::Examined>> examine(std::filesystem::path file,
                                          std::filesystem::path folder) override;
    void stop();

private:
    Result<ports::Examined> run(const std::filesystem::path& file,
                                const std::filesystem::path& folder) const;
    // What the child wrote before it ended well.
    Result<std::string> report_of(const std::filesystem::path& file,
                                  const std::filesystem::path& folder) const;
    const std::string x_program;
    std::atomic<bool> x_stopping{false};
    Counter &x_examined, &x_refused, &x_cut_short;
    WorkerPool x_pool;
};

} // namespace parley::app
