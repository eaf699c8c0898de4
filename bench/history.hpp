// History: does a page cost more in a deep room than in a shallow one? Fills two rooms through the
// front door, then reads random pages of both in turn, over one REST connection.
//
// Threading: one thread. Bounds: `messages`, `pages`, and a time limit for the filling.
// Throws std::runtime_error.
#pragma once

#include "dialect.hpp"
#include "histogram.hpp"

#include <cstdint>

namespace parley::bench {

struct HistorySettings {
    Plan plan;
    std::uint64_t shallow = 1'000, deep = 1'000'000;
    std::uint64_t pages = 3'000; // of each room
    double fill_seconds = 300;   // at most
};

struct HistoryFigures {
    double fill_messages_per_second = 0;
    Histogram shallow, deep;
};

HistoryFigures measure_history(const HistorySettings& settings);

} // namespace parley::bench
