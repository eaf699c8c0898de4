// MediaGallery: has each file that was attached to a message looked at, puts its thumbnails beside
// it, and tells the rooms what was found out: as an event, so that a message never waits for a
// picture.
//
// A few files at a time, oldest first. What fails is tried again a bounded number of times and then
// stays as it is; the catalog remembers what is done, so that a crash costs a second look, no more.
//
// Threading: one core. Owner: app/wiring, which calls step() again and again. Shutdown: the call in
// progress is waited for.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/media_catalog.hpp"
#include "ports/media_examiner.hpp"
#include "ports/object_store.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>

namespace parley::service {

class MediaGallery {
public:
    // Has a message's facts replaced, by the log; again with the same facts changes nothing.
    using Tell = std::function<Task<Result<void>>(ports::ReleasedMedia::Carrier, model::MediaId,
                                                  model::MediaFactsRef)>;
    struct Ports {
        ports::MediaCatalog& catalog;
        ports::ReleasedMedia& messages;
        ports::ObjectStore& objects;
        ports::MediaExaminer& examiner;
    };
    // `folder`: for copies that are looked at; what is in it is removed.
    MediaGallery(const Ports& ports, Tell tell, std::filesystem::path folder, Logger& log,
                 Metrics& metrics);
    MediaGallery(const MediaGallery&) = delete;
    MediaGallery& operator=(const MediaGallery&) = delete;

    // Does a little, and answers how long to wait before the next time.
    Task<std::chrono::milliseconds> step();

private:
    Task<Result<void>> look_at(const model::Media& media);
    Task<Result<model::MediaFacts>> examine(const model::Media& media);
    Task<Result<void>> put(const model::Media& media, model::MediaVariant variant,
                           std::string name);
    Task<Result<void>> tell(const model::Media& media, model::MediaFacts facts);

    const Ports x_ports;
    const Tell x_tell;
    const std::filesystem::path x_folder;
    Logger& x_log;
    Counter &x_done, &x_failed;
    std::map<model::MediaId, int> x_tries; // at most one for each file of the last look
};

} // namespace parley::service
