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

// Spans for a collector (adapters/otlp).
inline constexpr std::size_t kSpanQueue = 8'192;   // then spans are left out, and counted
inline constexpr std::size_t kSpanBatch = 512;     // in one call, about 200 KB
inline constexpr auto kSpanEvery = 1s;             // or sooner, when a batch is full
inline constexpr auto kSpanTimeout = 5s;           // of one call
inline constexpr int kSpanAttempts = 3;            // of one batch; then it is left out, and counted
inline constexpr auto kSpanPause = 1s;             // after a call that failed; doubled each time
inline constexpr auto kSpanFarewell = 1s;          // for what is left when the process stops

} // namespace parley::limits
