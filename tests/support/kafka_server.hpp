// A real Kafka for the tests of one program: one broker that is its own controller, started when it
// is first asked for (4 s), on free ports of 127.0.0.1, in a temporary folder. tools/kafka.py has
// its jars (or fetches them; PARLEY_KAFKA_LIBS names another folder) and its settings.
//
// Threading: the test's main thread. Needs java; a test without it fails.
#pragma once

#include "tests/support/child_process.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace parley::test {

class KafkaServer {
public:
    // The one of this program.
    static KafkaServer& instance();

    std::string brokers() const { return "127.0.0.1:" + std::to_string(x_port); }
    void kill() { x_process.kill(); }
    // Returns when it accepts, which is some time before it serves.
    void start();
    void freeze(bool frozen) const { x_process.freeze(frozen); }

private:
    KafkaServer();
    void make(const std::filesystem::path& home);

    int x_port = 0;
    TemporaryFolder x_folder;
    std::filesystem::path x_log;
    std::vector<std::string> x_command;
    ChildProcess x_process;
};

} // namespace parley::test
