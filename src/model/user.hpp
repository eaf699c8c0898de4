// A person with an account. Plain values.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <optional>
#include <string>

namespace parley::model {

struct User {
    UserId id;
    std::string username;
    std::string email;
    std::string display_name; // empty: not set
    std::optional<MediaId> avatar_media_id;
    Time created_at;
    bool disabled = false;
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
};

} // namespace parley::model
