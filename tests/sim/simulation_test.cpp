#include "tests/sim/simulation.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

namespace parley::sim {
namespace {

constexpr std::uint64_t kSeedsToFindABug = 500;

// A few seconds' worth; sanitizers make it slower.
std::uint64_t clean_seeds() {
    const char* const wanted = std::getenv("PARLEY_SIM_SEEDS");
    return wanted ? std::strtoull(wanted, nullptr, 10) : 5'000;
}

TEST(Simulation, KeepsEveryPromise) {
    Stats met;
    const std::uint64_t seeds = clean_seeds();
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const Report report = run(seed, Bug::none, Trace::off);
        ASSERT_TRUE(report.violations.empty()) << explain(report, Bug::none);
        met.acknowledged += report.stats.acknowledged;
        met.repeated += report.stats.repeated;
        met.refused += report.stats.refused;
        met.given_up += report.stats.given_up;
        met.crashes += report.stats.crashes;
        met.failed_batches += report.stats.failed_batches;
        met.further_pages += report.stats.further_pages;
        met.gaps += report.stats.gaps;
        met.ended += report.stats.ended;
        met.conflicts += report.stats.conflicts;
        met.edits += report.stats.edits;
        met.marks += report.stats.marks;
        met.slowed += report.stats.slowed;
    }
    // Runs in which nothing happens prove nothing.
    EXPECT_GT(met.acknowledged, 20 * seeds);
    EXPECT_GT(met.repeated, seeds / 4);
    EXPECT_GT(met.refused, seeds / 4);
    EXPECT_GT(met.crashes, seeds / 4);
    EXPECT_GT(met.failed_batches, seeds / 4);
    EXPECT_GT(met.further_pages, seeds / 4);
    EXPECT_GT(met.ended, seeds / 4);
    EXPECT_GT(met.conflicts, seeds / 4);
    EXPECT_GT(met.edits, seeds);
    EXPECT_GT(met.marks, seeds / 4);
    EXPECT_GT(met.slowed, seeds / 20);
    EXPECT_GT(met.given_up, seeds / 20);
    EXPECT_GT(met.gaps, seeds / 20);
    RecordProperty("acknowledged", static_cast<std::int64_t>(met.acknowledged));
}

TEST(Simulation, ASeedGivesTheSameRunAgain) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Report once = run(seed, Bug::none, Trace::on),
                     again = run(seed, Bug::none, Trace::on);
        EXPECT_EQ(once.trace, again.trace);
        EXPECT_EQ(once.digest, again.digest);
        EXPECT_EQ(once.digest, run(seed, Bug::none, Trace::off).digest);
    }
}

class PlantedBug : public ::testing::TestWithParam<Bug> {};

TEST_P(PlantedBug, IsFoundAndReplays) {
    const Bug bug = GetParam();
    for (std::uint64_t seed = 1; seed <= kSeedsToFindABug; ++seed) {
        const Report report = run(seed, bug, Trace::off);
        if (report.violations.empty()) continue;
        EXPECT_EQ(run(seed, bug, Trace::off).violations, report.violations);
        EXPECT_NE(explain(report, bug).find("--bug " + std::string(name_of(bug))),
                  std::string::npos);
        RecordProperty("seed", static_cast<std::int64_t>(seed));
        return;
    }
    FAIL() << name_of(bug) << " was not found in " << kSeedsToFindABug << " seeds";
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedBug,
                         ::testing::Values(Bug::ack_before_commit, Bug::no_nonce_check,
                                           Bug::resume_skips_one, Bug::edit_before_commit,
                                           Bug::deleted_text_stays, Bug::reaction_doubled,
                                           Bug::removed_still_hears, Bug::demotion_ignored,
                                           Bug::last_owner_goes, Bug::mark_before_store,
                                           Bug::slow_mode_forgotten),
                         [](const auto& info) { return std::string(name_of(info.param)); });

} // namespace
} // namespace parley::sim
