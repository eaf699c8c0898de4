#include "adapters/crypto/certificate.hpp"
#include "app/commands/doctor.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <netdb.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

namespace parley::app {
namespace {

using Level = Finding::Level;

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::int64_t kCertificateSoonMs = 14 * kDayMs;
constexpr std::int64_t kClockBehindMs = 60'000;
constexpr std::size_t kFilesBesideConnections = 64;

// The limit of the running server, else of a process started like this one.
std::uint64_t open_files_limit(std::optional<pid_t> server) {
    if (server && *server > 0) {
        std::ifstream limits("/proc/" + std::to_string(*server) + "/limits");
        std::string line;
        while (std::getline(limits, line)) {
            if (!line.starts_with("Max open files")) continue;
            std::istringstream words(line.substr(std::strlen("Max open files")));
            std::uint64_t soft = 0;
            if (words >> soft) return soft;
        }
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max; // the start raises the soft limit to it
}

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
    int family = AF_INET;
};

std::optional<Address> address_of(const Settings& settings) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    const std::string port = std::to_string(settings.port);
    if (::getaddrinfo(settings.host.c_str(), port.c_str(), &hints, &found) != 0)
        return std::nullopt;
    Address address;
    std::memcpy(&address.bytes, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    address.family = found->ai_family;
    ::freeaddrinfo(found);
    return address;
}

// 0, or why not.
int try_port(const Address& address, bool listen) {
    const int socket = ::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return errno;
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const timeval patience{2, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const auto* bytes = reinterpret_cast<const sockaddr*>(&address.bytes);
    int code =
        listen ? ::bind(socket, bytes, address.size) : ::connect(socket, bytes, address.size);
    if (code == 0 && listen) code = ::listen(socket, 1);
    const int error = code == 0 ? 0 : errno;
    ::close(socket);
    return error;
}

} // namespace

void look_at_open_files(const Settings& settings, std::optional<pid_t> server, Findings& findings) {
    const std::uint64_t limit = open_files_limit(server);
    const std::uint64_t wanted = settings.connections_max + kFilesBesideConnections;
    const std::string detail =
        std::to_string(limit) + ", connections-max is " + std::to_string(settings.connections_max);
    if (limit < wanted)
        findings.push_back({"open files", Level::warning, detail,
                            "raise the limit to " + std::to_string(wanted) +
                                " (LimitNOFILE= in the unit, or ulimit -Hn), or lower "
                                "connections-max"});
    else
        findings.push_back({"open files", Level::ok, detail});
}

void look_at_clock(model::Time now, std::optional<model::Time> newest, Findings& findings) {
    constexpr std::int64_t kFirstPossible = 1'704'067'200'000; // ids begin with 2024
    timex state{};
    const bool synchronised = ::adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    if (now.ms < kFirstPossible)
        findings.push_back({"clock", Level::problem, "it shows " + model::to_rfc3339(now),
                            "set the clock: tokens and times are wrong"});
    else if (newest && newest->ms > now.ms + kClockBehindMs)
        findings.push_back({"clock", Level::problem,
                            "it shows " + model::to_rfc3339(now) + ", the newest event is of " +
                                model::to_rfc3339(*newest),
                            "the clock went back, or was ahead: set it right; ids go on from the "
                            "newest one meanwhile"});
    else if (!synchronised)
        findings.push_back({"clock", Level::warning, "nothing keeps it right",
                            "run a time service, e.g. systemd-timesyncd or chrony"});
    else
        findings.push_back({"clock", Level::ok, model::to_rfc3339(now) + ", synchronised"});
}

void look_at_certificate(const Settings& settings, model::Time now, Findings& findings) {
    if (settings.tls_certificate_file.empty()) return;
    const std::string renew = "renew the certificate and restart the server";
    try {
        const auto facts =
            crypto::read_certificate(settings.tls_certificate_file, settings.tls_key_file);
        const std::string until = "valid until " + model::to_rfc3339(facts.valid_until);
        if (!facts.key_matches)
            findings.push_back({"certificate", Level::problem, "tls-key is not the key of tls-cert",
                                "name the two that belong "
                                "together"});
        else if (facts.valid_from > now)
            findings.push_back({"certificate", Level::problem,
                                "valid only from " + model::to_rfc3339(facts.valid_from), renew});
        else if (facts.valid_until <= now)
            findings.push_back({"certificate", Level::problem, until, renew});
        else if (facts.valid_until.ms < now.ms + kCertificateSoonMs)
            findings.push_back({"certificate", Level::warning, until, renew});
        else
            findings.push_back({"certificate", Level::ok, until});
    } catch (const std::runtime_error& error) {
        findings.push_back({"certificate", Level::problem, error.what(),
                            "name a readable file with tls-cert and tls-key"});
    }
}

void look_at_port(const Settings& settings, bool server_runs, Findings& findings) {
    if (settings.port == 0) return;
    const std::string where = settings.host + " port " + std::to_string(settings.port);
    const auto address = address_of(settings);
    if (!address) {
        findings.push_back({"port", Level::problem, settings.host + " is not an address of here",
                            "name an address of this machine with listen"});
        return;
    }
    const int error = try_port(*address, !server_runs);
    if (error == 0)
        findings.push_back({"port", Level::ok, where + (server_runs ? " answers" : " is free")});
    else if (server_runs)
        findings.push_back({"port", Level::problem,
                            "a server runs on this folder, but " + where +
                                " does not answer: " + std::strerror(error),
                            "give the settings that the server has, or restart it"});
    else
        findings.push_back({"port", Level::problem, where + ": " + std::strerror(error),
                            error == EADDRINUSE
                                ? "another program listens there: stop it, or change listen"
                                : "name an address of this machine, and a port above 1023, with "
                                  "listen"});
}

} // namespace parley::app
