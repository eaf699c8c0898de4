#include "adapters/system/sandbox.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

// Of another machine's calls nothing is known; and x86-64 has numbers of a second kind.
std::vector<sock_filter> begin_program() {
    std::vector<sock_filter> program{load(offsetof(seccomp_data, arch))};
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 1, 0));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    program.push_back(load(offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    return program;
}

// The C library tries clone3, whose flags lie in memory, and then clone, whose flags can be seen: a
// thread, or nothing.
void add_threads(std::vector<sock_filter>& program) {
    add_rule(program, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(SYS_clone), 0, 4));
    program.push_back(load(offsetof(seccomp_data, args[0])));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x00010000 /* CLONE_THREAD */, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
}

std::vector<sock_filter> make_program() {
    std::vector<sock_filter> program = begin_program();
    for (const long call : kAllowed) add_rule(program, call, SECCOMP_RET_ALLOW);
    add_threads(program);
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    return program;
}

// clang-format off
// What a program that only reads has no use for.
constexpr long kForbidden[] = {
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
    SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_kill, SYS_mount, SYS_umount2, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat,
    SYS_symlinkat, SYS_mkdirat, SYS_mknodat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat,
    SYS_truncate, SYS_utimensat, SYS_openat2, SYS_io_uring_setup, SYS_bpf, SYS_perf_event_open,
    SYS_keyctl, SYS_userfaultfd, SYS_setns, SYS_unshare, SYS_pidfd_getfd, SYS_chroot,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr,
#if defined(__x86_64__)
    SYS_fork, SYS_vfork, SYS_creat, SYS_unlink, SYS_rmdir, SYS_rename, SYS_link, SYS_symlink,
    SYS_mkdir, SYS_mknod, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes,
#endif
};
// clang-format on

void add_read_only(std::vector<sock_filter>& program, long call, std::size_t flags) {
    constexpr std::uint32_t kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4));
    program.push_back(load(flags));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kWriting, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

std::vector<sock_filter> make_reading_program() {
    std::vector<sock_filter> program = begin_program();
    for (const long call : kForbidden) add_rule(program, call, SECCOMP_RET_ERRNO | EPERM);
    add_threads(program);
    add_read_only(program, SYS_openat, offsetof(seccomp_data, args[2]));
#if defined(__x86_64__)
    add_read_only(program, SYS_open, offsetof(seccomp_data, args[1]));
#endif
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    return program;
}

bool install(std::vector<sock_filter> program) {
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    // All threads: some library may have started one.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

// Below `path`, or that one file. What is not there need not be readable.
bool allow_reading(int rules, const char* path) {
    const int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0) return true;
    struct stat facts{};
    landlock_path_beneath_attr rule{};
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
    if (fstat(place, &facts) == 0 && S_ISDIR(facts.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    rule.parent_fd = place;
    const bool added =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(place);
    return added;
}

bool bound_reading(int file) {
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; // all of version 1
    const long rules =
        syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes.handled_access_fs), 0);
    if (rules < 0) return errno == ENOSYS || errno == EOPNOTSUPP;
    const int set = static_cast<int>(rules);
    bool done = allow_reading(set, ("/proc/self/fd/" + std::to_string(file)).c_str());
    for (const char* path : {"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null"})
        done = allow_reading(set, path) && done;
    done = done && syscall(SYS_landlock_restrict_self, set, 0) == 0;
    close(set);
    return done;
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

bool close_doors() { return kMachine == 0 || install(make_program()); }

bool close_doors_but_reading(int file) {
    return bound_reading(file) && (kMachine == 0 || install(make_reading_program()));
}

} // namespace parley::system
