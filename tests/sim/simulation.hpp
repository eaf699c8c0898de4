// One run: a seed, a planted bug or none, and what came of it.
#pragma once

#include "tests/sim/cluster/weather.hpp"
#include "tests/sim/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::sim {

struct Report {
    std::uint64_t seed = 0;
    std::vector<std::string> violations; // none: the run kept every promise
    std::vector<std::string> trace;
    std::uint64_t digest = 0;
    std::int64_t virtual_ms = 0;
    Stats stats;
    ClusterStats cluster = {}; // of a cluster
};

enum class Trace : std::uint8_t { off, on };

enum class Kind : std::uint8_t { server, cluster };

// One server, or a whole cluster (cluster/cluster.hpp).
Report run(std::uint64_t seed, Bug bug, Trace trace);
Report run_cluster(std::uint64_t seed, Bug bug, Trace trace);

// What a person who sees a red run needs: the violations, the command that replays it, and the last
// lines of the trace (it runs the seed again to get them).
std::string explain(const Report& report, Bug bug, Kind kind = Kind::server);

std::string_view name_of(Bug bug);
std::optional<Bug> parse_bug(std::string_view name);

} // namespace parley::sim
