#include "app/media_process.hpp"

#include "base/media_limits.hpp"
#include "protocol/media/picture.hpp"
#include "protocol/media/report.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
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

// The child, with nothing of this process but what it needs: no variable, and of the descriptors
// the input, and `outputs` in the places of their numbers.
pid_t start(const std::string& program, std::vector<std::string> words, int input,
            const std::vector<std::pair<int, int>>& outputs) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int above = 3;
    for (const auto& [number, descriptor] : outputs) {
        posix_spawn_file_actions_adddup2(&actions, descriptor, number);
        above = std::max(above, number + 1);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, above);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    char* const environment[] = {nullptr};
    pid_t child = -1;
    if (posix_spawn(&child, program.c_str(), &actions, &attributes, arguments.data(),
                    environment) != 0)
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

std::optional<protocol::media::PictureHeader> header_of(const std::filesystem::path& path) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat facts{};
    if (file.get() < 0 || fstat(file.get(), &facts) != 0 || facts.st_size <= 0) return {};
    const auto size = static_cast<std::size_t>(facts.st_size);
    void* const bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (bytes == MAP_FAILED) return {};
    const auto header =
        protocol::media::read_picture_header({static_cast<const char*>(bytes), size});
    munmap(bytes, size);
    if (!header) return {};
    return *header;
}

bool is_thumbnail(const std::filesystem::path& path, model::PictureSize size) {
    const auto header = header_of(path);
    return header && header->format == protocol::media::PictureFormat::webp &&
           header->width == size.width && header->height == size.height;
}

bool is_same_picture(const std::filesystem::path& one, const std::filesystem::path& other) {
    const auto first = header_of(one), second = header_of(other);
    return first && second && first->format == second->format && first->width == second->width &&
           first->height == second->height && first->orientation == second->orientation;
}

// The name that ffmpeg has for what a film lies in; "": no film of a kind that is taken.
std::string film_format(const std::filesystem::path& path) {
    char first[12] = {};
    std::ifstream(path, std::ios::binary).read(first, sizeof(first));
    const std::string_view bytes(first, sizeof(first));
    if (bytes.substr(4, 4) == "ftyp") return "mov";
    return bytes.starts_with("\x1A\x45\xDF\xA3") ? "matroska" : "";
}

// Of the same length, and of the same family.
bool is_same_film(const std::filesystem::path& one, const std::filesystem::path& other) {
    std::error_code error;
    return film_format(one) == "mov" && film_format(other) == "mov" &&
           std::filesystem::file_size(one, error) == std::filesystem::file_size(other, error);
}

} // namespace

struct MediaProcess::Job {
    std::vector<std::string> words; // after media-worker
    Path input;
    std::vector<std::pair<int, Path>> outputs; // files that do not exist yet
    bool reports = true;
};

std::string find_ffmpeg() {
    for (const char* path : {"/usr/local/bin/ffmpeg", "/usr/bin/ffmpeg"})
        if (access(path, X_OK) == 0) return path;
    return {};
}

MediaProcess::MediaProcess(std::string program, std::string ffmpeg, Metrics& metrics)
    : x_program(std::move(program)),
      x_ffmpeg(std::move(ffmpeg)),
      x_examined(metrics.counter("parley_media_examined_total",
                                 "Files that the picture worker has looked at")),
      x_refused(metrics.counter("parley_media_broken_total",
                                "Files of which the picture worker could make nothing")),
      x_cut_short(metrics.counter(
          "parley_media_worker_failed_total",
          "Picture workers that were killed, crashed, or ran out of memory or time")),
      x_posters(metrics.counter("parley_media_posters_total", "Films that got a frame to show")),
      x_pool("media_worker", limits::kMediaWorkers, limits::kMediaWorkerQueue, metrics) {}

Task<Result<ports::Examined>> MediaProcess::examine(std::filesystem::path file,
                                                    std::filesystem::path folder) {
    auto job = [this, file, folder](std::size_t) { return examine_now(file, folder); };
    co_return co_await x_pool.run(std::move(job));
}

Task<Result<bool>> MediaProcess::strip(std::filesystem::path file, std::filesystem::path to) {
    auto job = [this, file, to](std::size_t) { return strip_now(file, to); };
    co_return co_await x_pool.run(std::move(job));
}

void MediaProcess::stop() {
    x_stopping = true;
    x_pool.stop();
}

Result<std::string> MediaProcess::run(const Job& job) const {
    if (x_stopping) return Error(Errc::shutting_down, "the server is going away");
    const Error failed(Errc::unavailable, "the picture worker could not be started");
    const Descriptor input(raised(open(job.input.c_str(), O_RDONLY | O_CLOEXEC)));
    int ends[2];
    if (input.get() < 0 || pipe2(ends, O_CLOEXEC) != 0) return failed;
    // Without a report the pipe, in a place of its own, only says when the child has ended.
    const int report_place = job.reports ? 1 : 3;
    const Descriptor report(ends[0]);
    Descriptor written(raised(ends[1]));
    std::deque<Descriptor> files;
    std::vector<std::pair<int, int>> outputs{{report_place, written.get()}};
    for (const auto& [number, path] : job.outputs)
        outputs.emplace_back(number, files.emplace_back(create(path)).get());
    for (const auto& output : outputs)
        if (output.second < 0) return failed;
    std::vector<std::string> words{"parley", "media-worker"};
    words.insert(words.end(), job.words.begin(), job.words.end());
    const pid_t child = start(x_program, std::move(words), input.get(), outputs);
    if (child < 0) return failed;
    written.close();
    std::string text;
    const bool whole = read_all(report.get(), text, x_stopping);
    if (!whole) kill(child, SIGKILL);
    const bool well = ended_well(child);
    if (x_stopping && !(well && whole))
        return Error(Errc::shutting_down, "the server is going away");
    if (!well || !whole)
        return Error(Errc::unavailable, "the picture worker did not come to its end");
    return text;
}

Result<protocol::media::Report> MediaProcess::report_of(const Job& job) const {
    const auto text = run(job);
    const auto report = text ? protocol::media::read_report(*text) : std::nullopt;
    if (report) return *report;
    if (!text && text.error().code == Errc::shutting_down) return text.error();
    x_cut_short.add();
    if (!text) return text.error();
    return Error(Errc::unavailable, "the picture worker said what it cannot have seen");
}

Result<bool> MediaProcess::strip_now(const Path& file, const Path& to) const {
    PARLEY_TRY(const auto report,
               report_of({.words = {"strip"}, .input = file, .outputs = {{3, to}}}));
    std::error_code error;
    const bool same = report.stripped && !report.broken;
    if (same && (is_same_picture(file, to) || is_same_film(file, to))) return true;
    std::filesystem::remove(to, error);
    if (!report.stripped && !report.broken) return false;
    x_refused.add();
    return Error(Errc::invalid_field, "the picture is broken");
}

Result<ports::Examined> MediaProcess::look_at(const Path& file, const Path& folder) const {
    PARLEY_TRY(const auto report,
               report_of({.words = {},
                          .input = file,
                          .outputs = {{3, folder / "small.webp"}, {4, folder / "large.webp"}}}));
    const bool honest = (!report.small || is_thumbnail(folder / "small.webp", *report.small)) &&
                        (!report.large || is_thumbnail(folder / "large.webp", *report.large));
    if (report.broken || report.stripped || !honest) {
        x_refused.add();
        return Error(Errc::invalid_field, "nothing can be made of this file");
    }
    return ports::Examined{report.width, report.height, report.duration_ms, report.blurhash,
                           report.small, report.large,  false};
}

Result<ports::Examined> MediaProcess::examine_now(const Path& file, const Path& folder) const {
    PARLEY_TRY(ports::Examined examined, look_at(file, folder));
    if (examined.duration_ms && examined.width && !examined.small && !x_ffmpeg.empty())
        add_poster(file, folder, examined);
    x_examined.add();
    return examined;
}

// Some way into the film: many begin with black.
void MediaProcess::add_poster(const Path& file, const Path& folder, ports::Examined& film) const {
    const std::string format = film_format(file);
    if (format.empty()) return;
    const Path frame = folder / "frame.png";
    const std::uint64_t at = std::min<std::uint64_t>(*film.duration_ms / 10, 3'000);
    const auto made = run({.words = {"poster", x_ffmpeg, format, std::to_string(at)},
                           .input = file,
                           .outputs = {{1, frame}},
                           .reports = false});
    std::error_code error;
    for (const char* empty : {"small.webp", "large.webp"})
        std::filesystem::remove(folder / empty, error);
    const auto header = made ? header_of(frame) : std::nullopt;
    if (!header || header->format != protocol::media::PictureFormat::png) {
        x_cut_short.add();
        return;
    }
    const auto picture = look_at(frame, folder);
    if (!picture || !picture->small || !picture->large) return;
    film.blurhash = picture->blurhash;
    film.small = picture->small;
    film.large = picture->large;
    film.poster = true;
    x_posters.add();
}

} // namespace parley::app
