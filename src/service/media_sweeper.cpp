#include "service/media_sweeper.hpp"

#include "base/limits.hpp"

namespace parley::service {

MediaSweeper::MediaSweeper(ports::MediaCatalog& catalog, ports::ReleasedMedia& released,
                           ports::ObjectStore& objects, const ports::Clock& clock,
                           std::chrono::milliseconds unused_life, Logger& log, Metrics& metrics)
    : x_catalog(catalog),
      x_released(released),
      x_objects(objects),
      x_clock(clock),
      x_unused_life(unused_life),
      x_log(log),
      x_removed(metrics.counter("parley_media_removed_total", "Files that were removed")),
      x_failures(metrics.counter("parley_media_sweep_failures_total",
                                 "Files that could not be removed yet")) {}

Task<std::chrono::milliseconds> MediaSweeper::step() {
    Result<void> done = co_await take_released();
    if (done) done = co_await take_unused();
    if (done) done = co_await delete_removed();
    if (!done) {
        x_failures.add();
        x_log.warning("files could not be removed yet",
                      {{"why", std::string_view(done.error().detail)}});
    }
    co_return limits::kMediaSweep;
}

Task<Result<void>> MediaSweeper::take_released() {
    const auto settles = std::chrono::milliseconds(limits::kMediaAttachSettles).count();
    PARLEY_CO_TRY(const auto released,
                  co_await x_released.released_media(limits::kMediaSweepBatch));
    std::vector<model::MediaId> done;
    for (const model::MediaId media : released) {
        PARLEY_CO_TRY(const bool in_use, co_await x_released.media_in_use(media));
        bool settled = in_use;
        if (!in_use) {
            // A message that is on its way may carry it: not before that has settled.
            const model::Time before{x_clock.now().ms - settles};
            PARLEY_CO_TRY(settled, co_await x_catalog.remove_media(media, before));
        }
        if (settled) done.push_back(media);
    }
    if (done.empty()) co_return Result<void>{};
    co_return co_await x_released.forget_released(std::move(done));
}

Task<Result<void>> MediaSweeper::take_unused() {
    const model::Time before{x_clock.now().ms - x_unused_life.count()};
    PARLEY_CO_TRY(const auto unused,
                  co_await x_catalog.unused_media(before, limits::kMediaSweepBatch));
    for (const model::Media& media : unused)
        PARLEY_CO_CHECK(co_await x_catalog.remove_media(media.id, before));
    co_return Result<void>{};
}

Task<Result<void>> MediaSweeper::delete_objects(std::string key, std::uint64_t size) {
    using model::MediaVariant;
    for (const MediaVariant variant :
         {MediaVariant::large, MediaVariant::small, MediaVariant::original})
        PARLEY_CO_CHECK(co_await x_objects.remove(model::variant_key(key, variant)));
    PARLEY_CO_CHECK(co_await x_objects.remove(model::stripped_key(key)));
    PARLEY_CO_CHECK(co_await x_objects.purge(model::stripped_key(key), size));
    co_return co_await x_objects.purge(key, size);
}

Task<Result<void>> MediaSweeper::delete_removed() {
    PARLEY_CO_TRY(const auto removed, co_await x_catalog.media_to_delete(limits::kMediaSweepBatch));
    for (const model::Media& media : removed) {
        PARLEY_CO_TRY(const std::string upload, co_await x_catalog.upload_of(media.id));
        if (!upload.empty()) static_cast<void>(co_await x_objects.abort_parts(media.key, upload));
        PARLEY_CO_CHECK(co_await delete_objects(media.key, media.facts.size));
        PARLEY_CO_CHECK(co_await x_catalog.note_deleted(media.id));
        x_removed.add();
    }
    co_return Result<void>{};
}

} // namespace parley::service
