#include "protocol/log/codec.hpp"

#include "protocol/log/bytes.hpp"

#include <utility>

namespace parley::protocol::log {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kVersionsEver = 31; // below every character that a text begins with
constexpr std::size_t kIdBytes = 8;

template <class T, class Write>
void put_optional(Writer& out, const std::optional<T>& value, Write write) {
    out.u8(value ? 1 : 0);
    if (value) write(*value);
}

template <class Read>
auto take_optional(Reader& in, Read read) -> std::optional<decltype(read())> {
    if (!in.flag()) return std::nullopt;
    return read();
}

template <class Enum>
void put_enum(Writer& out, Enum value) {
    out.u8(static_cast<std::uint8_t>(value));
}

template <class Id>
void put_ids(Writer& out, const std::vector<Id>& ids) {
    out.u32(static_cast<std::uint32_t>(ids.size()));
    for (const Id id : ids) out.id(id);
}

template <class Id>
std::vector<Id> take_ids(Reader& in) {
    std::vector<Id> ids(in.count(kIdBytes));
    for (Id& id : ids) id = in.id<Id>();
    return ids;
}

using model::MemberAction;
using model::MessageType;
using model::Role;
using model::RoomKind;
using model::Visibility;

MessageType take_type(Reader& in) { return in.enumerator(MessageType::text, MessageType::media); }
MemberAction take_action(Reader& in) {
    return in.enumerator(MemberAction::joined, MemberAction::role);
}
Role take_role(Reader& in) { return in.enumerator(Role::member, Role::owner); }
Visibility take_visibility(Reader& in) { return in.enumerator(Visibility::open, Visibility::pair); }
RoomKind take_kind(Reader& in) { return in.enumerator(RoomKind::group, RoomKind::dm); }

// media := 0 | 1 media_id | 2 media_id facts
void put_media(Writer& out, const std::optional<model::MediaId>& id,
               const model::MediaFactsRef& facts) {
    out.u8(!id ? 0 : facts ? 2 : 1);
    if (id) out.id(*id);
    if (id && facts) out.bytes(model::to_json(*facts));
}

struct TakenMedia {
    std::optional<model::MediaId> id;
    model::MediaFactsRef facts;
};

TakenMedia take_media(Reader& in) {
    TakenMedia media;
    const std::uint8_t mark = in.u8();
    if (mark > 2) in.fail();
    if (mark == 0 || mark > 2) return media;
    media.id = in.id<model::MediaId>();
    if (mark == 2) media.facts = model::media_facts_of(in.bytes());
    return media;
}

// --- drafts

void put(Writer& out, const model::PostDraft& draft) {
    out.bytes(draft.nonce);
    put_enum(out, draft.type);
    out.bytes(draft.content);
    put_media(out, draft.media_id, draft.media);
    put_optional(out, draft.reply_to, [&](auto id) { out.id(id); });
    out.u64(draft.body_hash);
}
void put(Writer& out, const model::EditDraft& draft) {
    out.id(draft.message_id);
    out.bytes(draft.content);
}
void put(Writer& out, const model::DeleteDraft& draft) { out.id(draft.message_id); }
void put(Writer& out, const model::ReactDraft& draft) {
    out.id(draft.message_id);
    out.bytes(draft.emoji);
    out.u8(draft.added);
}
void put(Writer& out, const model::MemberDraft& draft) {
    out.id(draft.user_id);
    put_enum(out, draft.action);
    put_enum(out, draft.role);
    out.bytes(draft.room_name);
}
void put(Writer& out, const model::RoomDraft& draft) {
    put_optional(out, draft.name, [&](const auto& text) { out.bytes(text); });
    put_optional(out, draft.topic, [&](const auto& text) { out.bytes(text); });
    put_optional(out, draft.visibility, [&](auto value) { put_enum(out, value); });
    put_optional(out, draft.slow_mode_seconds, [&](auto value) { out.u32(value); });
    out.u8(draft.remove);
    out.u8(draft.sets_retention);
    put_optional(out, draft.retention_days, [&](auto value) { out.u32(value); });
}
void put(Writer& out, const model::CreateDraft& draft) {
    out.bytes(draft.name);
    out.bytes(draft.topic);
    put_enum(out, draft.kind);
    put_enum(out, draft.visibility);
    put_ids(out, draft.member_ids);
}

void put(Writer& out, const model::MediaDraft& draft) {
    out.id(draft.message_id);
    put_media(out, draft.media_id, draft.media);
}

model::PostDraft take_post(Reader& in) {
    model::PostDraft draft;
    draft.nonce = in.bytes();
    draft.type = take_type(in);
    draft.content = in.bytes();
    TakenMedia media = take_media(in);
    draft.media_id = media.id;
    draft.media = std::move(media.facts);
    draft.reply_to = take_optional(in, [&] { return in.id<model::MessageId>(); });
    draft.body_hash = in.u64();
    return draft;
}

model::MediaDraft take_media_draft(Reader& in) {
    const auto message = in.id<model::MessageId>();
    TakenMedia media = take_media(in);
    if (!media.id || !media.facts) in.fail();
    return {message, media.id.value_or(model::MediaId{}), std::move(media.facts)};
}

// Braced lists are evaluated from left to right.
model::DraftBody take_body(Reader& in) {
    const auto message = [&] { return in.id<model::MessageId>(); };
    const auto number = [&] { return in.u32(); };
    switch (in.u8()) {
    case 1:
        return take_post(in);
    case 2:
        return model::EditDraft{message(), in.bytes()};
    case 3:
        return model::DeleteDraft{message()};
    case 4:
        return model::ReactDraft{message(), in.bytes(), in.flag()};
    case 5:
        return model::MemberDraft{in.id<model::UserId>(), take_action(in), take_role(in),
                                  in.bytes()};
    case 6:
        return model::RoomDraft{take_optional(in, [&] { return in.bytes(); }),
                                take_optional(in, [&] { return in.bytes(); }),
                                take_optional(in, [&] { return take_visibility(in); }),
                                take_optional(in, number),
                                in.flag(),
                                in.flag(),
                                take_optional(in, number)};
    case 7:
        return model::CreateDraft{in.bytes(), in.bytes(), take_kind(in), take_visibility(in),
                                  take_ids<model::UserId>(in)};
    case 8:
        return take_media_draft(in);
    default:
        in.fail();
        return model::DeleteDraft{};
    }
}

// --- events

void put_time(Writer& out, model::Time time) { out.i64(time.ms); }
model::Time take_time(Reader& in) { return {in.i64()}; }

void put_message(Writer& out, const model::Message& message) {
    out.id(message.id);
    out.id(message.room_id);
    out.id(message.user_id);
    put_enum(out, message.type);
    out.bytes(message.content);
    put_media(out, message.media_id, message.media);
    put_optional(out, message.reply_to, [&](auto id) { out.id(id); });
    put_time(out, message.created_at);
    put_optional(out, message.edited_at, [&](auto time) { put_time(out, time); });
    out.u8(message.deleted);
}

model::Message take_message(Reader& in) {
    model::Message message;
    message.id = in.id<model::MessageId>();
    message.room_id = in.id<model::RoomId>();
    message.user_id = in.id<model::UserId>();
    message.type = take_type(in);
    message.content = in.bytes();
    TakenMedia media = take_media(in);
    message.media_id = media.id;
    message.media = std::move(media.facts);
    message.reply_to = take_optional(in, [&] { return in.id<model::MessageId>(); });
    message.created_at = take_time(in);
    message.edited_at = take_optional(in, [&] { return take_time(in); });
    message.deleted = in.flag();
    return message;
}

void put_what(Writer& out, const model::MessagePosted& posted) {
    put_message(out, posted.message);
    out.bytes(posted.nonce);
}
void put_what(Writer& out, const model::MessageEdited& edited) { put_message(out, edited.message); }
void put_what(Writer& out, const model::MessageDeleted& deleted) { out.id(deleted.message_id); }
void put_what(Writer& out, const model::ReactionChanged& reaction) {
    out.id(reaction.message_id);
    out.bytes(reaction.emoji);
    out.u8(reaction.added);
}
void put_what(Writer& out, const model::MemberChanged& change) {
    out.id(change.user_id);
    put_enum(out, change.action);
    put_enum(out, change.role);
}
void put_what(Writer& out, const model::RoomChanged& change) {
    const model::Room& room = change.room;
    out.id(room.id);
    out.bytes(room.name);
    put_enum(out, room.kind);
    put_enum(out, room.visibility);
    out.bytes(room.topic);
    put_time(out, room.created_at);
    out.u64(room.member_count);
    out.u8(room.deleted);
    out.u32(room.slow_mode_seconds);
    put_optional(out, room.retention_days, [&](auto days) { out.u32(days); });
}

model::EventBody take_what(Reader& in) {
    switch (in.u8()) {
    case 1:
        return model::MessagePosted{take_message(in), in.bytes()};
    case 2:
        return model::MessageEdited{take_message(in)};
    case 3:
        return model::MessageDeleted{in.id<model::MessageId>()};
    case 4:
        return model::ReactionChanged{in.id<model::MessageId>(), in.bytes(), in.flag()};
    case 5:
        return model::MemberChanged{in.id<model::UserId>(), take_action(in), take_role(in)};
    case 6:
        return model::RoomChanged{{in.id<model::RoomId>(), in.bytes(), take_kind(in),
                                   take_visibility(in), in.bytes(), take_time(in), in.u64(),
                                   in.flag(), in.u32(),
                                   take_optional(in, [&] { return in.u32(); })}};
    default:
        in.fail();
        return model::MessageDeleted{};
    }
}

void put_change(Writer& out, const model::Durable& durable) {
    const model::Event& event = durable.event();
    out.id(event.id);
    out.id(event.prev_id);
    out.id(event.room_id);
    out.id(event.user_id);
    put_time(out, event.at);
    out.u8(static_cast<std::uint8_t>(event.body.index() + 1));
    std::visit([&](const auto& what) { put_what(out, what); }, event.body);
    put_ids(out, durable.initial_members());
}

model::Event take_event(Reader& in) {
    return model::Event{in.id<model::EventId>(), in.id<model::EventId>(), in.id<model::RoomId>(),
                        in.id<model::UserId>(),  take_time(in),           take_what(in)};
}

void begin(Writer& out, char kind) {
    out.u8(kVersion);
    out.u8(static_cast<std::uint8_t>(kind));
}

Result<void> check_begin(Reader& in, char kind) {
    const std::uint8_t version = in.u8();
    // First the kind: what is none of ours must not pass for something newer.
    if (version == 0 || version > kVersionsEver || in.u8() != static_cast<std::uint8_t>(kind))
        return Error(Errc::invalid_field, "not a record of this kind");
    if (version > kVersion)
        return Error(Errc::unavailable, "a record of version " + std::to_string(version));
    return {};
}

Result<void> check_end(const Reader& in) {
    if (!in.ok() || !in.at_end()) return Error(Errc::invalid_field, "a damaged record");
    return {};
}

void put_sender(Writer& out, const Sender& sender) {
    out.bytes(sender.node);
    out.u64(sender.number);
}
Sender take_sender(Reader& in) { return {in.bytes(), in.u64()}; }

} // namespace

std::string Codec::encode(const Sender& sender, const model::Filtered& filtered,
                          model::RoomId new_room) {
    const model::Draft& draft = filtered.draft();
    Writer out;
    begin(out, 'D');
    put_sender(out, sender);
    out.id(new_room ? new_room : draft.room_id());
    out.id(draft.user_id());
    out.u8(draft.by_server());
    out.u8(static_cast<std::uint8_t>(draft.body().index() + 1));
    std::visit([&](const auto& body) { put(out, body); }, draft.body());
    return out.take();
}

std::string Codec::encode(const Sender& sender, const model::Durable& durable) {
    Writer out;
    begin(out, 'E');
    put_sender(out, sender);
    put_change(out, durable);
    return out.take();
}

std::string Codec::encode(const AnswerRecord& answer) {
    Writer out;
    begin(out, 'A');
    out.u64(answer.number);
    out.id(answer.room_id);
    out.bytes(answer.nonce);
    out.u8(answer.duplicate);
    put_optional(out, answer.error, [&](const Error& error) {
        put_enum(out, error.code);
        out.bytes(error.detail);
        put_optional(out, error.retry_after, [&](auto wait) { out.i64(wait.count()); });
    });
    put_optional(out, answer.durable, [&](const auto& durable) { put_change(out, durable); });
    return out.take();
}

Result<DraftRecord> Codec::decode_draft(std::string_view record) {
    Reader in(record);
    PARLEY_CHECK(check_begin(in, 'D'));
    Sender sender = take_sender(in);
    const auto room = in.id<model::RoomId>();
    const auto user = in.id<model::UserId>();
    const bool by_server = in.flag();
    model::DraftBody body = take_body(in);
    model::Draft draft(room, user, std::move(body));
    PARLEY_CHECK(check_end(in));
    if (!room || !user) return Error(Errc::invalid_field, "a record without room or user");
    draft.x_by_server = by_server;
    return DraftRecord{std::move(sender), model::Filtered(std::move(draft))};
}

Result<EventRecord> Codec::decode_event(std::string_view record) {
    Reader in(record);
    PARLEY_CHECK(check_begin(in, 'E'));
    Sender sender = take_sender(in);
    model::Event event = take_event(in);
    model::Durable durable(std::move(event), take_ids<model::UserId>(in));
    PARLEY_CHECK(check_end(in));
    return EventRecord{std::move(sender), std::move(durable)};
}

Result<AnswerRecord> Codec::decode_answer(std::string_view record) {
    Reader in(record);
    PARLEY_CHECK(check_begin(in, 'A'));
    AnswerRecord answer;
    answer.number = in.u64();
    answer.room_id = in.id<model::RoomId>();
    answer.nonce = in.bytes();
    answer.duplicate = in.flag();
    answer.error = take_optional(in, [&] {
        Error error;
        error.code = in.enumerator(Errc::unavailable, Errc::media_storage_full);
        error.detail = in.bytes();
        const auto wait = take_optional(in, [&] { return in.i64(); });
        if (wait) error.retry_after = std::chrono::milliseconds(*wait);
        return error;
    });
    if (in.flag()) {
        model::Event event = take_event(in);
        answer.durable = model::Durable(std::move(event), take_ids<model::UserId>(in));
    }
    PARLEY_CHECK(check_end(in));
    return answer;
}

std::string Codec::encode(const TransientRecord& transient) {
    Writer out;
    begin(out, 'T');
    out.bytes(transient.node);
    out.u8(transient.kind);
    out.u8(transient.dialect);
    out.id(transient.room_id);
    out.id(transient.user_id);
    out.bytes(transient.payload);
    return out.take();
}

Result<TransientRecord> Codec::decode_transient(std::string_view record) {
    Reader in(record);
    PARLEY_CHECK(check_begin(in, 'T'));
    TransientRecord transient{
        in.bytes(), in.u8(), in.u8(), in.id<model::RoomId>(), in.id<model::UserId>(), in.bytes()};
    PARLEY_CHECK(check_end(in));
    return transient;
}

model::Durable Codec::read_back(model::Event event) { return {std::move(event), {}}; }

} // namespace parley::protocol::log
