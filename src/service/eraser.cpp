#include "service/eraser.hpp"

#include "chat/composer.hpp"

namespace parley::service {

Eraser::Eraser(Rooms& rooms, ports::ErasureStore& store, const ports::Clock& clock, Logger& log,
               Metrics& metrics)
    : x_rooms(rooms),
      x_store(store),
      x_clock(clock),
      x_log(log),
      x_running(metrics.gauge("parley_erasures_running", "1 while a user is being erased")),
      x_done(metrics.counter("parley_erasures_total", "Users erased")),
      x_messages(metrics.counter("parley_erased_messages_total", "Messages of erased users")) {}

Task<std::chrono::milliseconds> Eraser::step() {
    const auto next = co_await x_store.next_erasure();
    x_running.set(next && *next ? 1 : 0);
    if (!next) co_return limits::kErasureRetry;
    if (!*next) co_return limits::kStoreLookInterval;
    const Result<void> worked = co_await work(**next);
    if (worked) co_return limits::kErasurePause;
    x_log.warning("an erasure waits", {{"user", (*next)->user_id.to_string()},
                                       {"why", std::string_view(worked.error().detail)}});
    co_return limits::kErasureRetry;
}

Task<Result<void>> Eraser::work(const ports::Erasure& erasure) {
    const model::UserId user = erasure.user_id;
    PARLEY_CO_TRY(const Progress rooms, co_await leave_rooms(user));
    if (rooms == Progress::did_something) co_return Result<void>{};
    PARLEY_CO_TRY(const Progress messages, co_await erase_messages(erasure));
    if (messages == Progress::did_something) co_return Result<void>{};
    PARLEY_CO_TRY(const Progress reactions, co_await erase_reactions(user));
    if (reactions == Progress::did_something) co_return Result<void>{};
    PARLEY_CO_TRY(const ports::Erasure done, co_await x_store.finish_erasure(user, x_clock.now()));
    x_done.add();
    x_log.info("user erased",
               {{"user", user.to_string()}, {"messages", std::to_string(done.messages)}});
    co_return Result<void>{};
}

// What is gone already is as it should be.
Task<Result<void>> Eraser::take_back(std::vector<model::Draft> drafts) {
    const auto errors = co_await x_rooms.submit_all(std::move(drafts));
    for (const std::optional<Error>& error : errors)
        if (error && error->code != Errc::unknown_room && error->code != Errc::unknown_message &&
            error->code != Errc::unknown_user)
            co_return *error;
    co_return Result<void>{};
}

Task<Result<Eraser::Progress>> Eraser::leave_rooms(model::UserId user) {
    PARLEY_CO_TRY(auto memberships, co_await x_store.memberships_of(user, limits::kErasureBatch));
    for (const ports::ErasedMembership& membership : memberships)
        PARLEY_CO_CHECK(co_await leave(user, membership));
    co_return memberships.empty() ? Progress::nothing_left : Progress::did_something;
}

Task<Result<void>> Eraser::leave(model::UserId user, ports::ErasedMembership membership) {
    using chat::Composer;
    const model::RoomId room = membership.room_id;
    std::vector<model::Draft> drafts;
    if (membership.alone) {
        model::RoomDraft draft;
        draft.remove = true;
        drafts.push_back(Composer::take_back(room, user, std::move(draft)));
        PARLEY_CO_CHECK(co_await take_back(std::move(drafts)));
        co_return co_await x_store.blank_room(user, room);
    }
    if (membership.successor)
        drafts.push_back(
            Composer::take_back(room, user,
                                model::MemberDraft{*membership.successor, model::MemberAction::role,
                                                   model::Role::owner}));
    drafts.push_back(Composer::take_back(
        room, user, model::MemberDraft{user, model::MemberAction::left, model::Role::member}));
    PARLEY_CO_CHECK(co_await take_back(std::move(drafts)));
    co_return co_await x_store.count_left_room(user);
}

Task<Result<Eraser::Progress>> Eraser::erase_messages(const ports::Erasure& erasure) {
    const model::UserId user = erasure.user_id;
    PARLEY_CO_TRY(const ports::ErasedMessages found,
                  co_await x_store.messages_of(user, erasure.scanned, limits::kErasureBatch));
    if (found.messages.empty() && found.at_end) co_return Progress::nothing_left;
    std::vector<model::Draft> drafts;
    std::vector<model::MessageId> ids;
    for (const auto& [room, message] : found.messages) {
        drafts.push_back(chat::Composer::take_back(room, user, model::DeleteDraft{message}));
        ids.push_back(message);
    }
    PARLEY_CO_CHECK(co_await take_back(std::move(drafts)));
    x_messages.add(ids.size());
    PARLEY_CO_CHECK(co_await x_store.blank_messages(user, std::move(ids), found.scanned));
    co_return Progress::did_something;
}

Task<Result<Eraser::Progress>> Eraser::erase_reactions(model::UserId user) {
    PARLEY_CO_TRY(auto found, co_await x_store.reactions_of(user, limits::kErasureBatch));
    std::vector<model::Draft> drafts;
    for (const ports::ErasedReaction& one : found)
        drafts.push_back(chat::Composer::take_back(
            one.room_id, user, model::ReactDraft{one.message_id, one.emoji, false}));
    PARLEY_CO_CHECK(co_await take_back(std::move(drafts)));
    PARLEY_CO_TRY(const bool done, co_await x_store.blank_reactions(user, std::move(found)));
    co_return done ? Progress::nothing_left : Progress::did_something;
}

} // namespace parley::service
