#include "tests/support/redis_server.hpp"

namespace parley::test {

RedisServer::RedisServer(std::string password)
    : x_port(free_port()), x_password(std::move(password)), x_folder("parley-redis") {
    start();
}

void RedisServer::start() {
    std::vector<std::string> command{"redis-server",
                                     "--port",
                                     std::to_string(x_port),
                                     "--bind",
                                     "127.0.0.1",
                                     "--dir",
                                     x_folder.path().string(),
                                     "--save",
                                     "",
                                     "--appendonly",
                                     "no"};
    if (!x_password.empty()) {
        command.push_back("--requirepass");
        command.push_back(x_password);
    }
    x_process.start(std::move(command), x_folder.path() / "log");
    await_port(x_port, 10);
}

} // namespace parley::test
