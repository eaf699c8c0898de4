#include "app/commands/doctor.hpp"

#include "app/media_process.hpp"
#include "app/run_now.hpp"
#include "base/hex.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace parley::app {
namespace {

using Level = Finding::Level;

// One grey pixel.
constexpr const char* kPng =
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a494441"
    "54789c636800000082008177cd72b60000000049454e44ae426082";

Result<ports::Examined> look_at_one(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder / "out", error);
    std::ofstream(folder / "picture", std::ios::binary) << *from_hex(kPng);
    Metrics metrics;
    boost::asio::io_context io;
    MediaProcess process("/proc/self/exe", {}, metrics);
    auto examined = run_now(io, process.examine(folder / "picture", folder / "out"));
    std::filesystem::remove_all(folder, error);
    return examined;
}

} // namespace

void look_at_pictures(Findings& findings) {
    std::error_code error;
    const auto examined =
        look_at_one(std::filesystem::temp_directory_path(error) /
                    ("parley-doctor-" + std::to_string(static_cast<long long>(::getpid()))));
    if (!examined)
        findings.push_back({"pictures", Level::warning, examined.error().detail,
                            "files are sent as they are, without thumbnails and with metadata; "
                            "the worker needs seccomp, and to start this program again"});
    else if (!examined->small)
        findings.push_back({"pictures", Level::warning, "libvips is not installed: no thumbnails",
                            "apt-get install libvips42; the server need not be started again"});
    else
        findings.push_back({"pictures", Level::ok, "libvips makes thumbnails"});
    const std::string ffmpeg = find_ffmpeg();
    findings.push_back({"films", Level::ok,
                        ffmpeg.empty() ? "ffmpeg is not installed: they have no poster"
                                       : ffmpeg + " makes their posters"});
}

} // namespace parley::app
