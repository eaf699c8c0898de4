// A person with an account. Plain values.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::model {

// What somebody may do on the whole server, ordered by power. A moderator sees and decides held
// messages of every room; an admin also changes accounts.
enum class ServerRole : std::uint8_t { user = 1, moderator = 2, admin = 3 };
// "user", "moderator" or "admin"; and the one of that name.
std::string_view name_of(ServerRole role);
std::optional<ServerRole> server_role_named(std::string_view name);

struct User {
    UserId id;
    std::string username;
    std::string email;
    std::string display_name; // empty: not set
    std::optional<MediaId> avatar_media_id;
    Time created_at;
    bool disabled = false;
    ServerRole role = ServerRole::user;
};

// What a session was begun with, as its request told.
struct Device {
    std::string user_agent; // printable ASCII; empty: not told
    std::string address;    // of the client; empty: not known
};

// One log-in. The refresh token itself is never stored: only SHA-256 of the current and, to notice
// reuse, the fact that an earlier one of this session was presented.
struct Session {
    SessionId id;
    UserId user_id;
    std::string refresh_hash; // 32 bytes, of the one token that works now
    Time created_at;
    Time expires_at; // moved on by each refresh
    std::optional<Time> revoked_at;
    Time last_used_at; // the log-in, or the last refresh
    Device device;
};

} // namespace parley::model
