#include "service/media_gallery.hpp"

#include "base/media_limits.hpp"
#include "service/media_types.hpp"

#include <system_error>

namespace parley::service {
namespace {

// Only these have something that the worker can find.
bool is_worth_a_look(const model::Media& media) {
    const MediaType* const type = find_media_type(media.facts.content_type);
    return type && type->shown_inline;
}

bool is_gone(Errc code) {
    return code == Errc::unknown_message || code == Errc::unknown_room ||
           code == Errc::not_a_member || code == Errc::forbidden;
}

} // namespace

MediaGallery::MediaGallery(const Ports& ports, Tell tell, std::filesystem::path folder, Logger& log,
                           Metrics& metrics)
    : x_ports(ports),
      x_tell(std::move(tell)),
      x_folder(std::move(folder)),
      x_log(log),
      x_done(metrics.counter("parley_media_described_total",
                             "Files of which all is known that can be")),
      x_failed(metrics.counter("parley_media_undescribed_total",
                               "Files that were tried often enough and stay as they are")) {}

Task<std::chrono::milliseconds> MediaGallery::step() {
    const auto waiting = co_await x_ports.catalog.media_to_examine(limits::kMediaExamineBatch);
    if (!waiting) co_return limits::kMediaExamine;
    std::map<model::MediaId, int> tries;
    bool any_done = false;
    for (const model::Media& media : *waiting) {
        const auto looked = co_await look_at(media);
        if (looked) {
            any_done = true;
            continue;
        }
        const int tried = x_tries[media.id] + 1;
        const bool again = looked.error().code != Errc::invalid_field &&
                           looked.error().code != Errc::unknown_media;
        if (looked.error().code == Errc::shutting_down) break;
        if (again && tried < limits::kMediaWorkerTries) {
            tries[media.id] = tried;
            continue;
        }
        // Noted as it is: it would be looked at for ever.
        x_log.warning("nothing was made of a file",
                      {{"media", media.id.value}, {"why", looked.error().detail}});
        const auto noted = co_await x_ports.catalog.note_facts(media.id, media.facts);
        if (noted) x_failed.add();
    }
    x_tries = std::move(tries);
    co_return any_done ? std::chrono::milliseconds(0) : limits::kMediaExamine;
}

Task<Result<void>> MediaGallery::look_at(const model::Media& media) {
    model::MediaFacts facts = media.facts;
    if (is_worth_a_look(media)) {
        auto examined = co_await examine(media);
        if (!examined) co_return std::move(examined).error();
        facts = std::move(*examined);
    }
    if (facts != media.facts) {
        const auto told = co_await tell(media, facts);
        if (!told) co_return told.error();
    }
    auto noted = co_await x_ports.catalog.note_facts(media.id, std::move(facts));
    if (noted) x_done.add();
    co_return noted;
}

Task<Result<model::MediaFacts>> MediaGallery::examine(const model::Media& media) {
    // One file at a time, so one folder; what a crash has left is removed first.
    std::error_code error;
    std::filesystem::remove_all(x_folder, error);
    std::filesystem::create_directories(x_folder / "out", error);
    if (error) co_return Error(Errc::unavailable, "no folder for pictures can be made");
    const std::filesystem::path file = x_folder / "original";
    auto fetched = co_await x_ports.objects.fetch(media.key, file);
    if (!fetched) co_return std::move(fetched).error();
    auto examined = co_await x_ports.examiner.examine(file, x_folder / "out");
    if (!examined) co_return std::move(examined).error();
    if (examined->small) {
        auto small = co_await put(media, model::MediaVariant::small, "small.webp");
        if (!small) co_return std::move(small).error();
    }
    if (examined->large) {
        auto large = co_await put(media, model::MediaVariant::large, "large.webp");
        if (!large) co_return std::move(large).error();
    }
    std::filesystem::remove_all(x_folder, error);
    model::MediaFacts facts = media.facts;
    facts.width = examined->width;
    facts.height = examined->height;
    facts.duration_ms = examined->duration_ms;
    facts.blurhash = examined->blurhash;
    facts.small = examined->small;
    facts.large = examined->large;
    co_return facts;
}

Task<Result<void>> MediaGallery::put(const model::Media& media, model::MediaVariant variant,
                                     std::string name) {
    co_return co_await x_ports.objects.put(model::variant_key(media.key, variant),
                                           x_folder / "out" / name, "image/webp");
}

Task<Result<void>> MediaGallery::tell(const model::Media& media, model::MediaFacts facts) {
    const auto carriers =
        co_await x_ports.messages.media_carriers(media.id, limits::kMediaCarriersTold);
    if (!carriers) co_return carriers.error();
    const auto shared = std::make_shared<const model::MediaFacts>(std::move(facts));
    for (const auto& carrier : *carriers) {
        const auto told = co_await x_tell(carrier, media.id, shared);
        // Deleted meanwhile, or its room, or its author has left: nobody is to be told.
        if (!told && !is_gone(told.error().code)) co_return told.error();
    }
    co_return Result<void>();
}

} // namespace parley::service
