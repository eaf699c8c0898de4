// The bounds of what is remembered to tell the way of one message. As in limits.hpp: beside each
// stands what happens there.
#pragma once

#include <chrono>
#include <cstddef>

namespace parley::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kTracedEvents = 4'096;     // of each core; the oldest is forgotten
inline constexpr std::size_t kTracedEventsMax = 1'000'000;
inline constexpr std::size_t kTraceReaders = 100;       // told in one answer; then `more`
inline constexpr auto kTraceWait = 300ms;               // for the other processes' answers
inline constexpr std::size_t kTraceAnswers = 256;       // of one question; the rest is left out
inline constexpr std::size_t kTraceQuestions = 64;      // at once; then only this process tells

} // namespace parley::limits
