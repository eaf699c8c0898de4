#include "tests/support/kafka_server.hpp"

#include <fstream>
#include <iostream>
#include <stdexcept>

namespace parley::test {

KafkaServer& KafkaServer::instance() {
    static KafkaServer server;
    return server;
}

// A port that was free may be somebody's when the broker comes to it: then others are tried.
KafkaServer::KafkaServer() : x_folder("parley-kafka") {
    for (int attempt = 1;; ++attempt) {
        const auto home = x_folder.path() / std::to_string(attempt);
        std::filesystem::create_directory(home);
        make(home);
        try {
            start();
            return;
        } catch (const std::runtime_error& failure) {
            std::ifstream log(x_log);
            std::cerr << failure.what() << "; the broker said:\n" << log.rdbuf() << '\n';
            if (attempt == 3) throw;
        }
        x_process.kill();
    }
}

void KafkaServer::make(const std::filesystem::path& home) {
    const auto printed = home / "command";
    x_port = free_port();
    x_log = home / "log";
    x_command.clear();
    ChildProcess maker;
    maker.start({"python3", PARLEY_ROOT "/tools/kafka.py", "broker", home.string(),
                 std::to_string(x_port), std::to_string(free_port())},
                printed);
    if (maker.wait() != 0) throw std::runtime_error("tools/kafka.py has failed");
    std::ifstream lines(printed);
    for (std::string word; std::getline(lines, word);)
        // Above the command may stand what was said while the jars were fetched.
        if (!x_command.empty() || word == "java") x_command.push_back(word);
}

void KafkaServer::start() {
    x_process.start(x_command, x_log);
    await_port(x_port, 30);
}

} // namespace parley::test
