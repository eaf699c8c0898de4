#include "adapters/system/sandbox.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace parley::system {
namespace {

bool limit(__rlimit_resource_t resource, std::uint64_t value) {
    const rlimit both{value, value};
    return setrlimit(resource, &both) == 0;
}

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kMachine = 0;
#endif

// clang-format off
// What decoding needs: memory, threads, locks, clocks, and files that are open.
constexpr long kAllowed[] = {
    SYS_read, SYS_pread64, SYS_readv, SYS_write, SYS_pwrite64, SYS_writev, SYS_lseek, SYS_fstat,
    SYS_close, SYS_ftruncate, SYS_fcntl, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap,
    SYS_madvise, SYS_brk, SYS_futex, SYS_set_robust_list, SYS_rseq, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_gettid, SYS_getpid, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sigaltstack, SYS_clock_gettime, SYS_gettimeofday, SYS_nanosleep,
    SYS_clock_nanosleep, SYS_getrandom, SYS_sysinfo, SYS_uname, SYS_getrusage, SYS_exit,
    SYS_exit_group, SYS_restart_syscall, SYS_membarrier,
};
// clang-format on

void add_rule(std::vector<sock_filter>& program, long call, std::uint32_t action) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
}

std::vector<sock_filter> make_program() {
    const auto load = [](std::size_t offset) {
        return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
    };
    std::vector<sock_filter> program{load(offsetof(seccomp_data, arch))};
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 1, 0));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    program.push_back(load(offsetof(seccomp_data, nr)));
    for (const long call : kAllowed) add_rule(program, call, SECCOMP_RET_ALLOW);
    // The C library tries clone3, whose flags lie in memory, and then clone, whose flags can be
    // seen: a thread, or nothing.
    add_rule(program, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(SYS_clone), 0, 3));
    program.push_back(load(offsetof(seccomp_data, args[0])));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x00010000 /* CLONE_THREAD */, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    return program;
}

} // namespace

bool bound_process(const SandboxBounds& bounds) {
    bool done =
        prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    done = limit(RLIMIT_CORE, 0) && done;
    done = limit(RLIMIT_CPU, bounds.cpu_seconds) && done;
    done = limit(RLIMIT_FSIZE, bounds.file_bytes) && done;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // these map terabytes
    done = limit(RLIMIT_AS, bounds.memory_bytes) && done;
#endif
    return done;
}

bool close_doors() {
    if (kMachine == 0) return true;
    std::vector<sock_filter> program = make_program();
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    // All threads: some library may have started one.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

} // namespace parley::system
