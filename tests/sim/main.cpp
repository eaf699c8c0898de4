// parley_sim: runs seeds of the simulator by hand. See README.md.
#include "tests/sim/simulation.hpp"

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

int usage() {
    std::cerr << "usage: parley_sim [--cluster] [--seed FIRST] [--seeds COUNT] [--verbose]\n"
                 "                  [--bug NAME], as in README.md\n";
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    using namespace parley::sim;
    std::uint64_t first = 1, count = 1;
    bool verbose = false;
    Kind kind = Kind::server;
    Bug bug = Bug::none;
    for (int i = 1; i < argc; ++i) {
        const std::string_view flag = argv[i];
        const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (flag == "--verbose") {
            verbose = true;
            continue;
        }
        if (flag == "--cluster") {
            kind = Kind::cluster;
            continue;
        }
        if (!value) return usage();
        ++i;
        if (flag == "--seed") {
            first = std::strtoull(value, nullptr, 10);
        } else if (flag == "--seeds") {
            count = std::strtoull(value, nullptr, 10);
        } else if (const auto parsed = parse_bug(value); flag == "--bug" && parsed) {
            bug = *parsed;
        } else {
            return usage();
        }
    }
    const auto run_as = kind == Kind::cluster ? run_cluster : run;
    std::uint64_t red = 0, stored = 0;
    std::int64_t virtual_ms = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Report report = run_as(seed, bug, verbose ? Trace::on : Trace::off);
        if (verbose)
            for (const std::string& line : report.trace) std::cout << line << '\n';
        stored += report.stats.stored;
        virtual_ms += report.virtual_ms;
        if (report.violations.empty()) continue;
        ++red;
        std::cout << explain(report, bug, kind);
    }
    std::cout << count << " seeds, " << red << " broke a promise; " << stored
              << " events stored in " << virtual_ms / 1000 << " virtual seconds\n";
    return red == 0 ? 0 : 1;
}
