// WorkerApplication: a process of a cluster that serves nobody: it does its work and answers
// operators (/healthz, /readyz, /metrics). `parley ingest`, `parley heartbeat`.
//
// Threading: construct, run() and destroy on the main thread, which is the process's one core.
// Shutdown (SIGTERM, SIGINT): the work ends in good order, then the server.
#pragma once

#include "adapters/system/spdlog_logger.hpp"
#include "adapters/system/system_clock.hpp"
#include "adapters/system/system_entropy.hpp"
#include "app/periodic.hpp"
#include "app/settings.hpp"
#include "base/metrics.hpp"

#include <memory>
#include <string>
#include <vector>

namespace parley::app {

struct WorkerParts {
    const Settings& settings;
    const ports::Clock& clock;
    ports::Entropy& entropy;
    Logger& log;
    Metrics& metrics;
    Core& core;
};

class Worker {
public:
    virtual ~Worker() = default;
    virtual void start() = 0;
    virtual std::vector<Periodic::Work> chores() { return {}; }
    virtual std::vector<std::string> what_is_missing() const = 0;
    virtual void stop() = 0; // may take a while
};
using MakeWorker = std::unique_ptr<Worker> (*)(const WorkerParts& parts);

std::unique_ptr<Worker> make_ingest_worker(const WorkerParts& parts);
std::unique_ptr<Worker> make_heartbeat_worker(const WorkerParts& parts);

class WorkerApplication {
public:
    // Throws std::runtime_error with a text for the operator.
    WorkerApplication(Settings settings, MakeWorker make);
    ~WorkerApplication();
    WorkerApplication(const WorkerApplication&) = delete;
    WorkerApplication& operator=(const WorkerApplication&) = delete;

    std::string link() const;
    int run();

private:
    struct Parts;
    std::unique_ptr<Parts> x_parts;
};

} // namespace parley::app
