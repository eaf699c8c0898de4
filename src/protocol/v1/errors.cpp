#include "base/assert.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::protocol::v1 {

std::string_view socket_code(Errc code) {
    switch (code) {
    case Errc::unavailable:
    case Errc::overloaded:
    case Errc::shutting_down:
    case Errc::internal:
        return "unavailable";
    case Errc::bad_json:
        return "bad_frame";
    case Errc::invalid_field:
    // No op of the socket ends with the next ones; they are its nearest words.
    case Errc::invalid_username:
    case Errc::invalid_email:
    case Errc::invalid_password:
    case Errc::email_taken:
    case Errc::username_taken:
    case Errc::room_name_taken:
    case Errc::unknown_user:
    case Errc::media_not_available:
    case Errc::media_too_large:
    case Errc::media_type_not_allowed:
    case Errc::media_quota:
        return "invalid_field";
    case Errc::too_long:
        return "too_long";
    case Errc::not_a_member:
        return "not_a_member";
    case Errc::unknown_room:
        return "unknown_room";
    case Errc::unknown_message:
        return "unknown_message";
    case Errc::forbidden:
    // A socket whose token is no good is closed with 4500, 4501 or 4003; an op that is caught in
    // between is refused.
    case Errc::invalid_credentials:
    case Errc::unauthorized:
    case Errc::token_expired:
    case Errc::token_reused:
    case Errc::session_revoked:
    case Errc::unknown_session:
    case Errc::last_owner:
    case Errc::last_admin:
        return "forbidden";
    case Errc::nonce_conflict:
        return "nonce_conflict";
    case Errc::rate_limited:
        return "rate_limited";
    case Errc::unknown_media:
        return "unknown_media";
    case Errc::media_not_uploaded:
        return "media_not_uploaded";
    case Errc::media_mismatch:
        return "media_mismatch";
    case Errc::media_unavailable:
    case Errc::media_storage_full:
        return "media_unavailable";
    case Errc::content_held:
        return "content_held";
    case Errc::content_rejected:
        return "content_rejected";
    }
    PARLEY_ASSERT(!"an Errc outside its enum");
}

} // namespace parley::protocol::v1
