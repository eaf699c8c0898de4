#include "model/user.hpp"

#include "base/assert.hpp"

namespace parley::model {

std::string_view name_of(ServerRole role) {
    switch (role) {
    case ServerRole::user:
        return "user";
    case ServerRole::moderator:
        return "moderator";
    case ServerRole::admin:
        return "admin";
    }
    PARLEY_ASSERT(!"a ServerRole outside its enum");
}

std::optional<ServerRole> server_role_named(std::string_view name) {
    for (const ServerRole role : {ServerRole::user, ServerRole::moderator, ServerRole::admin})
        if (name == name_of(role)) return role;
    return std::nullopt;
}

} // namespace parley::model
