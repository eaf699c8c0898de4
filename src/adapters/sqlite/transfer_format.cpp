#include "adapters/sqlite/transfer_format.hpp"

namespace parley::sqlite {
namespace {

constexpr Choice kRoomKinds[] = {{1, "group"}, {2, "dm"}};
constexpr Choice kVisibilities[] = {{1, "public"}, {2, "private"}};
constexpr Choice kServerRoles[] = {{1, "user"}, {2, "moderator"}, {3, "admin"}};
constexpr Choice kRoles[] = {{1, "member"}, {2, "admin"}, {3, "owner"}};
constexpr Choice kHeldStates[] = {{1, "waiting"}, {2, "rejected"}};
constexpr Choice kMessageTypes[] = {{1, "TEXT"}, {2, "MEDIA"}};
constexpr Choice kMediaStates[] = {{1, "ticketed"}, {2, "stored"}, {3, "removed"}};
constexpr Choice kEventKinds[] = {
    {2, "edited"}, {3, "deleted"}, {4, "reaction"}, {5, "member"}, {6, "room"}};

constexpr const char* kUsersOfRoom =
    "id IN (SELECT user_id FROM members WHERE room_id = ?1 "
    "UNION SELECT user_id FROM messages WHERE room_id = ?1 "
    "UNION SELECT user_id FROM events WHERE room_id = ?1 "
    "UNION SELECT subject FROM events WHERE room_id = ?1 AND kind = 5 "
    "UNION SELECT user_id FROM reactions WHERE room_id = ?1 "
    "UNION SELECT user_id FROM read_marks WHERE room_id = ?1)";

std::vector<CarriedTable> people_and_rooms() {
    return {
        {"users",
         "user",
         {{"id", Form::id},
          {"username", Form::text},
          {"username_key", Form::text},
          {"email", Form::text},
          {"email_key", Form::text},
          {"password_hash", Form::text, {}, Travels::with_credentials, ""},
          {"display_name", Form::text},
          {"avatar_media_id", Form::id},
          {"created_at", Form::time},
          {"last_seen_at", Form::time},
          {"disabled", Form::truth},
          {"role", Form::choice, kServerRoles, Travels::with_server, std::int64_t{1}}},
         "id",
         kUsersOfRoom,
         "id = ?1"},
        {"sessions",
         "session",
         {{"id", Form::id},
          {"user_id", Form::id},
          {"created_at", Form::time},
          {"expires_at", Form::time},
          {"revoked_at", Form::time},
          {"last_used_at", Form::time},
          {"user_agent", Form::text},
          {"address", Form::text}},
         "id",
         nullptr,
         "user_id = ?1",
         false},
        {"rooms",
         "room",
         {{"id", Form::id},
          {"kind", Form::choice, kRoomKinds},
          {"visibility", Form::choice, kVisibilities},
          {"name", Form::text},
          {"name_key", Form::text},
          {"topic", Form::text},
          {"topic_key", Form::text},
          {"created_at", Form::time},
          {"member_count", Form::number},
          {"owner_count", Form::number},
          {"dm_low", Form::id},
          {"dm_high", Form::id},
          {"deleted", Form::truth},
          {"slow_mode_seconds", Form::number},
          {"retention_days", Form::number},
          {"removed_id", Form::id}},
         "id",
         "id = ?1",
         "id IN (SELECT room_id FROM members WHERE user_id = ?1)"},
        {"members",
         "member",
         {{"room_id", Form::id},
          {"user_id", Form::id},
          {"role", Form::choice, kRoles},
          {"joined_at", Form::time}},
         "room_id, user_id",
         "room_id = ?1",
         "user_id = ?1"},
    };
}

std::vector<CarriedTable> logs() {
    return {
        {"messages",
         "message",
         {{"id", Form::id},
          {"room_id", Form::id},
          {"prev_id", Form::id},
          {"user_id", Form::id},
          {"created_at", Form::time},
          {"type", Form::choice, kMessageTypes},
          {"content", Form::text},
          {"media_id", Form::id},
          {"reply_to", Form::id},
          {"edited_at", Form::time},
          {"deleted", Form::truth},
          {"nonce", Form::text},
          {"body_hash", Form::id},
          {"media", Form::text}},
         "id",
         "room_id = ?1",
         "user_id = ?1"},
        {"events",
         "event",
         {{"room_id", Form::id},
          {"id", Form::id},
          {"prev_id", Form::id},
          {"user_id", Form::id},
          {"at", Form::time},
          {"kind", Form::choice, kEventKinds},
          {"subject", Form::id},
          {"detail", Form::number},
          {"flags", Form::number},
          {"text", Form::text},
          {"topic", Form::text}},
         "room_id, id",
         "room_id = ?1",
         "(user_id = ?1 OR (kind = 5 AND subject = ?1))"},
        {"reactions",
         "reaction",
         {{"room_id", Form::id},
          {"message_id", Form::id},
          {"emoji", Form::text},
          {"user_id", Form::id},
          {"event_id", Form::id}},
         "room_id, message_id, emoji, user_id",
         "room_id = ?1",
         "user_id = ?1"},
        {"paced_posts",
         "paced_post",
         {{"room_id", Form::id}, {"user_id", Form::id}, {"at", Form::time}},
         "room_id, user_id",
         "room_id = ?1",
         "user_id = ?1"},
        {"room_words",
         "room_words",
         {{"room_id", Form::id}, {"revision", Form::number}, {"words", Form::text}},
         "room_id",
         "room_id = ?1",
         nullptr},
        {"read_marks",
         "read_mark",
         {{"user_id", Form::id}, {"room_id", Form::id}, {"message_id", Form::id}},
         "user_id, room_id",
         "room_id = ?1",
         "user_id = ?1"},
    };
}

std::vector<CarriedTable> files() {
    return {
        {"media",
         "media",
         {{"id", Form::id},
          {"room_id", Form::id},
          {"user_id", Form::id},
          {"key", Form::text},
          {"facts", Form::text},
          {"size", Form::number},
          {"sha256", Form::text},
          {"state", Form::choice, kMediaStates},
          {"created_at", Form::time},
          {"ticket_expires_at", Form::time},
          {"attached_at", Form::time},
          {"examined", Form::truth},
          {"upload_id", Form::text}},
         "id",
         "room_id = ?1",
         "user_id = ?1"},
        {"media_rooms",
         "media_room",
         {{"media_id", Form::id}, {"room_id", Form::id}},
         "media_id, room_id",
         "room_id = ?1",
         nullptr},
    };
}

std::vector<CarriedTable> moderation() {
    return {
        {"held_messages",
         "held_message",
         {{"id", Form::id},
          {"room_id", Form::id},
          {"user_id", Form::id},
          {"nonce", Form::text},
          {"type", Form::choice, kMessageTypes},
          {"content", Form::text},
          {"media_id", Form::id},
          {"reply_to", Form::id},
          {"body_hash", Form::id},
          {"words", Form::text},
          {"state", Form::choice, kHeldStates},
          {"created_at", Form::time},
          {"decided_at", Form::time}},
         "id",
         "room_id = ?1",
         "user_id = ?1"},
        {"erasures",
         "erasure",
         {{"user_id", Form::id},
          {"requested_at", Form::time},
          {"done_at", Form::time},
          {"messages", Form::number},
          {"reactions", Form::number},
          {"rooms", Form::number},
          {"sessions", Form::number},
          {"held", Form::number},
          {"scanned", Form::id}},
         "user_id",
         nullptr,
         "user_id = ?1"},
    };
}

constexpr std::string_view kLeftBehind[] = {
    "meta",                  // the last id stands in the header
    "online_users",          // of the server that ran
    "media_usage",           // as above
    "released_media",        // as above; the files lie in the folder media, to be copied beside
    "sessions.refresh_hash", // sessions end with a move; a person's file names them
};

} // namespace

const std::vector<CarriedTable>& carried_tables() {
    static const std::vector<CarriedTable> tables = [] {
        auto all = people_and_rooms();
        for (CarriedTable& table : logs()) all.push_back(std::move(table));
        for (CarriedTable& table : files()) all.push_back(std::move(table));
        for (CarriedTable& table : moderation()) all.push_back(std::move(table));
        return all;
    }();
    return tables;
}

std::span<const std::string_view> left_behind() { return kLeftBehind; }

} // namespace parley::sqlite
