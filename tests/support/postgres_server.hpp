// A real PostgreSQL for the tests of one program: made in a temporary folder when it is first asked
// for (2 s), on a free port of 127.0.0.1, ended by its pid and removed when the program ends. It
// promises nothing after a crash of the machine (fsync is off), all else is as in production. Root
// cannot run it: then it runs as the user postgres.
//
// Threading: the test's main thread. Needs postgresql-15; a test without it fails.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace parley::test {

class PostgresServer {
public:
    // The one of this program.
    static PostgresServer& instance();

    // A new, empty database, sorted by bytes, that has no tables. Answers what a Connection takes.
    // The name gets a number behind it, so that it may be asked for again.
    std::string make_database(const std::string& name);

    // Ends it at once, as a crash would, and starts it again on the same port.
    void crash();
    void start();
    // Makes all its processes stand still (a server that does not answer), or go on.
    void freeze(bool frozen) const;

    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

private:
    PostgresServer();
    std::string target(const std::string& database) const;

    std::filesystem::path x_folder;
    int x_port = 0;
    int x_databases = 0;
    pid_t x_pid = 0;
};

} // namespace parley::test
