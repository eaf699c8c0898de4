#include "service/moderation.hpp"

#include "chat/composer.hpp"
#include "service/media.hpp"

namespace parley::service {

Task<Result<void>> Moderation::require(model::UserId user, model::RoomId room) {
    PARLEY_CO_TRY(const RoomView seen, co_await x_rooms.view(user, room));
    const Result<void> in_room = chat::authorise(seen.standing, chat::Action::moderate);
    if (in_room) co_return in_room;
    const auto staff = co_await x_accounts.require(user, model::ServerRole::moderator);
    if (staff && seen.standing.room_exists) co_return Result<void>{};
    if (!staff && staff.error().code != Errc::forbidden) co_return staff.error();
    co_return in_room;
}

Task<Result<model::Message>> Moderation::approve(model::UserId moderator, model::RoomId room,
                                                 model::HeldId held) {
    PARLEY_CO_CHECK(co_await require(moderator, room));
    PARLEY_CO_TRY(ports::HeldMessage found, co_await x_held.find_waiting(room, held));
    // What was found out about its file while it waited.
    if (found.draft.media_id && x_media) {
        auto known = co_await x_media->known(*found.draft.media_id);
        if (known) found.draft.media = std::move(*known);
    }
    PARLEY_CO_TRY(const DeliveryRef sent,
                  co_await x_rooms.submit_approved(
                      chat::Composer::again(found.room_id, found.user_id, std::move(found.draft))));
    if (const auto& refused = sent->outcome.error) {
        if (refused->code == Errc::not_a_member || refused->code == Errc::unknown_room)
            co_return Error(Errc::not_a_member, "its author is not in this room any more");
        co_return *refused;
    }
    const auto decided = co_await x_held.decide(room, held, true, x_clock.now());
    // Another moderator was as quick: the message is in the log once.
    if (!decided && decided.error().code != Errc::unknown_message) co_return decided.error();
    co_return std::get<model::MessagePosted>(sent->event()->body).message;
}

Task<Result<void>> Moderation::reject(model::UserId moderator, model::RoomId room,
                                      model::HeldId held) {
    PARLEY_CO_CHECK(co_await require(moderator, room));
    co_return co_await x_held.decide(room, held, false, x_clock.now());
}

} // namespace parley::service
