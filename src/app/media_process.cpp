#include "app/media_process.hpp"

#include "base/media_limits.hpp"
#include "protocol/media/picture.hpp"
#include "protocol/media/report.hpp"

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace parley::app {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

class Descriptor {
public:
    explicit Descriptor(int number = -1) : x_number(number) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return x_number; }
    void close() {
        if (x_number >= 0) ::close(x_number);
        x_number = -1;
    }

private:
    int x_number;
};

// Above those that the child gets: none is overwritten while they are laid out.
int raised(int descriptor) {
    if (descriptor < 0) return descriptor;
    const int high = fcntl(descriptor, F_DUPFD_CLOEXEC, 64);
    ::close(descriptor);
    return high;
}

int create(const std::filesystem::path& path) {
    return raised(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

// The child, with nothing of this process but what it needs: no variable, no other descriptor.
pid_t start(const std::string& program, int file, int report, int small, int large) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, file, 0);
    posix_spawn_file_actions_adddup2(&actions, report, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, small, 3);
    posix_spawn_file_actions_adddup2(&actions, large, 4);
    posix_spawn_file_actions_addclosefrom_np(&actions, 5);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = "parley", argument = "media-worker";
    char* const arguments[] = {name.data(), argument.data(), nullptr};
    char* const environment[] = {nullptr};
    pid_t child = -1;
    if (posix_spawn(&child, program.c_str(), &actions, &attributes, arguments, environment) != 0)
        child = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

// All that comes until the other side closes; false: too much, too late, or stopping.
bool read_all(int from, std::string& text, const std::atomic<bool>& stopping) {
    const auto until = SteadyClock::now() + limits::kMediaWorkerTime;
    char piece[1024];
    while (!stopping && SteadyClock::now() < until && text.size() <= limits::kMediaReportBytes) {
        pollfd ready{from, POLLIN, 0};
        if (poll(&ready, 1, 200) <= 0) continue;
        const ssize_t got = read(from, piece, sizeof(piece));
        if (got < 0) return false;
        if (got == 0) return true;
        text.append(piece, static_cast<std::size_t>(got));
    }
    return false;
}

bool ended_well(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool is_thumbnail(const std::filesystem::path& path, model::PictureSize size) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto header = protocol::media::read_picture_header(bytes);
    return header && header->format == protocol::media::PictureFormat::webp &&
           header->width == size.width && header->height == size.height;
}

} // namespace

MediaProcess::MediaProcess(std::string program, Metrics& metrics)
    : x_program(std::move(program)),
      x_examined(metrics.counter("parley_media_examined_total",
                                 "Files that the picture worker has looked at")),
      x_refused(metrics.counter("parley_media_broken_total",
                                "Files of which the picture worker could make nothing")),
      x_cut_short(metrics.counter(
          "parley_media_worker_failed_total",
          "Picture workers that were killed, crashed, or ran out of memory or time")),
      x_pool("media_worker", limits::kMediaWorkers, limits::kMediaWorkerQueue, metrics) {}

Task<Result<ports::Examined>> MediaProcess::examine(std::filesystem::path file,
                                                    std::filesystem::path folder) {
    auto job = [this, file, folder](std::size_t) { return run(file, folder); };
    co_return co_await x_pool.run(std::move(job));
}

void MediaProcess::stop() {
    x_stopping = true;
    x_pool.stop();
}

Result<std::string> MediaProcess::report_of(const std::filesystem::path& file,
                                            const std::filesystem::path& folder) const {
    const Error failed(Errc::unavailable, "the picture worker could not be started");
    const Descriptor input(raised(open(file.c_str(), O_RDONLY | O_CLOEXEC)));
    const Descriptor small(create(folder / "small.webp")), large(create(folder / "large.webp"));
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return failed;
    const Descriptor report(ends[0]);
    Descriptor written(raised(ends[1]));
    if (input.get() < 0 || small.get() < 0 || large.get() < 0 || written.get() < 0) return failed;
    const pid_t child = start(x_program, input.get(), written.get(), small.get(), large.get());
    if (child < 0) return failed;
    written.close();
    std::string text;
    const bool whole = read_all(report.get(), text, x_stopping);
    if (!whole) kill(child, SIGKILL);
    if (!ended_well(child) || !whole)
        return Error(Errc::unavailable, "the picture worker did not come to its end");
    return text;
}

Result<ports::Examined> MediaProcess::run(const std::filesystem::path& file,
                                          const std::filesystem::path& folder) const {
    if (x_stopping) return Error(Errc::shutting_down, "the server is going away");
    const auto text = report_of(file, folder);
    const auto report = text ? protocol::media::read_report(*text) : std::nullopt;
    if (!report) {
        x_cut_short.add();
        if (!text) return text.error();
        return Error(Errc::unavailable, "the picture worker said what it cannot have seen");
    }
    ports::Examined examined{report->width,    report->height, report->duration_ms,
                             report->blurhash, report->small,  report->large};
    const bool honest = (!report->small || is_thumbnail(folder / "small.webp", *report->small)) &&
                        (!report->large || is_thumbnail(folder / "large.webp", *report->large));
    if (report->broken || !honest) {
        x_refused.add();
        return Error(Errc::invalid_field, "nothing can be made of this file");
    }
    x_examined.add();
    return examined;
}

} // namespace parley::app
