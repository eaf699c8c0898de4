// The bounds of the picture worker, a process for each file; and what happens at each. Beside those
// of limits.hpp, since few need them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace parley::limits {

using namespace std::chrono_literals;

// Of a body that is streamed: at least so much wakes its reader, so that a thousand slow clients do
// not cost as many small writes.
inline constexpr std::size_t kBodyStreamPiece = 16 * 1024;
inline constexpr std::uint64_t kDiskWriteBehind = 16ull << 20; // of an upload; then it is begun
// Past the page cache: pieces of at least so much, by no more at once (of each thread that writes).
inline constexpr std::size_t kDiskDirectLeast = 64 * 1024, kDiskDirectPiece = 512 * 1024;
inline constexpr std::uint64_t kPictureBytes = 64ull << 20;        // larger ones are not decoded
inline constexpr std::uint64_t kStripBytes = 256ull << 20;         // nor is their metadata removed
inline constexpr std::uint64_t kPicturePixels = 64'000'000;        // nor these
inline constexpr std::uint64_t kMediaWorkerMemory = 1536ull << 20; // address space; then it ends
inline constexpr std::uint64_t kMediaWorkerCpuSeconds = 20;        // killed
inline constexpr auto kMediaWorkerTime = 60s;                      // killed
inline constexpr std::uint64_t kThumbnailBytes = 8ull << 20;       // the file is refused
inline constexpr std::size_t kMediaReportBytes = 4 * 1024;         // the report is refused
inline constexpr std::uint64_t kAvatarBytes = 2ull << 20;          // media_too_large
inline constexpr std::uint32_t kBlurhashSide = 32;
inline constexpr std::size_t kMediaWorkers = 1;        // at a time
inline constexpr std::size_t kMediaWorkerQueue = 16;   // overloaded
inline constexpr int kMediaWorkerTries = 3;            // of one file; then it stays as it is
inline constexpr auto kMediaExamine = 250ms;           // between two looks for new files
inline constexpr auto kMediaExamineRetry = 1s;         // after one that came to nothing
inline constexpr std::size_t kMediaExamineBatch = 16;  // files of one look
inline constexpr std::size_t kMediaCarriersTold = 100; // messages of one file that get its facts
inline constexpr std::size_t kMediaToldAgain = 1'000;  // files; the oldest is not told again
// A picture that is not stripped yet, for its readers, then media_unavailable, and for whom it is
// from, who gets it then as it is.
inline constexpr auto kMediaStripWait = 10s, kMediaOwnStripWait = 3s;
inline constexpr auto kMediaStripLook = 50ms;         // between two looks whether it is done
inline constexpr std::size_t kMediaStripWaits = 1000; // requests of a core; media_unavailable

} // namespace parley::limits
