// Runs the media worker, a process of this same program, on one file at a time
// (app/media_worker.hpp) and believes it only what is plausible: its report is parsed strictly, and
// a thumbnail is taken when it is a WebP of the size that was reported, a picture without its
// metadata when it is of the format and size that it was before.
//
// Of a film the thumbnails are made of a frame, where ffmpeg is installed; the frame is looked at
// as any picture of a stranger is. Without it, or where it fails, a film has none.
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
#include "protocol/media/report.hpp"

#include <atomic>
#include <string>

namespace parley::app {

class MediaProcess final : public ports::MediaExaminer {
public:
    // `program`: its path; it is started with media-worker as its first argument. `ffmpeg`: its
    // path, or "".
    MediaProcess(std::string program, std::string ffmpeg, Metrics& metrics);
    ~MediaProcess() { stop(); }
    MediaProcess(const MediaProcess&) = delete;
    MediaProcess& operator=(const MediaProcess&) = delete;

    Task<Result<ports::Examined>> examine(std::filesystem::path file,
                                          std::filesystem::path folder) override;
    Task<Result<bool>> strip(std::filesystem::path file, std::filesystem::path to) override;
    void stop();

private:
    struct Job;
    using Path = std::filesystem::path;
    // The child ends well, or it is unavailable; what it wrote to `report`, if there is one.
    Result<std::string> run(const Job& job) const;
    Result<protocol::media::Report> report_of(const Job& job) const;
    Result<ports::Examined> examine_now(const Path& file, const Path& folder) const;
    Result<bool> strip_now(const Path& file, const Path& to) const;
    Result<ports::Examined> look_at(const Path& file, const Path& folder) const;
    void add_poster(const Path& file, const Path& folder, ports::Examined& film) const;

    const std::string x_program, x_ffmpeg;
    std::atomic<bool> x_stopping{false};
    Counter &x_examined, &x_refused, &x_cut_short, &x_posters;
    WorkerPool x_pool;
};

// Where the program ffmpeg lies; "": it is not installed.
std::string find_ffmpeg();

} // namespace parley::app
