#include "chat/sequencer.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "chat/authoriser.hpp"
#include "chat/names.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace parley::chat {

using model::MemberAction;
using model::Role;

namespace {

constexpr std::int64_t kClockStepMs = 1000; // back by more than that, rates start anew

Error no_such_message() { return Error(Errc::unknown_message, "no such message in this room"); }
Error no_such_user() { return Error(Errc::unknown_user, "no such user"); }

} // namespace

struct Sequencer::Context {
    const model::Draft& draft;
    model::Time now;
    Standing standing;
    model::EventId head; // the room's newest event
    std::uint32_t slow_mode_seconds = 0;
    model::Room room; // looked up for MemberDraft and RoomDraft only

    model::RoomId room_id() const { return draft.room_id(); }
    model::UserId actor() const { return draft.user_id(); }
    bool is_paced() const { return slow_mode_seconds > 0 && standing.role == Role::member; }
    Result<void> authorise(Action action, const Subject& subject = {}) const {
        if (draft.by_server() && standing.room_exists) return {};
        return chat::authorise(standing, action, subject);
    }
};

Sequencer::Sequencer(ports::EventStore& store, Snowflake snowflake, RoomLimits limits)
    : x_store(store), x_snowflake(snowflake), x_limits(limits) {}

void Sequencer::forget() { x_heads.clear(); }

Sequencer::Head& Sequencer::head_of(model::RoomId room) {
    // Any one may go: the store knows it, and a rate that starts anew is no harm.
    if (x_heads.size() >= limits::kRoomHeadsCached && !x_heads.contains(room))
        x_heads.erase(x_heads.begin());
    return x_heads[room];
}

// The log's time is the time of the rates, so that a replay comes to the same.
Result<void> Sequencer::take(RateBucket Head::* bucket, const Context& context) {
    const bool is_send = bucket == &Head::sends;
    const RateBucket::Time now{std::chrono::milliseconds(context.now.ms)};
    // A head that was not known yet must be right also when the draft is refused.
    Head& head = head_of(context.room_id());
    head.id = context.head;
    head.slow_mode_seconds = context.slow_mode_seconds;
    const auto wait = (head.*bucket).take(is_send ? x_limits.sends : x_limits.joins, now);
    if (!wait) return {};
    Counter* const counter = is_send ? x_limits.sends_refused : x_limits.joins_refused;
    if (counter) counter->add();
    return Error(Errc::rate_limited,
                 is_send ? "too many sends to this room"
                         : "too many changes of members of this room",
                 *wait);
}

Result<void> Sequencer::wait_for_turn(const Context& context) {
    if (!context.is_paced()) return {};
    PARLEY_TRY(const auto last, x_store.paced_at(context.room_id(), context.actor()));
    if (!last) return {};
    const std::int64_t pause_ms = std::int64_t{context.slow_mode_seconds} * 1000;
    // A clock that went back must not make the wait longer than the pause.
    const std::int64_t left = std::min(pause_ms, last->ms + pause_ms - context.now.ms);
    if (left <= 0) return {};
    if (x_limits.slow_mode_refused) x_limits.slow_mode_refused->add();
    return Error(Errc::rate_limited,
                 "slow mode: one message in this room each " +
                     std::to_string(context.slow_mode_seconds) + " s",
                 std::chrono::milliseconds(left));
}

// What a member says needs only the role and the head; so for a room whose head is known the room
// itself is not read. Outsiders and changes of members or room need all of it.
Result<Sequencer::Context> Sequencer::look_up(const model::Draft& draft, model::Time now) {
    Context context{
        .draft = draft, .now = now, .standing = {}, .head = {}, .slow_mode_seconds = 0, .room = {}};
    PARLEY_TRY(context.standing.role, x_store.role(draft.room_id(), draft.user_id()));
    const bool needs_room = std::holds_alternative<model::MemberDraft>(draft.body()) ||
                            std::holds_alternative<model::RoomDraft>(draft.body());
    const auto known = x_heads.find(draft.room_id());
    if (!needs_room && context.standing.role && known != x_heads.end()) {
        context.standing.room_exists = true;
        context.head = known->second.id;
        context.slow_mode_seconds = known->second.slow_mode_seconds;
        return context;
    }
    PARLEY_TRY(auto stored, x_store.room(draft.room_id()));
    if (!stored) return context;
    context.standing.room_exists = true;
    context.standing.kind = stored->room.kind;
    context.standing.visibility = stored->room.visibility;
    context.standing.owners = stored->owners;
    context.head = stored->last_id;
    context.slow_mode_seconds = stored->room.slow_mode_seconds;
    context.room = std::move(stored->room);
    return context;
}

Result<Sequencer::Verdict> Sequencer::sequence(const model::Filtered& filtered, model::Time now) {
    // A clock that was set back would close every room until it is where it was.
    if (now.ms + kClockStepMs < x_newest.ms) x_heads.clear();
    x_newest = now;
    const model::Draft& draft = filtered.draft();
    if (const auto* body = std::get_if<model::CreateDraft>(&draft.body()))
        return create({.draft = draft,
                       .now = now,
                       .standing = {},
                       .head = {},
                       .slow_mode_seconds = 0,
                       .room = {}},
                      *body);
    PARLEY_TRY(const Context context, look_up(draft, now));
    if (const auto* body = std::get_if<model::PostDraft>(&draft.body()))
        return post(context, *body);
    if (const auto* body = std::get_if<model::EditDraft>(&draft.body()))
        return edit(context, *body);
    if (const auto* body = std::get_if<model::DeleteDraft>(&draft.body()))
        return remove(context, *body);
    if (const auto* body = std::get_if<model::ReactDraft>(&draft.body()))
        return react(context, *body);
    if (const auto* body = std::get_if<model::MemberDraft>(&draft.body()))
        return member(context, *body);
    if (const auto* body = std::get_if<model::MediaDraft>(&draft.body()))
        return media(context, *body);
    return room(context, std::get<model::RoomDraft>(draft.body()));
}

model::Sequenced Sequencer::next(const Context& context, model::EventBody body) {
    const model::EventId id = x_snowflake.next(context.now);
    Head& head = head_of(context.room_id());
    head.id = id;
    head.slow_mode_seconds = context.slow_mode_seconds;
    return model::Sequenced({.id = id,
                             .prev_id = context.head,
                             .room_id = context.room_id(),
                             .user_id = context.actor(),
                             .at = context.now,
                             .body = std::move(body)});
}

Result<Sequencer::Verdict> Sequencer::post(const Context& context, const model::PostDraft& draft) {
    PARLEY_CHECK(context.authorise(Action::send));
    Verdict verdict;
    if (x_bug != PlantedBug::no_nonce_check) {
        PARLEY_TRY(auto stored, x_store.nonce(context.room_id(), context.actor(), draft.nonce));
        if (stored) {
            if (stored->body_hash != draft.body_hash)
                return Error(Errc::nonce_conflict, "this nonce was used for another message");
            verdict.repeated = model::Sequenced(std::move(stored->event));
            verdict.repeated->x_body_hash = stored->body_hash;
            return verdict;
        }
    }
    if (draft.reply_to) {
        PARLEY_TRY(const auto answered, x_store.message(context.room_id(), *draft.reply_to));
        if (!answered) return no_such_message();
    }
    PARLEY_CHECK(wait_for_turn(context));
    PARLEY_CHECK(take(&Head::sends, context));
    verdict.event = next(context, model::MessagePosted{.message = {}, .nonce = draft.nonce});
    model::Event& event = verdict.event->x_event;
    std::get<model::MessagePosted>(event.body).message = {.id = event.id,
                                                          .room_id = event.room_id,
                                                          .user_id = event.user_id,
                                                          .type = draft.type,
                                                          .content = draft.content,
                                                          .media_id = draft.media_id,
                                                          .reply_to = draft.reply_to,
                                                          .created_at = event.at,
                                                          .edited_at = {},
                                                          .deleted = false,
                                                          .media = draft.media};
    verdict.event->x_body_hash = draft.body_hash;
    verdict.event->x_paced = context.is_paced();
    return verdict;
}

Result<Sequencer::Verdict> Sequencer::edit(const Context& context, const model::EditDraft& draft) {
    PARLEY_CHECK(context.authorise(Action::view));
    PARLEY_TRY(auto message, x_store.message(context.room_id(), draft.message_id));
    if (!message || message->deleted) return no_such_message();
    const Subject subject{.is_self = message->user_id == context.actor(),
                          .present_role = {},
                          .new_role = {},
                          .knows_name = false};
    PARLEY_CHECK(context.authorise(Action::edit_message, subject));
    PARLEY_CHECK(take(&Head::sends, context));
    message->content = draft.content;
    message->edited_at = context.now;
    Verdict verdict;
    verdict.event = next(context, model::MessageEdited{std::move(*message)});
    return verdict;
}

// An edit that nobody made: who edited it, and when, stays as it is.
Result<Sequencer::Verdict> Sequencer::media(const Context& context,
                                            const model::MediaDraft& draft) {
    if (!draft.media || !context.draft.by_server())
        return Error(Errc::forbidden, "only the server says what a file is");
    PARLEY_CHECK(context.authorise(Action::view));
    PARLEY_TRY(auto message, x_store.message(context.room_id(), draft.message_id));
    if (!message || message->deleted || message->media_id != draft.media_id)
        return no_such_message();
    Verdict verdict;
    verdict.nothing_to_do = message->media && *message->media == *draft.media;
    if (verdict.nothing_to_do) return verdict;
    message->media = draft.media;
    verdict.event = next(context, model::MessageEdited{std::move(*message)});
    return verdict;
}

Result<Sequencer::Verdict> Sequencer::remove(const Context& context,
                                             const model::DeleteDraft& draft) {
    PARLEY_CHECK(context.authorise(Action::view));
    PARLEY_TRY(const auto message, x_store.message(context.room_id(), draft.message_id));
    if (!message) return no_such_message();
    const Subject subject{.is_self = message->user_id == context.actor(),
                          .present_role = {},
                          .new_role = {},
                          .knows_name = false};
    PARLEY_CHECK(context.authorise(Action::delete_message, subject));
    Verdict verdict;
    verdict.nothing_to_do = message->deleted;
    if (!message->deleted) {
        PARLEY_CHECK(take(&Head::sends, context));
    }
    if (!message->deleted) verdict.event = next(context, model::MessageDeleted{draft.message_id});
    return verdict;
}

Result<Sequencer::Verdict> Sequencer::react(const Context& context,
                                            const model::ReactDraft& draft) {
    PARLEY_CHECK(context.authorise(Action::send));
    PARLEY_TRY(const auto message, x_store.message(context.room_id(), draft.message_id));
    if (!message || message->deleted) return no_such_message();
    PARLEY_TRY(const auto facts,
               x_store.reaction(context.room_id(), draft.message_id, context.actor(), draft.emoji));
    Verdict verdict;
    if (facts.present == draft.added) {
        verdict.nothing_to_do = true;
        return verdict;
    }
    if (draft.added && facts.total >= limits::kReactionsPerMessage)
        return Error(Errc::forbidden, "this message has as many reactions as it can have");
    PARLEY_CHECK(take(&Head::sends, context));
    verdict.event =
        next(context, model::ReactionChanged{draft.message_id, draft.emoji, draft.added});
    return verdict;
}

namespace {

struct MemberChange {
    Action action = Action::view;
    std::optional<model::MemberChanged> event; // absent: it is so already
};

// What a draft about a member comes to, given who asks and which role the member has now.
MemberChange plan(model::UserId actor, const model::MemberDraft& draft,
                  std::optional<Role> present) {
    const bool about_self = draft.user_id == actor;
    MemberChange change;
    switch (draft.action) {
    case MemberAction::joined:
        if (about_self) {
            change.action = Action::join;
            if (!present) change.event = {draft.user_id, MemberAction::joined, Role::member};
        } else if (present && *present != draft.role) {
            change.action = Action::change_role;
            change.event = {draft.user_id, MemberAction::role, draft.role};
        } else {
            change.action = Action::add_member;
            if (!present) change.event = {draft.user_id, MemberAction::joined, draft.role};
        }
        return change;
    case MemberAction::role:
        change.action = Action::change_role;
        if (present != draft.role) change.event = {draft.user_id, MemberAction::role, draft.role};
        return change;
    case MemberAction::left:
    case MemberAction::removed:
        change.action = about_self ? Action::leave : Action::remove_member;
        if (present)
            change.event = {draft.user_id, about_self ? MemberAction::left : MemberAction::removed,
                            *present};
        return change;
    }
    PARLEY_ASSERT(!"a MemberAction outside its enum");
}

} // namespace

Result<Sequencer::Verdict> Sequencer::member(const Context& context,
                                             const model::MemberDraft& draft) {
    const bool about_self = draft.user_id == context.actor();
    std::optional<Role> present = context.standing.role;
    if (!about_self) {
        PARLEY_TRY(present, x_store.role(context.room_id(), draft.user_id));
    }
    MemberChange change = plan(context.actor(), draft, present);
    Subject subject{
        .is_self = about_self, .present_role = present, .new_role = {}, .knows_name = false};
    if (change.action == Action::add_member || change.action == Action::change_role)
        subject.new_role = draft.role;
    const bool is_pair = context.standing.visibility == model::Visibility::pair;
    const std::size_t members_max = is_pair ? model::kPairMembers : limits::kMembersPerRoom;
    const bool full = context.room.member_count >= members_max;
    subject.knows_name = is_pair && !full && about_self &&
                         chat::name_key(draft.room_name) == chat::name_key(context.room.name);
    PARLEY_CHECK(context.authorise(change.action, subject));
    Verdict verdict;
    if (!change.event) {
        verdict.nothing_to_do = true;
        return verdict;
    }
    if (change.event->action == MemberAction::role && !present)
        return Error(Errc::unknown_user, "not a member of this room");
    if (change.event->action == MemberAction::joined) {
        PARLEY_CHECK(check_users({draft.user_id}));
        if (full) return Error(Errc::forbidden, "the room is full");
    }
    PARLEY_CHECK(take(&Head::joins, context));
    verdict.event = next(context, std::move(*change.event));
    return verdict;
}

Result<Sequencer::Verdict> Sequencer::room(const Context& context, const model::RoomDraft& draft) {
    PARLEY_CHECK(context.authorise(draft.remove ? Action::delete_room : Action::change_room));
    if (draft.sets_retention) PARLEY_CHECK(context.authorise(Action::set_retention));
    model::Room after = context.room;
    if (draft.remove) {
        after.deleted = true;
    } else {
        if (draft.name) after.name = *draft.name;
        if (draft.topic) after.topic = *draft.topic;
        // For v1 a pair is private: who says so again changes nothing.
        if (draft.visibility && !(after.visibility == model::Visibility::pair &&
                                  *draft.visibility == model::Visibility::restricted))
            after.visibility = *draft.visibility;
        after.slow_mode_seconds = draft.slow_mode_seconds.value_or(after.slow_mode_seconds);
        if (draft.sets_retention) after.retention_days = draft.retention_days;
    }
    Verdict verdict;
    const model::Room& before = context.room;
    if (!after.deleted && after.name == before.name && after.topic == before.topic &&
        after.visibility == before.visibility &&
        after.slow_mode_seconds == before.slow_mode_seconds &&
        after.retention_days == before.retention_days) {
        verdict.nothing_to_do = true;
        return verdict;
    }
    std::string name_key = chat::name_key(after.name);
    if (after.name != before.name) {
        PARLEY_TRY(const auto holder, x_store.room_by_name_key(name_key));
        if (holder && *holder != context.room_id())
            return Error(Errc::room_name_taken, "another room has this name");
    }
    std::string topic_key = chat::name_key(after.topic);
    const std::uint32_t slow_mode_seconds = after.slow_mode_seconds;
    verdict.event = next(context, model::RoomChanged{std::move(after)});
    head_of(context.room_id()).slow_mode_seconds = slow_mode_seconds;
    verdict.event->x_name_key = std::move(name_key);
    verdict.event->x_topic_key = std::move(topic_key);
    if (draft.remove) x_heads.erase(context.room_id());
    return verdict;
}

Result<void> Sequencer::check_users(const std::vector<model::UserId>& users) {
    for (const model::UserId user : users) {
        PARLEY_TRY(const bool exists, x_store.user_exists(user));
        if (!exists) return no_such_user();
    }
    return {};
}

// A room that was made before, as the answer to who wants to make it.
model::Sequenced Sequencer::present_state(ports::StoredRoom stored) {
    model::Event event{
        .id = stored.last_id, .prev_id = {}, .room_id = {}, .user_id = {}, .at = {}, .body = {}};
    event.room_id = stored.room.id;
    event.at = stored.room.created_at;
    event.body = model::RoomChanged{std::move(stored.room)};
    return model::Sequenced(std::move(event));
}

Result<Sequencer::Verdict> Sequencer::create(const Context& context,
                                             const model::CreateDraft& draft) {
    std::vector<model::UserId> members{context.actor()};
    members.insert(members.end(), draft.member_ids.begin(), draft.member_ids.end());
    PARLEY_CHECK(check_users(members));
    model::Room room{.id = {},
                     .name = draft.name,
                     .kind = draft.kind,
                     .visibility = draft.visibility,
                     .topic = draft.topic,
                     .created_at = context.now,
                     .member_count = members.size(),
                     .deleted = false,
                     .slow_mode_seconds = 0};
    model::Event event{
        .id = {}, .prev_id = {}, .room_id = {}, .user_id = context.actor(), .at = {}, .body = {}};
    Verdict verdict;
    const bool is_dm = draft.kind == model::RoomKind::dm;
    std::string name_key = is_dm ? std::string() : chat::name_key(draft.name);
    const model::RoomId given = context.room_id();
    if (given) { // and with it the name, or the pair, which nobody else has then
        PARLEY_TRY(auto stored, x_store.room(given));
        if (stored) {
            verdict.repeated = present_state(std::move(*stored));
            return verdict;
        }
    } else if (is_dm) {
        PARLEY_TRY(const auto found, x_store.dm_of(members.at(0), members.at(1)));
        if (found) {
            PARLEY_TRY(auto stored, x_store.room(*found));
            if (!stored) return Error(Errc::internal, "a dm that is listed but not there");
            verdict.repeated = present_state(std::move(*stored));
            return verdict;
        }
    } else {
        PARLEY_TRY(const auto holder, x_store.room_by_name_key(name_key));
        if (holder) return Error(Errc::room_name_taken, "another room has this name");
    }
    event.id = x_snowflake.next(context.now);
    event.room_id = room.id = given ? given : model::RoomId{event.id.value};
    event.at = context.now;
    event.body = model::RoomChanged{std::move(room)};
    head_of(event.room_id).id = event.id;
    verdict.event = model::Sequenced(std::move(event));
    verdict.event->x_initial_members = std::move(members);
    verdict.event->x_name_key = std::move(name_key);
    verdict.event->x_topic_key = is_dm ? std::string() : chat::name_key(draft.topic);
    return verdict;
}

} // namespace parley::chat
