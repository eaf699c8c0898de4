#include "app/worker_application.hpp"

#include "api/operator_pages.hpp"
#include "app/log_settings.hpp"
#include "app/version.hpp"
#include "base/gate.hpp"
#include "net/server.hpp"

#include <boost/asio/signal_set.hpp>

#include <cstdlib>

namespace parley::app {

struct WorkerApplication::Parts {
    Parts(Settings s, MakeWorker make);
    Task<void> shut_down();
    void on_signal();
    std::vector<std::string> what_is_missing() const;

    const Settings settings;
    system::SpdlogLogger log;
    Metrics metrics;
    system::SystemClock clock;
    system::SystemEntropy entropy;
    Core core{0};
    std::unique_ptr<Worker> worker;
    api::OperatorPages pages;
    std::vector<std::unique_ptr<Periodic>> chores;
    Gate gate;
    std::unique_ptr<net::Server> server;
    boost::asio::signal_set signals;
    bool stopping = false;
};

WorkerApplication::Parts::Parts(Settings s, MakeWorker make)
    : settings(std::move(s)),
      log(log_settings(settings)),
      worker(make({settings, clock, entropy, log, metrics, core})),
      pages(metrics, [this] { return what_is_missing(); }),
      gate(core.io().get_executor()),
      signals(core.io(), SIGINT, SIGTERM) {
    net::ServerSettings listen;
    listen.host = settings.host;
    listen.port = settings.port;
    server = std::make_unique<net::Server>(listen, std::vector<Core*>{&core},
                                           std::vector<net::CoreHandlers>{{&pages, nullptr}}, log,
                                           metrics);
    for (Periodic::Work& work : worker->chores())
        chores.push_back(std::make_unique<Periodic>(core, std::move(work)));
    worker->start();
    for (const auto& chore : chores) chore->start();
    signals.async_wait([this](boost::system::error_code error, int) {
        if (error) return;
        on_signal();
        signals.async_wait([](boost::system::error_code again, int) {
            if (!again) std::_Exit(1);
        });
    });
    server->start();
}

std::vector<std::string> WorkerApplication::Parts::what_is_missing() const {
    auto missing = worker->what_is_missing();
    if (stopping) missing.push_back("the process is stopping");
    return missing;
}

void WorkerApplication::Parts::on_signal() {
    if (stopping) return;
    stopping = true;
    log.info("stopping", {{"reason", "signal"}});
    gate.spawn(shut_down());
}

Task<void> WorkerApplication::Parts::shut_down() {
    const auto deadline = clock.steady() + limits::kDrainTimeout;
    for (const auto& chore : chores) co_await chore->stop();
    worker->stop();
    server->stop_accepting();
    co_await server->drain(deadline);
    core.stop();
}

WorkerApplication::WorkerApplication(Settings settings, MakeWorker make)
    : x_parts(std::make_unique<Parts>(std::move(settings), make)) {}

WorkerApplication::~WorkerApplication() = default;

std::string WorkerApplication::link() const {
    return "http://" + x_parts->settings.host + ":" + std::to_string(x_parts->server->port());
}

int WorkerApplication::run() {
    Parts& parts = *x_parts;
    parts.log.info("ready", {{"version", kVersion}, {"link", link()}});
    parts.core.run();
    parts.log.info("stopped");
    parts.gate.abandon();
    for (const auto& chore : parts.chores) chore->abandon();
    return 0;
}

} // namespace parley::app
