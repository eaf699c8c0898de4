// The bounds of moving a partition to another shard. As in limits.hpp: beside each stands what
// happens there.
#pragma once

#include <chrono>
#include <cstddef>

namespace parley::limits {

using namespace std::chrono_literals;

inline constexpr auto kLayoutLook = 250ms;     // at the epoch, by each process
inline constexpr auto kLayoutTell = 5s;        // each process says that it lives
inline constexpr auto kLayoutDead = 60s;       // not heard for so long: it is not waited for
inline constexpr auto kMoveCallTimeout = 30min; // one statement of a move
inline constexpr auto kMoveDirectoryTimeout = 60s; // the same of the directory
inline constexpr std::size_t kMovePageRows = 2'000;   // copied or removed at once
inline constexpr std::size_t kMoveRoundKeys = 20'000; // changed keys of one round
inline constexpr std::size_t kMoveFewKeys = 500; // what is left then is copied while nobody writes
inline constexpr std::size_t kMoveRounds = 10'000;   // then it fails: more is written than copied
inline constexpr auto kMoveFreeze = 1500ms; // nobody writes for so long at most; then once more,
inline constexpr std::size_t kMoveFreezes = 20;      // so often
inline constexpr auto kMoveFreezePause = 1s;         // between two
inline constexpr auto kMoveReadersTimeout = 90s; // for all processes to take the new table

} // namespace parley::limits
