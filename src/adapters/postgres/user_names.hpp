// UserNames: what the directory knows of users, for those who list the members of a room. Rooms are
// in the shards, users are not. Threading: any core. Errors: overloaded, unavailable.
#pragma once

#include "base/task.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace parley::postgres {

struct UserName {
    std::string username; // "" when there is no such user
    std::optional<model::Time> last_seen_at;
    std::string display_name;
    std::optional<model::MediaId> avatar_media_id;
};

class UserNames {
public:
    // One for each of the users, in their order.
    virtual Task<Result<std::vector<UserName>>> names_of(std::vector<model::UserId> users) = 0;

protected:
    ~UserNames() = default;
};

} // namespace parley::postgres
