// MediaGallery: has each file that was attached to a message looked at, takes the metadata out of
// pictures, puts thumbnails beside them, and tells the rooms what was found out: as an event, so
// that a message never waits for a picture.
//
// A few files at a time, oldest first; metadata first, since readers wait for that. What cannot be
// looked at is tried again a bounded number of times and then stays as it is; while storage is away
// nothing is given up. The catalog remembers what is done: a crash costs a second look, no more.
//
// A message that was on its way meanwhile, with what was known before, is told a little later.
//
// Threading: one core. Owner: app/wiring, which calls step() again and again. Shutdown: the call in
// progress is waited for.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/media_catalog.hpp"
#include "ports/media_examiner.hpp"
#include "ports/object_store.hpp"

#include <chrono>
#include <deque>
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
        const ports::Clock& clock;
    };
    // `folder`: for what is looked at; what is in it is removed.
    MediaGallery(const Ports& ports, Tell tell, std::filesystem::path folder, Logger& log,
                 Metrics& metrics);
    MediaGallery(const MediaGallery&) = delete;
    MediaGallery& operator=(const MediaGallery&) = delete;

    // Does a little, and answers how long to wait before the next time.
    Task<std::chrono::milliseconds> step();

private:
    using Batch = std::vector<model::Media>;
    Task<Result<void>> work_on(Batch& batch);
    Task<Result<void>> strip(model::Media& media);
    Task<Result<void>> look_at(const model::Media& media);
    // Nothing: it was tried often enough.
    Task<Result<std::optional<ports::Examined>>> examine(const model::Media& media);
    Task<Result<void>> fetch(std::string key);
    Task<Result<void>> put(const model::Media& media, model::MediaVariant variant,
                           std::string name);
    Task<Result<void>> tell(model::MediaId media, model::MediaFactsRef facts);
    Task<void> tell_again();
    // Whether to give up: said after each failed look at a file.
    bool is_enough(const model::Media& media, const Error& error);

    struct Told {
        model::MediaId media;
        model::MediaFactsRef facts;
        std::chrono::steady_clock::time_point again_at;
    };

    const Ports x_ports;
    const Tell x_tell;
    const std::filesystem::path x_folder;
    Logger& x_log;
    Counter &x_done, &x_failed, &x_stripped;
    std::map<model::MediaId, int> x_tries; // at most one for each file of the last look
    std::deque<Told> x_told;               // at most limits::kMediaToldAgain
};

} // namespace parley::service
