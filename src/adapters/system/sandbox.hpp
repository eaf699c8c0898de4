// What a process takes from itself before it looks at bytes that a stranger made: memory, time, the
// size of files, and every system call that reaches beyond what is open already (files, network,
// processes). It cannot be taken back.
//
// The list of calls is for Linux on x86-64 and arm64; elsewhere only the bounds hold. A call that
// is not on it fails with EPERM. Sources: seccomp(2), setrlimit(2), landlock(7).
//
// Threading: main thread, before others are started. Shutdown: none.
#pragma once

#include <cstdint>

namespace parley::system {

struct SandboxBounds {
    std::uint64_t memory_bytes = 0; // of address space
    std::uint64_t cpu_seconds = 0;  // then SIGKILL
    std::uint64_t file_bytes = 0;   // of each file that is written
};

// Bounds; and the process dies with its parent, gains no right and leaves no core dump. False: the
// kernel refused.
bool bound_process(const SandboxBounds& bounds);
// Nothing can be opened, connected or started from now on. Threads can be.
bool close_doors();
// The same for a program of others that is to take this one's place (execve) and must load its
// libraries: it reads what lies below /usr, its loader's files and the file that is open as `file`;
// it writes only to what is open; it connects to nothing and starts nothing. On kernels without
// Landlock it reads all that its user can.
bool close_doors_but_reading(int file);

} // namespace parley::system
