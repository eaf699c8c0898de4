// Rooms and who is in them. Plain values. A direct message, a group and a broadcast room are the
// same thing with different permissions.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace parley::model {

enum class RoomKind : std::uint8_t { group = 1, dm = 2 };
enum class Visibility : std::uint8_t {
    open = 1,
    restricted = 2,
    pair = 3, // restricted, but who knows its id and its name may join, up to kPairMembers
}; // "public", "private", "private" on the wire of v1
inline constexpr std::size_t kPairMembers = 2;
enum class Role : std::uint8_t { member = 1, admin = 2, owner = 3 }; // ordered by power

struct Room {
    RoomId id;
    std::string name; // "" for a dm
    RoomKind kind = RoomKind::group;
    Visibility visibility = Visibility::restricted;
    std::string topic;
    Time created_at;
    std::uint64_t member_count = 0;
    bool deleted = false;
    // A member (not an admin or owner) may post once in so long; 0: as often as they like.
    std::uint32_t slow_mode_seconds = 0;
    // How long what is said is kept; absent: as long as the server keeps it. Of both the shorter.
    std::optional<std::uint32_t> retention_days = {};
};

struct Member {
    UserId user_id;
    std::string username;
    Role role = Role::member;
    Time joined_at;
    std::optional<Time> last_seen_at;
    std::string display_name = {}; // empty: not set
    std::optional<MediaId> avatar_media_id = {};
};

} // namespace parley::model
