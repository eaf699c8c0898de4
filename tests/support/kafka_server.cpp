#include "tests/support/kafka_server.hpp"

#include <fstream>
#include <stdexcept>

namespace parley::test {

KafkaServer& KafkaServer::instance() {
    static KafkaServer server;
    return server;
}

KafkaServer::KafkaServer() : x_port(free_port()), x_folder("parley-kafka") {
    const auto printed = x_folder.path() / "command";
    ChildProcess maker;
    maker.start({"python3", PARLEY_ROOT "/tools/kafka.py", "broker", x_folder.path().string(),
                 std::to_string(x_port), std::to_string(free_port())},
                printed);
    if (maker.wait() != 0) throw std::runtime_error("tools/kafka.py has failed");
    std::ifstream lines(printed);
    for (std::string word; std::getline(lines, word);)
        // Above the command may stand what was said while the jars were fetched.
        if (!x_command.empty() || word == "java") x_command.push_back(word);
    start();
}

void KafkaServer::start() {
    x_process.start(x_command, x_folder.path() / "log");
    await_port(x_port, 60);
}

} // namespace parley::test
