// A real Redis for one test: on a free port of 127.0.0.1, in a temporary folder, with nothing kept
// on the disk. Threading: the test's main thread. Needs redis-server; a test without it fails.
#pragma once

#include "tests/support/child_process.hpp"

#include <string>

namespace parley::test {

class RedisServer {
public:
    // Up when it returns (0.05 s).
    explicit RedisServer(std::string password = {});

    int port() const { return x_port; }
    void kill() { x_process.kill(); }
    void start();
    void freeze(bool frozen) const { x_process.freeze(frozen); }

private:
    const int x_port;
    const std::string x_password;
    TemporaryFolder x_folder;
    ChildProcess x_process;
};

} // namespace parley::test
