// Rooms, members and read marks, as relational data. Membership changes go through the RoomLog;
// here they are read. Threading: any core. Guarantee: sees everything acknowledged before the call.
// Errors: overloaded, unavailable.
#pragma once

#include "base/task.hpp"
#include "model/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parley::ports {

struct RoomMember {
    model::UserId user_id;
    model::Role role = model::Role::member;
};

// Everything that a room's home core keeps in memory. Read in one snapshot.
struct RoomSnapshot {
    model::Room room;
    std::vector<RoomMember> members;
    model::EventId last_id;
};

struct RoomListItem {
    model::Room room;
    model::Role my_role = model::Role::member;
    std::optional<model::Message> last_message;
    std::uint64_t unread_count =
        0; // messages of others above last_read_id, at most limits::kUnreadCountMax
    model::MessageId last_read_id;          // 0: nothing read
    std::vector<model::UserId> dm_user_ids; // of a dm: both
};

struct ReadMark {
    model::UserId user;
    model::RoomId room;
    model::MessageId message;
};
enum class MarkOutcome : std::uint8_t {
    moved,
    stayed,         // it was there or further already
    unknown_message // no such message in this room
};

// The ones that everybody may find, or those that moderators of the server see.
enum class Groups : std::uint8_t { open, all };

// Members whose read mark is at a message or beyond.
struct Readers {
    std::vector<model::UserId> users; // by id ascending
    bool more = false;
};

class RoomDirectory {
public:
    // unknown_room when there is none or it is deleted.
    virtual Task<Result<RoomSnapshot>> load_room(model::RoomId room) = 0;
    // By room id ascending, ids above `after`.
    virtual Task<Result<std::vector<RoomListItem>>>
    rooms_of(model::UserId user, model::RoomId after, std::size_t limit) = 0;
    // Groups whose name or topic contains `query` (case-folded; "" for all), by id ascending, ids
    // above `after`.
    virtual Task<Result<std::vector<model::Room>>>
    search(Groups among, std::string query, model::RoomId after, std::size_t limit) = 0;
    // By user id ascending, ids above `after`.
    virtual Task<Result<std::vector<model::Member>>>
    members(model::RoomId room, model::UserId after, std::size_t limit) = 0;
    // Whether there is a room that both are in.
    virtual Task<Result<bool>> share_room(model::UserId one, model::UserId other) = 0;
    // Of one message of the room, the first `limit`.
    virtual Task<Result<Readers>> readers(model::RoomId room, model::MessageId message,
                                          std::size_t limit) = 0;
    // Moves read marks forward, in one write, each for itself: an outcome for each, in the order
    // of the marks. At most limits::kReadMarksBatch.
    virtual Task<Result<std::vector<MarkOutcome>>> set_read(std::vector<ReadMark> marks) = 0;

protected:
    ~RoomDirectory() = default;
};

} // namespace parley::ports
