// MediaSweeper: removes what no message carries any more, and what was never posted, everywhere:
// objects, thumbnails, the cache in front, the record. Each step is done again until it has
// succeeded.
//
// Threading: one core. Owner: app/wiring, which calls step() again and again where this process
// leads. Shutdown: the call in progress is waited for.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/media_catalog.hpp"
#include "ports/object_store.hpp"

#include <chrono>

namespace parley::service {

class MediaSweeper {
public:
    MediaSweeper(ports::MediaCatalog& catalog, ports::ReleasedMedia& released,
                 ports::ObjectStore& objects, const ports::Clock& clock,
                 std::chrono::milliseconds unused_life, Logger& log, Metrics& metrics);

    // Does a little, and answers how long to wait before the next time.
    Task<std::chrono::milliseconds> step();

private:
    Task<Result<void>> take_released();
    Task<Result<void>> take_unused();
    Task<Result<void>> delete_removed();
    Task<Result<void>> delete_objects(std::string key, std::uint64_t size);

    ports::MediaCatalog& x_catalog;
    ports::ReleasedMedia& x_released;
    ports::ObjectStore& x_objects;
    const ports::Clock& x_clock;
    const std::chrono::milliseconds x_unused_life; // then what was never posted goes
    Logger& x_log;
    Counter &x_removed, &x_failures;
};

} // namespace parley::service
