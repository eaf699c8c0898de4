// ProcessProbe: what another process has used, from outside it. CPU time is the kernel's own
// account in nanoseconds (all threads, user and system), not the 10 ms ticks of /proc/PID/stat.
// Threading: pure.
#pragma once

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <sys/types.h>
#include <unistd.h>

namespace parley::bench {

struct ProcessUse {
    double cpu_us = 0;
    double resident_bytes = 0;
};

inline ProcessUse use_of_process(pid_t pid) {
    ProcessUse use;
    clockid_t clock{};
    timespec t{};
    if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0)
        use.cpu_us = static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
    const std::string path = "/proc/" + std::to_string(pid) + "/statm";
    if (std::FILE* file = std::fopen(path.c_str(), "r")) {
        unsigned long total = 0, resident = 0;
        if (std::fscanf(file, "%lu %lu", &total, &resident) == 2)
            use.resident_bytes =
                static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
        std::fclose(file);
    }
    return use;
}

} // namespace parley::bench
