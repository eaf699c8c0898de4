#include "app/application.hpp"
#include "app/settings.hpp"
#include "app/version.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sys/resource.h>

namespace {

// The soft limit of open files is often 1,024; what the process may have is the hard one.
void raise_open_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(parley::app::Settings settings) {
    raise_open_files();
    std::signal(SIGPIPE, SIG_IGN); // a peer that is gone is an error of write, also inside OpenSSL
    parley::app::Application application(std::move(settings));
    std::cout << "Parley is ready: " << application.link() << std::endl;
    return application.run();
}

} // namespace

int main(int argc, char** argv) {
    try {
        auto line = parley::app::read_command_line(argc, argv);
        if (line.command == "version") {
            std::cout << "parley " << parley::app::kVersion << "\n";
            return 0;
        }
        if (line.command == "config") {
            std::cout << parley::app::print_settings(line.settings);
            return 0;
        }
        return serve(std::move(line.settings));
    } catch (const parley::app::ExitNow& exit) {
        return exit.status;
    } catch (const parley::app::SettingsError& e) {
        std::cerr << "parley: " << e.what() << "\n";
        return 2;
    } catch (const std::exception& e) {
        std::cerr << "parley: " << e.what() << "\n";
        return 1;
    }
}
