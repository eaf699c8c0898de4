#include "tests/support/postgres_server.hpp"

#include "adapters/postgres/connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace parley::test {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path kPrograms = "/usr/lib/postgresql/15/bin";

int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

// Runs a program of PostgreSQL, its output into `log`, as somebody who may. It ends with us.
pid_t spawn(const std::string& program, std::vector<std::string> words,
            const std::filesystem::path& log) {
    std::vector<std::string> command;
    if (::getuid() == 0)
        command = {"setpriv",     "--reuid=postgres", "--regid=postgres", "--init-groups",
                   "--pdeathsig", "INT",              "--"};
    command.push_back((kPrograms / program).string());
    for (auto& word : words) command.push_back(std::move(word));
    std::vector<char*> arguments;
    for (auto& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGINT);
    ::setenv("LC_ALL", "C.UTF-8", 1);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

} // namespace

PostgresServer& PostgresServer::instance() {
    static PostgresServer server;
    return server;
}

PostgresServer::PostgresServer() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-pg-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    x_folder = name;
    if (::getuid() == 0) {
        const passwd* const user = ::getpwnam("postgres");
        if (!user || ::chown(x_folder.c_str(), user->pw_uid, user->pw_gid) != 0)
            throw std::runtime_error("no user postgres");
    }
    const pid_t child = spawn("initdb",
                              {"-D", (x_folder / "data").string(), "-U", "parley", "--auth=trust",
                               "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"},
                              x_folder / "log");
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0)
        throw std::runtime_error("initdb failed: is postgresql-15 installed?");
    x_port = free_port();
    start();
}

void PostgresServer::start() {
    x_pid = spawn("postgres",
                  {"-D", (x_folder / "data").string(), "-p", std::to_string(x_port), "-h",
                   "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "full_page_writes=off", "-c",
                   "shared_buffers=128MB", "-c", "max_connections=200"},
                  x_folder / "log");
    for (int i = 0; i < 600; ++i) {
        try {
            postgres::Connection(target("postgres")).query("SELECT 1");
            return;
        } catch (const postgres::DatabaseError&) {
            std::this_thread::sleep_for(50ms);
        }
    }
    throw std::runtime_error("PostgreSQL does not start");
}

void PostgresServer::crash() {
    ::kill(x_pid, SIGQUIT); // an immediate shutdown: no checkpoint, clients are cut
    ::waitpid(x_pid, nullptr, 0);
    x_pid = 0;
}

void PostgresServer::freeze(bool frozen) const {
    const int signal = frozen ? SIGSTOP : SIGCONT;
    // Its processes are children of x_pid.
    std::ifstream children("/proc/" + std::to_string(x_pid) + "/task/" + std::to_string(x_pid) +
                           "/children");
    ::kill(x_pid, signal);
    for (pid_t child = 0; children >> child;) ::kill(child, signal);
}

PostgresServer::~PostgresServer() {
    if (x_pid) crash();
    std::error_code ignored;
    std::filesystem::remove_all(x_folder, ignored);
}

std::string PostgresServer::target(const std::string& database) const {
    return "host=127.0.0.1 port=" + std::to_string(x_port) + " user=parley dbname=" + database;
}

std::string PostgresServer::make_database(const std::string& name) {
    const std::string own = name + "_" + std::to_string(++x_databases);
    postgres::Connection(target("postgres"))
        .script("CREATE DATABASE \"" + own +
                    "\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
                30s);
    return target(own);
}

} // namespace parley::test
