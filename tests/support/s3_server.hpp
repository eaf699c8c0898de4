// A real S3 server (VersityGW) for the tests of one program: started when it is first asked for, in
// a temporary folder, on a free port of 127.0.0.1, ended by its pid and removed when the program
// ends. Needs what tools/versitygw.py builds; a test without it fails.
//
// Threading: the test's main thread.
#pragma once

#include "adapters/s3/settings.hpp"
#include "tests/support/child_process.hpp"

#include <string>
#include <vector>

namespace parley::test {

class S3Server {
public:
    // The one of this program.
    static S3Server& instance();
    S3Server(const S3Server&) = delete;
    S3Server& operator=(const S3Server&) = delete;

    // A bucket that does not exist yet.
    s3::Settings settings();
    int port() const { return x_port; }
    void freeze(bool frozen) const { x_process.freeze(frozen); }
    void kill() { x_process.kill(); }
    void start();

private:
    S3Server();
    const int x_port;
    TemporaryFolder x_folder;
    std::vector<std::string> x_command;
    int x_buckets = 0;
    ChildProcess x_process;
};

} // namespace parley::test
