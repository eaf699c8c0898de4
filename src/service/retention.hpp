// Retention: has the store take out what is older than the server or a room keeps it, a little at a
// time.
//
// Threading: one core. Owner: app/wiring, which calls step() again and again. Shutdown: the call in
// progress is waited for.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/retention_store.hpp"

#include <chrono>

namespace parley::service {

class Retention {
public:
    Retention(ports::RetentionStore& store, std::uint32_t server_days, const ports::Clock& clock,
              Logger& log, Metrics& metrics);

    // Does a little, and answers how long to wait before the next time.
    Task<std::chrono::milliseconds> step();

private:
    ports::RetentionStore& x_store;
    const std::uint32_t x_server_days;
    const ports::Clock& x_clock;
    Logger& x_log;
    Counter &x_removed, &x_passes;
    model::RoomId x_next;
};

} // namespace parley::service
