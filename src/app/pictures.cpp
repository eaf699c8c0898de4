#include "app/pictures.hpp"

#include "chat/composer.hpp"

namespace parley::app {
namespace {

using Carrier = ports::ReleasedMedia::Carrier;

Task<Result<void>> tell(service::Rooms& rooms, Carrier carrier, model::MediaId media,
                        model::MediaFactsRef facts) {
    std::vector<model::Draft> drafts;
    drafts.push_back(chat::Composer::media(carrier.room_id, carrier.user_id,
                                           {carrier.message_id, media, std::move(facts)}));
    const auto errors = co_await rooms.submit_all(std::move(drafts));
    for (const std::optional<Error>& error : errors)
        if (error) co_return *error;
    co_return Result<void>{};
}

} // namespace

Pictures::Pictures(const Parts& parts)
    : x_examiner("/proc/self/exe", find_ffmpeg(), parts.metrics),
      x_gallery({*parts.storage.media(), *parts.storage.released_media(), *parts.storage.objects(),
                 x_examiner, parts.clock},
                [&rooms = parts.rooms](Carrier carrier, model::MediaId media,
                                       model::MediaFactsRef facts) {
                    return tell(rooms, carrier, media, std::move(facts));
                },
                parts.data / "looking", parts.log, parts.metrics) {}

} // namespace parley::app
