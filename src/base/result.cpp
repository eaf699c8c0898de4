#include "base/result.hpp"

#include "base/assert.hpp"

namespace parley {

namespace {

std::string_view media_name(Errc code) {
    switch (code) {
    case Errc::unknown_media:
        return "unknown_media";
    case Errc::media_too_large:
        return "media_too_large";
    case Errc::media_type_not_allowed:
        return "media_type_not_allowed";
    case Errc::media_not_uploaded:
        return "media_not_uploaded";
    case Errc::media_mismatch:
        return "media_mismatch";
    case Errc::media_quota:
        return "media_quota";
    case Errc::media_unavailable:
        return "media_unavailable";
    case Errc::media_storage_full:
        return "media_storage_full";
    default:
        PARLEY_ASSERT(!"not one of these codes");
    }
}

} // namespace

namespace {

std::string_view account_name(Errc code) {
    switch (code) {
    case Errc::email_taken:
        return "email_taken";
    case Errc::username_taken:
        return "username_taken";
    case Errc::room_name_taken:
        return "room_name_taken";
    case Errc::invalid_credentials:
        return "invalid_credentials";
    case Errc::unauthorized:
        return "unauthorized";
    case Errc::token_expired:
        return "token_expired";
    case Errc::token_reused:
        return "token_reused";
    case Errc::session_revoked:
        return "session_revoked";
    case Errc::unknown_session:
        return "unknown_session";
    default:
        PARLEY_ASSERT(!"not one of these codes");
    }
}

} // namespace

std::string_view name_of(Errc code) {
    switch (code) {
    case Errc::unavailable:
    case Errc::overloaded:
    case Errc::shutting_down:
        return "unavailable";
    case Errc::bad_json:
        return "bad_json";
    case Errc::invalid_field:
        return "invalid_field";
    case Errc::invalid_username:
        return "invalid_username";
    case Errc::invalid_email:
        return "invalid_email";
    case Errc::invalid_password:
        return "invalid_password";
    case Errc::too_long:
        return "too_long";
    case Errc::not_a_member:
        return "not_a_member";
    case Errc::unknown_room:
        return "unknown_room";
    case Errc::unknown_user:
        return "unknown_user";
    case Errc::unknown_message:
        return "unknown_message";
    case Errc::forbidden:
        return "forbidden";
    case Errc::nonce_conflict:
        return "nonce_conflict";
    case Errc::last_admin:
        return "last_admin";
    case Errc::last_owner:
        return "last_owner";
    case Errc::rate_limited:
        return "rate_limited";
    case Errc::media_not_available:
        return "media_not_available";
    case Errc::content_held:
        return "content_held";
    case Errc::content_rejected:
        return "content_rejected";
    case Errc::internal:
        return "internal";
    case Errc::unknown_media:
    case Errc::media_too_large:
    case Errc::media_type_not_allowed:
    case Errc::media_not_uploaded:
    case Errc::media_mismatch:
    case Errc::media_quota:
    case Errc::media_unavailable:
    case Errc::media_storage_full:
        return media_name(code);
    case Errc::email_taken:
    case Errc::username_taken:
    case Errc::room_name_taken:
    case Errc::invalid_credentials:
    case Errc::unauthorized:
    case Errc::token_expired:
    case Errc::token_reused:
    case Errc::session_revoked:
    case Errc::unknown_session:
        return account_name(code);
    }
    PARLEY_ASSERT(!"an Errc outside its enum");
}

} // namespace parley
