// What `parley doctor` finds: each thing it looked at, how it is, and what to do about it.
//
// Threading: main thread. It changes nothing and takes no lock that a server would wait for.
#pragma once

#include "app/settings.hpp"
#include "model/time.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace parley::app {

struct Finding {
    enum class Level : std::uint8_t { ok, warning, problem };
    std::string check; // short name, stable
    Level level = Level::ok;
    std::string detail;
    std::string advice = {}; // what to do, unless ok
};
using Findings = std::vector<Finding>;

// Who holds the lock of the data folder; 0: a process that cannot be seen from here.
std::optional<pid_t> server_of(const std::filesystem::path& data);

void look_at_files(const Settings& settings, Findings& findings);
void look_at_disk(const Settings& settings, Findings& findings);
void look_at_open_files(const Settings& settings, std::optional<pid_t> server, Findings& findings);
// `newest`: the time that the newest id of the store holds.
void look_at_clock(model::Time now, std::optional<model::Time> newest, Findings& findings);
void look_at_certificate(const Settings& settings, model::Time now, Findings& findings);
// Whether the worker that looks at uploaded files can work here, and what it works with.
void look_at_pictures(Findings& findings);
void look_at_port(const Settings& settings, bool server_runs, Findings& findings);

} // namespace parley::app
