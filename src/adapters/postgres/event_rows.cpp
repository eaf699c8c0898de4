#include "adapters/postgres/event_rows.hpp"

namespace parley::postgres {

model::Message read_message(const Row& row, model::RoomId room, int first) {
    model::Message message;
    message.id = row.id<model::MessageId>(first);
    message.room_id = room;
    message.user_id = row.id<model::UserId>(first + 1);
    message.type = row.enumerator<model::MessageType>(first + 2);
    message.content = row.string(first + 3);
    message.media_id = row.optional_id<model::MediaId>(first + 4);
    message.reply_to = row.optional_id<model::MessageId>(first + 5);
    message.created_at = row.time(first + 6);
    message.edited_at = row.optional_time(first + 7);
    message.deleted = row.integer(first + 8) != 0;
    return message;
}

model::Room read_room(const Row& row, int first) {
    model::Room room;
    room.id = row.id<model::RoomId>(first);
    room.kind = row.enumerator<model::RoomKind>(first + 1);
    room.visibility = row.enumerator<model::Visibility>(first + 2);
    room.name = row.string(first + 3);
    room.topic = row.string(first + 4);
    room.created_at = row.time(first + 5);
    room.member_count = static_cast<std::uint64_t>(row.integer(first + 6));
    room.deleted = row.integer(first + 7) != 0;
    room.slow_mode_seconds = static_cast<std::uint32_t>(row.integer(first + 8));
    if (!row.is_null(first + 9))
        room.retention_days = static_cast<std::uint32_t>(row.integer(first + 9));
    return room;
}

} // namespace parley::postgres
