// ChildProcess: a server that a test starts and may kill, freeze and start again. It ends with us,
// by its own pid. Threading: the test's main thread.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace parley::test {

class ChildProcess {
public:
    ChildProcess() = default;
    ~ChildProcess() { kill(); }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    // Its output is added to `log`.
    void start(std::vector<std::string> command, const std::filesystem::path& log);
    bool runs() const { return x_pid != 0; }
    // SIGKILL, and waits for it.
    void kill();
    // SIGSTOP or SIGCONT.
    void freeze(bool frozen) const;
    // Until it ends by itself; its status as of waitpid().
    int wait();

private:
    pid_t x_pid = 0;
};

int free_port();
// Until somebody accepts there. Throws after `seconds`.
void await_port(int port, int seconds);

// Removed at the end.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::string& name);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return x_path; }

private:
    std::filesystem::path x_path;
};

} // namespace parley::test
