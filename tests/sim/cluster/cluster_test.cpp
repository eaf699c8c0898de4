#include "tests/sim/simulation.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

namespace parley::sim {
namespace {

constexpr std::uint64_t kSeedsToFindABug = 60;

std::uint64_t clean_seeds() {
    const char* const wanted = std::getenv("PARLEY_SIM_SEEDS");
    return wanted ? std::strtoull(wanted, nullptr, 10) : 1'000;
}

TEST(ClusterSimulation, KeepsEveryPromise) {
    Stats met;
    ClusterStats cluster;
    const std::uint64_t seeds = clean_seeds();
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const Report report = run_cluster(seed, Bug::none, Trace::off);
        ASSERT_TRUE(report.violations.empty()) << explain(report, Bug::none, Kind::cluster);
        met.acknowledged += report.stats.acknowledged;
        met.repeated += report.stats.repeated;
        met.refused += report.stats.refused;
        met.edits += report.stats.edits;
        met.marks += report.stats.marks;
        met.conflicts += report.stats.conflicts;
        met.ended += report.stats.ended;
        met.further_pages += report.stats.further_pages;
        cluster.takeovers += report.cluster.takeovers;
        cluster.fenced += report.cluster.fenced;
        cluster.node_deaths += report.cluster.node_deaths;
        cluster.worker_deaths += report.cluster.worker_deaths;
        cluster.dead_letters += report.cluster.dead_letters;
        cluster.bus_lost += report.cluster.bus_lost;
        cluster.shard_downs += report.cluster.shard_downs;
        cluster.reads_checked += report.cluster.reads_checked;
        cluster.repeated_publications += report.cluster.repeated_publications;
    }
    // Runs in which nothing happens prove nothing.
    EXPECT_GT(met.acknowledged, 20 * seeds);
    EXPECT_GT(met.repeated, seeds / 4);
    EXPECT_GT(met.refused, seeds / 4);
    EXPECT_GT(met.edits, seeds);
    EXPECT_GT(met.marks, seeds / 4);
    EXPECT_GT(met.conflicts, seeds / 8);
    EXPECT_GT(met.ended, seeds / 8);
    EXPECT_GT(met.further_pages, seeds / 4);
    EXPECT_GT(cluster.takeovers, 2 * seeds);
    EXPECT_GT(cluster.fenced, seeds / 8);
    EXPECT_GT(cluster.node_deaths, seeds / 8);
    EXPECT_GT(cluster.worker_deaths, seeds / 4);
    EXPECT_GT(cluster.dead_letters, seeds / 20);
    EXPECT_GT(cluster.bus_lost, seeds);
    EXPECT_GT(cluster.shard_downs, seeds / 4);
    EXPECT_GT(cluster.reads_checked, seeds);
    EXPECT_GT(cluster.repeated_publications, seeds);
}

TEST(ClusterSimulation, ASeedGivesTheSameRunAgain) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const Report once = run_cluster(seed, Bug::none, Trace::on),
                     again = run_cluster(seed, Bug::none, Trace::on);
        EXPECT_EQ(once.trace, again.trace);
        EXPECT_EQ(once.digest, again.digest);
    }
}

class ClusterBug : public ::testing::TestWithParam<Bug> {};

TEST_P(ClusterBug, IsFoundAndReplays) {
    const Bug bug = GetParam();
    for (std::uint64_t seed = 1; seed <= kSeedsToFindABug; ++seed) {
        const Report report = run_cluster(seed, bug, Trace::off);
        if (report.violations.empty()) continue;
        EXPECT_EQ(run_cluster(seed, bug, Trace::off).violations, report.violations);
        EXPECT_NE(explain(report, bug, Kind::cluster).find("--cluster"), std::string::npos);
        RecordProperty("seed", static_cast<std::int64_t>(seed));
        return;
    }
    FAIL() << name_of(bug) << " was not found in " << kSeedsToFindABug << " seeds";
}

INSTANTIATE_TEST_SUITE_P(Each, ClusterBug,
                         ::testing::Values(Bug::ack_before_produce, Bug::offset_apart,
                                           Bug::stale_owner_writes, Bug::bus_gap_ignored,
                                           Bug::reads_do_not_wait, Bug::time_of_reading),
                         [](const auto& info) { return std::string(name_of(info.param)); });

} // namespace
} // namespace parley::sim
