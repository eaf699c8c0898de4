#include "chat/composer.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "chat/names.hpp"

#include <string>
#include <unordered_set>
#include <utf8proc.h>
#include <vector>

namespace parley::chat {

namespace {

using model::MessageType;

Error invalid(const char* what) { return Error(Errc::invalid_field, what); }

Result<MessageType> parse_type(std::string_view type) {
    if (type == "TEXT") return MessageType::text;
    if (type == "MEDIA") return MessageType::media;
    return invalid("type: TEXT or MEDIA");
}

// Answers the trimmed text.
Result<std::string_view> check_content(std::string_view content, std::size_t code_points_min) {
    if (!is_valid_utf8(content)) return invalid("content is not UTF-8");
    if (has_nul(content)) return invalid("content has a U+0000");
    content = trim(content);
    const std::size_t length = count_code_points(content);
    if (length > limits::kContentCodePoints)
        return Error(Errc::too_long, "content has more than " +
                                         std::to_string(limits::kContentCodePoints) +
                                         " characters");
    if (length < code_points_min) return invalid("content is empty");
    return content;
}

Result<void> check_emoji(std::string_view emoji) {
    if (emoji.empty() || !is_valid_utf8(emoji)) return invalid("emoji is empty or not UTF-8");
    if (emoji.size() > limits::kEmojiBytes || count_code_points(emoji) > limits::kEmojiCodePoints)
        return Error(Errc::too_long, "emoji: at most 16 characters and 64 bytes");
    while (!emoji.empty()) {
        utf8proc_int32_t c = 0;
        const utf8proc_ssize_t size =
            utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(emoji.data()),
                             static_cast<utf8proc_ssize_t>(emoji.size()), &c);
        const utf8proc_category_t category = utf8proc_category(c);
        if (size <= 0 || category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZS ||
            category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP)
            return invalid("emoji has a control character or white space");
        emoji.remove_prefix(static_cast<std::size_t>(size));
    }
    return {};
}

// 64-bit FNV-1a (Fowler, Noll, Vo). Not against an adversary: a client that makes two of its own
// bodies collide gets its first message back for the second.
class Fnv1a {
public:
    void add(std::string_view bytes) {
        for (const char c : bytes) {
            x_hash ^= static_cast<unsigned char>(c);
            x_hash *= 0x100000001B3ull;
        }
    }
    void add(std::uint64_t number) {
        for (int shift = 0; shift < 64; shift += 8) {
            x_hash ^= number >> shift & 0xFF;
            x_hash *= 0x100000001B3ull;
        }
    }
    std::uint64_t value() const { return x_hash; }

private:
    std::uint64_t x_hash = 0xCBF29CE484222325ull;
};

// body := type (8 bytes) size(content) (8) content media_id (8, 0: none) reply_to (8, 0: none);
// numbers little endian. The size before the content keeps fields from running into each other. It
// is stored for ever, so its definition may not change.
std::uint64_t hash_body(const model::PostDraft& draft) {
    Fnv1a hash;
    hash.add(static_cast<std::uint64_t>(draft.type));
    hash.add(draft.content.size());
    hash.add(draft.content);
    hash.add(static_cast<std::uint64_t>(draft.media_id.value_or(model::MediaId{}).value));
    hash.add(static_cast<std::uint64_t>(draft.reply_to.value_or(model::MessageId{}).value));
    return hash.value();
}

} // namespace

Result<model::Draft> Composer::post(model::RoomId room, model::UserId user,
                                    const PostFields& fields) {
    if (fields.nonce.empty() || fields.nonce.size() > limits::kNonceBytes)
        return invalid("nonce: 1 to 64 bytes");
    if (!is_valid_utf8(fields.nonce) || has_nul(fields.nonce))
        return invalid("nonce is not UTF-8, or has a U+0000");
    PARLEY_TRY(const MessageType type, parse_type(fields.type));
    if (type == MessageType::media && !fields.media_id) return invalid("media_id is missing");
    // Who may carry it was asked before: without the facts nobody has.
    if (fields.media_id && !fields.media)
        return Error(Errc::media_not_uploaded, "media_id: its upload is not finished");
    const std::size_t code_points_min = type == MessageType::text ? 1 : 0;
    PARLEY_TRY(const std::string_view content, check_content(fields.content, code_points_min));
    model::PostDraft draft{.nonce = std::string(fields.nonce),
                           .type = type,
                           .content = std::string(content),
                           .media_id = fields.media_id,
                           .reply_to = fields.reply_to,
                           .body_hash = 0,
                           .media = fields.media_id ? fields.media : nullptr};
    draft.body_hash = hash_body(draft);
    return model::Draft(room, user, std::move(draft));
}

model::Draft Composer::again(model::RoomId room, model::UserId user, model::PostDraft draft) {
    return model::Draft(room, user, std::move(draft));
}

model::Draft Composer::by_server(model::RoomId room, model::UserId user, model::DraftBody body) {
    model::Draft draft(room, user, std::move(body));
    draft.x_by_server = true;
    return draft;
}

model::Draft Composer::take_back(model::RoomId room, model::UserId user, model::DeleteDraft body) {
    return by_server(room, user, body);
}

model::Draft Composer::take_back(model::RoomId room, model::UserId user, model::ReactDraft body) {
    return by_server(room, user, std::move(body));
}

model::Draft Composer::take_back(model::RoomId room, model::UserId user, model::MemberDraft body) {
    return by_server(room, user, body);
}

model::Draft Composer::take_back(model::RoomId room, model::UserId user, model::RoomDraft body) {
    return by_server(room, user, std::move(body));
}

model::Draft Composer::media(model::RoomId room, model::UserId user, model::MediaDraft body) {
    return by_server(room, user, std::move(body));
}

Result<model::Draft> Composer::edit(model::RoomId room, model::UserId user,
                                    model::MessageId message, std::string_view content) {
    PARLEY_TRY(const std::string_view text, check_content(content, 1));
    return model::Draft(room, user, model::EditDraft{message, std::string(text)});
}

Result<model::Draft> Composer::remove(model::RoomId room, model::UserId user,
                                      model::MessageId message) {
    return model::Draft(room, user, model::DeleteDraft{message});
}

Result<model::Draft> Composer::react(model::RoomId room, model::UserId user,
                                     model::MessageId message, std::string_view emoji, bool added) {
    PARLEY_CHECK(check_emoji(emoji));
    return model::Draft(room, user, model::ReactDraft{message, std::string(emoji), added});
}

Result<model::Draft> Composer::member(model::RoomId room, model::UserId actor,
                                      model::MemberDraft draft) {
    if (!draft.user_id) return invalid("user_id is missing");
    if (draft.action == model::MemberAction::left && draft.user_id != actor)
        return invalid("user_id: one can only leave oneself");
    return model::Draft(room, actor, std::move(draft));
}

Result<model::Draft> Composer::room(model::RoomId room, model::UserId actor,
                                    model::RoomDraft draft) {
    if (draft.name) {
        PARLEY_TRY(draft.name, check_room_name(*draft.name));
    }
    if (draft.topic) {
        PARLEY_TRY(draft.topic, check_topic(*draft.topic));
    }
    if (draft.slow_mode_seconds && *draft.slow_mode_seconds > limits::kSlowModeSecondsMax)
        return invalid("slow_mode_seconds: 0 to 21600");
    return model::Draft(room, actor, std::move(draft));
}

Result<model::Draft> Composer::room_by_moderator(model::RoomId room, model::UserId actor,
                                                 model::RoomDraft draft) {
    if (draft.name || draft.topic || draft.visibility || draft.remove)
        return Error(Errc::forbidden, "in rooms of others, moderators of the server change only "
                                      "slow_mode_seconds and retention_days");
    PARLEY_TRY(model::Draft checked, Composer::room(room, actor, std::move(draft)));
    checked.x_by_server = true;
    return checked;
}

Result<model::Draft> Composer::create(model::UserId creator, model::CreateDraft draft) {
    PARLEY_TRY(draft.topic, check_topic(draft.topic));
    auto& ids = draft.member_ids;
    if (ids.size() > limits::kInitialMembers)
        return Error(Errc::too_long,
                     "member_ids: at most " + std::to_string(limits::kInitialMembers));
    // Once each, in the order given.
    std::vector<model::UserId> unique;
    std::unordered_set<model::UserId> seen;
    for (const model::UserId id : ids)
        if (seen.insert(id).second) unique.push_back(id);
    ids = std::move(unique);
    if (draft.kind == model::RoomKind::dm) {
        if (ids.size() != 1 || ids.front() == creator)
            return invalid("member_ids: a dm needs exactly one other member");
        // Two people are its name, and nobody else may find it.
        draft.name.clear();
        draft.visibility = model::Visibility::restricted;
    } else {
        std::erase(ids, creator);
        PARLEY_TRY(draft.name, check_room_name(draft.name));
    }
    return model::Draft({}, creator, std::move(draft));
}

} // namespace parley::chat
