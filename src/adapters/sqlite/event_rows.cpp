#include "adapters/sqlite/event_rows.hpp"

namespace parley::sqlite {

model::Message read_message(const Query& query, model::RoomId room, int first) {
    model::Message message;
    message.id = query.id<model::MessageId>(first);
    message.room_id = room;
    message.user_id = query.id<model::UserId>(first + 1);
    message.type = query.enumerator<model::MessageType>(first + 2);
    message.content = query.string(first + 3);
    message.media_id = query.optional_id<model::MediaId>(first + 4);
    message.reply_to = query.optional_id<model::MessageId>(first + 5);
    message.created_at = query.time(first + 6);
    message.edited_at = query.optional_time(first + 7);
    message.deleted = query.integer(first + 8) != 0;
    return message;
}

model::Room read_room(const Query& query, int first) {
    model::Room room;
    room.id = query.id<model::RoomId>(first);
    room.kind = query.enumerator<model::RoomKind>(first + 1);
    room.visibility = query.enumerator<model::Visibility>(first + 2);
    room.name = query.string(first + 3);
    room.topic = query.string(first + 4);
    room.created_at = query.time(first + 5);
    room.member_count = static_cast<std::uint64_t>(query.integer(first + 6));
    room.deleted = query.integer(first + 7) != 0;
    room.slow_mode_seconds = static_cast<std::uint32_t>(query.integer(first + 8));
    if (!query.is_null(first + 9))
        room.retention_days = static_cast<std::uint32_t>(query.integer(first + 9));
    return room;
}

} // namespace parley::sqlite
