#include "service/media_gallery.hpp"

#include "base/limits.hpp"
#include "base/media_limits.hpp"
#include "service/media_types.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace parley::service {
namespace {

// Only these have something that the worker can find.
bool is_worth_a_look(const model::Media& media) {
    const MediaType* const type = find_media_type(media.facts.content_type);
    return type && type->shown_inline;
}

bool is_to_be_stripped(const model::Media& media) {
    const MediaType* const type = find_media_type(media.facts.content_type);
    return type && type->has_metadata() && !media.facts.stripped;
}

std::string key_of(const model::Media& media) {
    return media.facts.stripped.value_or(false) ? model::stripped_key(media.key) : media.key;
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
                               "Files that were tried often enough and stay as they are")),
      x_stripped(metrics.counter("parley_media_stripped_total",
                                 "Pictures and films whose metadata was taken out")) {}

Task<std::chrono::milliseconds> MediaGallery::step() {
    co_await tell_again();
    auto waiting = co_await x_ports.catalog.media_to_examine(limits::kMediaExamineBatch);
    if (!waiting) co_return limits::kMediaExamineRetry;
    std::erase_if(x_tries, [&](const auto& tried) {
        return std::ranges::none_of(
            *waiting, [&](const model::Media& each) { return each.id == tried.first; });
    });
    if (waiting->empty()) co_return limits::kMediaExamine;
    const auto worked = co_await work_on(*waiting);
    std::error_code error;
    std::filesystem::remove_all(x_folder, error);
    const bool held_up_before = std::exchange(x_held_up, !worked);
    if (worked) co_return std::chrono::milliseconds(0);
    if (!held_up_before && worked.error().code != Errc::shutting_down)
        x_log.warning("files wait to be looked at",
                      {{"why", std::string_view(worked.error().detail)}});
    co_return limits::kMediaExamineRetry;
}

// The last error, if any; what could be done is done.
Task<Result<void>> MediaGallery::work_on(Batch& batch) {
    Result<void> all;
    // What is removed while it is looked at is no longer anybody's.
    const auto note = [&](const Result<void>& done) {
        if (!done && done.error().code != Errc::unknown_media) all = done;
        return all || all.error().code != Errc::shutting_down;
    };
    for (model::Media& media : batch) {
        if (!is_to_be_stripped(media)) continue;
        const auto done = co_await strip(media);
        if (!note(done)) co_return all;
    }
    for (const model::Media& media : batch) {
        if (is_to_be_stripped(media)) continue;
        const auto done = co_await look_at(media);
        if (!note(done)) co_return all;
    }
    co_return all;
}

bool MediaGallery::is_enough(const model::Media& media, const Error& error) {
    // Of the storage or of this process, not of the file.
    for (const Errc other : {Errc::shutting_down, Errc::overloaded, Errc::media_unavailable,
                             Errc::media_storage_full})
        if (error.code == other) return false;
    const bool again = error.code != Errc::invalid_field;
    if (again && ++x_tries[media.id] < limits::kMediaWorkerTries) return false;
    x_log.warning("nothing was made of a file",
                  {{"media", media.id.value}, {"why", std::string_view(error.detail)}});
    x_tries.erase(media.id);
    return true;
}

Task<Result<void>> MediaGallery::strip(model::Media& media) {
    model::MediaFacts facts = media.facts;
    facts.stripped = false;
    if (facts.size <= limits::kStripBytes) {
        const std::filesystem::path to = x_folder / "stripped";
        const auto fetched = co_await fetch(media.key);
        Result<bool> stripped = false;
        if (fetched) stripped = co_await x_ports.examiner.strip(x_folder / "original", to);
        if (!fetched) stripped = fetched.error();
        if (!stripped && !is_enough(media, stripped.error())) co_return stripped.error();
        if (stripped && *stripped) {
            std::error_code error;
            facts.size = std::filesystem::file_size(to, error);
            if (error) co_return Error(Errc::unavailable, "a file is gone");
            PARLEY_CO_CHECK(co_await x_ports.objects.put(model::stripped_key(media.key), to,
                                                         media.facts.content_type));
            facts.stripped = true;
            x_stripped.add();
        }
    }
    PARLEY_CO_CHECK(co_await x_ports.catalog.note_stored(media.id, {}, facts));
    media.facts = std::move(facts);
    // Nobody reads the other one any more. What stays of it goes with the message.
    if (*media.facts.stripped) static_cast<void>(co_await x_ports.objects.remove(media.key));
    co_return Result<void>{};
}

Task<Result<void>> MediaGallery::look_at(const model::Media& media) {
    model::MediaFacts facts = media.facts;
    if (is_worth_a_look(media)) {
        PARLEY_CO_TRY(const auto examined, co_await examine(media));
        if (examined) {
            facts.width = examined->width;
            facts.height = examined->height;
            facts.duration_ms = examined->duration_ms;
            facts.blurhash = examined->blurhash;
            facts.small = examined->small;
            facts.large = examined->large;
            facts.poster = examined->poster;
        }
        (examined ? x_done : x_failed).add();
    }
    const auto shared = std::make_shared<const model::MediaFacts>(facts);
    if (facts != media.facts || facts.stripped.value_or(false)) {
        // Before anybody is told: who hears of a thumbnail asks for it at once.
        PARLEY_CO_CHECK(co_await x_ports.catalog.note_stored(media.id, {}, facts));
        PARLEY_CO_CHECK(co_await tell(media.id, shared));
        if (x_told.size() >= limits::kMediaToldAgain) x_told.pop_front();
        x_told.push_back({media.id, shared, x_ports.clock.steady() + limits::kMediaAttachSettles});
    }
    co_return co_await x_ports.catalog.note_facts(media.id, std::move(facts));
}

// One file at a time, so one folder; what a crash has left is removed first.
Task<Result<void>> MediaGallery::fetch(std::string key) {
    std::error_code error;
    std::filesystem::remove_all(x_folder, error);
    std::filesystem::create_directories(x_folder / "out", error);
    if (error) co_return Error(Errc::unavailable, "no folder for pictures can be made");
    co_return co_await x_ports.objects.fetch(std::move(key), x_folder / "original");
}

Task<Result<std::optional<ports::Examined>>> MediaGallery::examine(const model::Media& media) {
    const auto fetched = co_await fetch(key_of(media));
    Result<ports::Examined> examined = Error(Errc::unavailable, "not looked at");
    if (fetched)
        examined = co_await x_ports.examiner.examine(x_folder / "original", x_folder / "out");
    else
        examined = fetched.error();
    if (!examined) {
        if (is_enough(media, examined.error())) co_return std::nullopt;
        co_return std::move(examined).error();
    }
    if (examined->small) {
        PARLEY_CO_CHECK(co_await put(media, model::MediaVariant::small, "small.webp"));
    }
    if (examined->large) {
        PARLEY_CO_CHECK(co_await put(media, model::MediaVariant::large, "large.webp"));
    }
    co_return std::optional(std::move(*examined));
}

Task<Result<void>> MediaGallery::put(const model::Media& media, model::MediaVariant variant,
                                     std::string name) {
    co_return co_await x_ports.objects.put(model::variant_key(media.key, variant),
                                           x_folder / "out" / name, "image/webp");
}

Task<Result<void>> MediaGallery::tell(model::MediaId media, model::MediaFactsRef facts) {
    const auto carriers =
        co_await x_ports.messages.media_carriers(media, limits::kMediaCarriersTold);
    if (!carriers) co_return carriers.error();
    for (const auto& carrier : *carriers) {
        const auto told = co_await x_tell(carrier, media, facts);
        // Deleted meanwhile, or its room, or its author has left: nobody is to be told.
        if (!told && !is_gone(told.error().code)) co_return told.error();
    }
    co_return Result<void>{};
}

Task<void> MediaGallery::tell_again() {
    while (!x_told.empty() && x_told.front().again_at <= x_ports.clock.steady()) {
        const auto told = co_await tell(x_told.front().media, x_told.front().facts);
        if (!told) co_return;
        x_told.pop_front();
    }
}

} // namespace parley::service
