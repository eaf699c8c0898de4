#include "tests/support/s3_server.hpp"

#include <fstream>
#include <stdexcept>

namespace parley::test {

namespace {

constexpr const char* kAccessKey = "parley-test";
constexpr const char* kSecretKey = "a secret of tests";

} // namespace

S3Server& S3Server::instance() {
    static S3Server server;
    return server;
}

S3Server::S3Server() : x_port(free_port()), x_folder("parley-s3") {
    const auto printed = x_folder.path() / "command";
    ChildProcess maker;
    maker.start({"python3", PARLEY_ROOT "/tools/versitygw.py", "serve", x_folder.path().string(),
                 std::to_string(x_port), kAccessKey, kSecretKey},
                printed);
    if (maker.wait() != 0) throw std::runtime_error("tools/versitygw.py has failed");
    std::ifstream lines(printed);
    for (std::string word; std::getline(lines, word);)
        // Above the command may stand what was said while it was built.
        if (!x_command.empty() || word.starts_with('/')) x_command.push_back(word);
    start();
}

void S3Server::start() {
    x_process.start(x_command, x_folder.path() / "log");
    await_port(x_port, 20);
}

s3::Settings S3Server::settings() {
    s3::Settings settings;
    settings.endpoint = "http://127.0.0.1:" + std::to_string(x_port);
    settings.bucket = "parley-" + std::to_string(++x_buckets);
    settings.credentials.access_key = kAccessKey;
    settings.credentials.secret_key = kSecretKey;
    return settings;
}

} // namespace parley::test
