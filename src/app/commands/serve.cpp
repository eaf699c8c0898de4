#include "app/application.hpp"
#include "app/commands/command.hpp"
#include "app/commands/process.hpp"
#include "app/version.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <csignal>
#include <iostream>
#include <sys/resource.h>

namespace parley::app {
namespace {

// The soft limit of open files is often 1,024; what the process may have is the hard one.
void raise_open_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

void prepare_process() {
    raise_open_files();
    std::signal(SIGPIPE, SIG_IGN);
}

int run_serve(const Invocation& invocation, Console&) {
    prepare_process();
    Application application(invocation.settings);
    std::cout << "Parley is ready: " << application.link() << std::endl;
    return application.run();
}

int run_config(const Invocation& invocation, Console& console) {
    console.print(print_settings(invocation.settings));
    boost::json::object document;
    for (const auto& [name, value] : setting_values(invocation.settings))
        document[name] = boost::json::parse(value);
    console.result(document);
    return kDone;
}

int run_version(const Invocation&, Console& console) {
    console.print("parley " + std::string(kVersion));
    console.result({{"version", kVersion}});
    return kDone;
}

int run_completions(const Invocation& invocation, Console&) {
    std::cout << completions(invocation["SHELL"]);
    return kDone;
}

} // namespace parley::app
