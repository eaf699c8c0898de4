// The part of Rooms that takes what a moderator must see first.
#include "service/rooms.hpp"

namespace parley::service {

// Whoever may not send here learns that, and nothing is kept of it.
Task<Result<ports::HeldState>> Rooms::store_held(const chat::ContentFilter::Held& held) {
    const model::Draft& draft = held.draft;
    const auto* post = std::get_if<model::PostDraft>(&draft.body());
    PARLEY_ASSERT(post);
    PARLEY_CO_CHECK(co_await require(draft.user_id(), draft.room_id(), chat::Action::send));
    ports::HeldMessage fresh;
    fresh.room_id = draft.room_id();
    fresh.user_id = draft.user_id();
    fresh.draft = *post;
    fresh.words = held.words;
    fresh.created_at = x_ports.clock.now();
    co_return co_await x_ports.held.hold(std::move(fresh));
}

Task<void> Rooms::hold(chat::ContentFilter::Held held, ports::Origin origin) {
    const auto state = co_await store_held(held);
    if (!state) {
        answer_unstored(held.draft, std::move(origin), state.error());
    } else if (*state == ports::HeldState::in_log) {
        // A retry of what a moderator has let through, or what was sent before the word was listed.
        x_submissions.push_back({x_ports.filter.approve(std::move(held.draft)), std::move(origin)});
    } else if (*state == ports::HeldState::rejected) {
        answer_unstored(held.draft, std::move(origin),
                        {Errc::content_rejected, "A moderator has refused this message."});
    } else {
        answer_unstored(held.draft, std::move(origin),
                        {Errc::content_held,
                         "A moderator looks at this first. Sending it again changes nothing."});
    }
}

void Rooms::answer_unstored(const model::Draft& draft, ports::Origin origin, Error error) {
    auto delivery = std::make_shared<Delivery>();
    delivery->outcome.room_id = draft.room_id();
    delivery->outcome.nonce = std::get<model::PostDraft>(draft.body()).nonce;
    delivery->outcome.origin = std::move(origin);
    delivery->outcome.error = std::move(error);
    x_probe.refused(delivery->outcome.error->code);
    --x_in_flight;
    const auto found = x_responders.find(delivery->outcome.origin.responder);
    if (found != x_responders.end()) found->second->on_outcome(delivery);
}

} // namespace parley::service
